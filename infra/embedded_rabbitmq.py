"""A RabbitMQ node of our own from an installed `rabbitmq-server`, for `make run` and the tests.

The user's broker is never touched: our node has its own folder, ports, cookie and `epmd`.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from infra.embedded import (
    LOOPBACK,
    EmbeddedError,
    FolderLock,
    ServerProcess,
    accepts_connections,
    end_orphan,
    free_port,
    kept_password,
    make_server_folder,
    write_private,
)

USER = "streamcash"
NODE = "streamcash@localhost"

DEBIAN_SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""What Debian's /usr/sbin/rabbitmq-server wraps. The wrapper insists on the user `rabbitmq` and
that user's files, so we call the script itself."""


def find_rabbitmq() -> Path | None:
    """The `rabbitmq-server` script, if one is on PATH or where Debian puts it for root only."""
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/opt/homebrew/sbin"])
    found = shutil.which("rabbitmq-server", path=search)
    if found is None:
        return None
    return DEBIAN_SCRIPT if DEBIAN_SCRIPT.exists() else Path(found)


class EmbeddedRabbitMQ:
    """A RabbitMQ node in one folder. It keeps ports and password while this object lives."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.port = port or free_port()
        self.epmd_port = free_port()
        self._distribution_port = free_port()
        self._folder = folder.resolve()
        self._pid_file = self._folder / "rabbitmq.pid"
        self._lock = FolderLock(self._folder)
        self._epmd: ServerProcess | None = None
        self._process: ServerProcess | None = None

    def start(self, *, wait: bool = True) -> str:
        """Start it and return its RABBITMQ_URL. Raises EmbeddedError.

        It takes about five seconds; without `wait` other things can start meanwhile, and
        `wait_until_ready` follows.
        """
        make_server_folder(self._folder)
        self._lock.take()
        try:
            self._start()
            if wait:
                self.wait_until_ready()
        except BaseException:
            self.kill()
            raise
        return self.url()

    def wait_until_ready(self) -> None:
        """Raises EmbeddedError if it stops, or is not there after a minute."""
        if self._process is not None:
            self._process.wait_until(lambda: accepts_connections(self.port, hello=b"AMQP\x00\x00\x09\x01"))

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def url(self) -> str:
        return f"amqp://{USER}:{kept_password(self._folder / 'password')}@{LOOPBACK}:{self.port}/"

    def stop(self) -> None:
        """Durable queues and persistent messages stay."""
        if self._process is not None:
            self._process.stop(timeout_seconds=20)
        self.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash; what was confirmed to a publisher is still there at the next start."""
        if self._process is not None:
            self._process.kill()
            self._process = None
        if self._epmd is not None:
            self._epmd.stop(timeout_seconds=5)
            self._epmd = None
        self._lock.release()

    def restart(self) -> None:
        self.stop()
        self.start()

    def _start(self) -> None:
        script = find_rabbitmq()
        if script is None:
            raise EmbeddedError("There is no rabbitmq-server on PATH.")
        if self._pid_file.exists():
            recorded = self._pid_file.read_text(encoding="utf-8").strip()
            if recorded.isdigit():
                end_orphan(int(recorded), mentions=str(self._folder), stop_signal=signal.SIGTERM)
            self._pid_file.unlink(missing_ok=True)
        configuration = [
            f"listeners.tcp.local = {LOOPBACK}:{self.port}",
            f"default_user = {USER}",
            f"default_pass = {kept_password(self._folder / 'password')}",
            "log.console = true",
            "log.console.level = warning",
            "log.file = false",
            # Its default asks for gigabytes; a laptop's nearly full disk should not stop donations.
            "disk_free_limit.absolute = 100MB",
        ]
        write_private(self._folder / "rabbitmq.conf", "\n".join(configuration) + "\n", for_servers=True)
        write_private(self._folder / "enabled_plugins", "[].\n", for_servers=True)
        write_private(self._folder / "empty.conf", "", for_servers=True)
        environment = {
            "HOME": str(self._folder),
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_CONF_ENV_FILE": str(self._folder / "empty.conf"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self._folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_PID_FILE": str(self._pid_file),
            # Idle schedulers must not spin (sbwt): on two cores that is half the machine.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
            ),
            # The script then becomes the Erlang machine instead of waiting for it: one process to signal.
            "RUNNING_UNDER_SYSTEMD": "true",
        }
        # The node would start an epmd that outlives it. It is content with one that already runs.
        epmd = [_find_epmd(), "-port", str(self.epmd_port), "-address", LOOPBACK]
        self._epmd = ServerProcess("epmd", epmd, folder=self._folder, stop_signal=signal.SIGTERM)
        self._epmd.wait_until(lambda: accepts_connections(self.epmd_port), timeout_seconds=30)
        self._process = ServerProcess(
            "rabbitmq", [script], folder=self._folder, stop_signal=signal.SIGTERM, environment=environment
        )


def _find_epmd() -> str:
    """Beside `erl` on PATH, or inside Erlang's own folder."""
    found = shutil.which("epmd")
    if found is not None:
        return found
    asked = subprocess.run(
        ["erl", "-noshell", "-eval", "io:put_chars(code:root_dir()), halt()."], capture_output=True, text=True
    )
    inside = sorted(Path(asked.stdout.strip() or "/nonexistent").glob("erts-*/bin/epmd"))
    if not inside:
        raise EmbeddedError("rabbitmq-server is there, but Erlang's epmd is not on PATH.")
    return str(inside[-1])
