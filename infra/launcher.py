"""What `make run` runs once the packages are there: everything on one machine, for development.

    python -m infra.launcher

Steps: look at the ports, take DATA_DIR, start the servers, migrate, seed the demo streamer, start
the programs, wait until they answer, say where everything is; at Ctrl-C or SIGTERM the same
backwards. DESIGN 21.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

from infra.embedded import EmbeddedError, FolderLock, free_port, servers_dir, write_private
from infra.embedded_postgres import EmbeddedPostgres
from infra.embedded_rabbitmq import EmbeddedRabbitMQ
from infra.embedded_valkey import EmbeddedValkey
from infra.launcher_programs import (
    PROGRAMS,
    Program,
    ProgramsManager,
    end_with_parent,
    run_programs,
    simulated_identities,
    simulated_mail,
    simulated_providers,
)
from infra.migrations import MigrationError, migrate
from infra.running import FILE_NAME, default_data_dir, running_text
from infra.settings import ROOT

READY_SECONDS = 90
"""How long the programs may take until they all answer; generous, for slow machines."""


class LaunchError(Exception):
    """We cannot start; the message is for the person at the terminal."""


class Server(Protocol):
    @property
    def running(self) -> bool: ...


@dataclass(frozen=True)
class Ports:
    web: int
    realtime: int
    simulator: int


@dataclass(frozen=True)
class RunReport:
    """Where everything is; the fields of `run.json`."""

    donate_url: str
    overlay_url: str
    dashboard_url: str
    web_url: str
    realtime_url: str
    simulator_url: str
    login: str
    password: str
    overlay_token: str


def main() -> int:
    """Run until told to stop. Returns 0 after a wished stop, 1 after an error."""
    for which in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(which, _stop_starting)
    if "MAKELEVEL" in os.environ:
        # A make that is killed takes us along, in good order.
        end_with_parent(signal.SIGTERM)
    try:
        return 0 if launch(os.environ, PROGRAMS) else 1
    except (LaunchError, EmbeddedError, MigrationError) as error:
        print(f"\nCannot start: {error}", file=sys.stderr, flush=True)
        return 1


def launch(environ: Mapping[str, str], programs: Sequence[Program]) -> bool:
    """Everything from the ports to the goodbye. True: stopped by a signal. Raises LaunchError etc."""
    ports = read_ports(environ)
    data_dir = default_data_dir(environ)
    with ExitStack() as stack:
        try:
            home = servers_dir(data_dir)
        except OSError as error:
            raise LaunchError(f"DATA_DIR {data_dir} cannot be used: {error}") from None
        lock = FolderLock(data_dir)
        lock.take()
        stack.callback(lock.release)
        report_files = [data_dir / "run.json", *_checkout_report(stack)]
        _say(f"СтримКэш РФ is starting. Data: {data_dir}")

        # From here on signals must not cut the way back short: the servers stop in the end.
        stack.callback(_ignore_signals)
        servers: list[Server] = []
        environment = _environment(environ, ports, data_dir)
        _start_servers(environment, home, servers, stack)
        migrate(environment["DATABASE_URL"])
        demo = _seed_demo(environment, data_dir)
        for server in servers:
            if isinstance(server, EmbeddedRabbitMQ):
                server.wait_until_ready()

        _say("The programs are starting; this takes a few seconds.")
        report = _report(environment, ports, demo)
        follower = _Follower(report, report_files, servers, environment, ports)
        stack.callback(follower.forget)
        stack.callback(_ignore_signals)
        stopped_by_signal = run_programs(
            programs, environment=environment, log_dir=data_dir / "log", on_all_started=follower.follow
        )
        if follower.failure is not None:
            raise LaunchError(follower.failure)
        if stopped_by_signal:
            _say("Stopped. Your data stays.")
        return stopped_by_signal


def _checkout_report(stack: ExitStack) -> list[Path]:
    """`var/run.json` of the checkout, wherever DATA_DIR is, unless another start that is running has it."""
    folder = ROOT / "var"
    try:
        folder.mkdir(exist_ok=True)
        lock = FolderLock(folder, name="run.lock")
        lock.take()
    except (EmbeddedError, OSError):
        return []
    stack.callback(lock.release)
    return [folder / "run.json"]


def read_ports(environ: Mapping[str, str]) -> Ports:
    """The ports, all different and all free. Raises LaunchError naming the port and its variable."""
    host = environ.get("BIND_HOST") or "127.0.0.1"
    defaults = {"WEB_PORT": 8000, "REALTIME_PORT": 8001, "SIMULATOR_PORT": 8010}
    chosen: dict[str, int] = {}
    for variable, default in defaults.items():
        text = environ.get(variable) or str(default)
        if not text.isdecimal() or not 0 < int(text) < 65536:
            raise LaunchError(f"{variable}={text} is not a port: give a number from 1 to 65535.")
        port = int(text)
        for other, taken in chosen.items():
            if taken == port:
                raise LaunchError(f"{variable} and {other} are both {port}: give each a port of its own.")
        if not _can_listen(host, port):
            raise LaunchError(
                f"port {port} ({variable}) is taken by another program. "
                f"Stop that program, or choose another port: {variable}=… make run"
            )
        chosen[variable] = port
    return Ports(chosen["WEB_PORT"], chosen["REALTIME_PORT"], chosen["SIMULATOR_PORT"])


def _can_listen(host: str, port: int) -> bool:
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections that only wait for their end do not count as somebody there.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen()
        except PermissionError:
            raise LaunchError(f"port {port} may only be used by root: choose one above 1023.") from None
        except OSError:
            return False
    return True


def _environment(environ: Mapping[str, str], ports: Ports, data_dir: Path) -> dict[str, str]:
    """What the programs read as Settings. What the user set stays, but this is always development."""
    keys_file = data_dir / "secret-keys"
    if not environ.get("SECRET_KEYS") and not keys_file.exists():
        write_private(keys_file, Fernet.generate_key().decode())
    defaults = {
        "SECRET_KEYS": "" if environ.get("SECRET_KEYS") else keys_file.read_text(encoding="utf-8").strip(),
        "WEB_URL": f"http://127.0.0.1:{ports.web}",
        "REALTIME_URL": f"http://127.0.0.1:{ports.realtime}",
        "PROVIDER_API_URLS": simulated_providers(f"http://127.0.0.1:{ports.simulator}"),
        **simulated_identities(f"http://127.0.0.1:{ports.simulator}"),
    }
    given = {name: value for name, value in environ.items() if value}
    if not environ.get("SMTP_HOST"):
        # Letters end in the simulator's mailbox, which takes them at the port beside its own if that is free.
        host = environ.get("BIND_HOST") or "127.0.0.1"
        beside = ports.simulator + 1
        is_free = beside < 65536 and beside not in (ports.web, ports.realtime) and _can_listen(host, beside)
        mailbox = environ.get("SIMULATOR_SMTP_PORT") or str(beside if is_free else free_port())
        defaults |= simulated_mail("127.0.0.1", mailbox)
    return {
        **defaults,
        **given,
        "ENVIRONMENT": "development",
        "DATA_DIR": str(data_dir),
        "WEB_PORT": str(ports.web),
        "REALTIME_PORT": str(ports.realtime),
        "SIMULATOR_PORT": str(ports.simulator),
        # Their output goes through a pipe, and we want it as it comes.
        "PYTHONUNBUFFERED": "1",
    }


def _start_servers(environment: dict[str, str], home: Path, servers: list[Server], stack: ExitStack) -> None:
    """Start what is not given by a URL, note the URLs, and say what is used."""
    if environment.get("RABBITMQ_URL"):
        _say(f"Broker: RabbitMQ at {_host(environment['RABBITMQ_URL'])} (RABBITMQ_URL).")
    elif shutil.which("rabbitmq-server"):
        _say("Broker: RabbitMQ, a node of our own from the installed rabbitmq-server.")
        rabbitmq = EmbeddedRabbitMQ(home / "rabbitmq")
        stack.callback(rabbitmq.stop)
        # The slowest to start; the others start and the database migrates meanwhile.
        environment["RABBITMQ_URL"] = rabbitmq.start(wait=False)
        servers.append(rabbitmq)
    else:
        # Dramatiq's Redis consumer sleeps up to this long when idle: the donor would wait for it (DESIGN 21).
        environment["dramatiq_worker_timeout"] = "50"
        _say("Broker: Redis (there is no rabbitmq-server); no events exchange, all else works.")

    if environment.get("DATABASE_URL"):
        _say(f"Database: PostgreSQL at {_host(environment['DATABASE_URL'])} (DATABASE_URL).")
    else:
        _say("Database: PostgreSQL, embedded.")
        postgres = EmbeddedPostgres(home / "postgres")
        stack.callback(postgres.stop)
        environment["DATABASE_URL"] = postgres.start()
        servers.append(postgres)

    if environment.get("REDIS_URL"):
        _say(f"Redis: {_host(environment['REDIS_URL'])} (REDIS_URL).")
    else:
        _say("Redis: Valkey, embedded.")
        valkey = EmbeddedValkey(home / "valkey")
        stack.callback(valkey.stop)
        environment["REDIS_URL"] = valkey.start()
        servers.append(valkey)


def _host(url: str) -> str:
    """Host and port for the terminal, never the password."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


def _seed_demo(environment: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    """Create the demo streamer, or find her again. Returns slug, login, password, overlay_token."""
    demo_file = data_dir / "demo.json"
    if not demo_file.exists():
        write_private(demo_file, json.dumps({"password": secrets.token_urlsafe(9)}))
    seed = [sys.executable, "-m", "web.manage", "seed-demo"]
    done = subprocess.run(
        seed,
        cwd=ROOT,
        env=dict(environment),
        input=demo_file.read_text(encoding="utf-8"),
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise LaunchError(f"the demo streamer could not be made:\n{done.stderr.strip()}")
    demo: dict[str, str] = json.loads(done.stdout)
    return demo


def _report(environment: Mapping[str, str], ports: Ports, demo: Mapping[str, str]) -> RunReport:
    web_url = environment["WEB_URL"].rstrip("/")
    return RunReport(
        donate_url=f"{web_url}/donate/{demo['slug']}",
        overlay_url=f"{web_url}/overlay#{demo['overlay_token']}",
        dashboard_url=f"{web_url}/dashboard",
        web_url=web_url,
        realtime_url=environment["REALTIME_URL"].rstrip("/"),
        simulator_url=f"http://127.0.0.1:{ports.simulator}",
        login=demo["login"],
        password=demo["password"],
        overlay_token=demo["overlay_token"],
    )


class _Follower:
    """A thread beside honcho's loop: says where everything is once all programs answer, then keeps
    an eye on the servers. It begins only after the last fork, since threads and forks do not mix."""

    def __init__(
        self,
        report: RunReport,
        files: Sequence[Path],
        servers: Sequence[Server],
        environment: Mapping[str, str],
        ports: Ports,
    ) -> None:
        self.failure: str | None = None
        self._report = report
        text = json.dumps(asdict(report), ensure_ascii=False, indent=2) + "\n"
        self._texts = dict.fromkeys(files, text)
        self._texts |= {file.with_name(FILE_NAME): running_text(environment) for file in files}
        self._files = files
        self._servers = servers
        host = environment.get("BIND_HOST") or "127.0.0.1"
        local = "127.0.0.1" if host == "0.0.0.0" else host
        self._health = {
            "web": f"http://{local}:{ports.web}/health",
            "realtime": f"http://{local}:{ports.realtime}/health",
            "simulator": f"http://{local}:{ports.simulator}/_sim/health",
        }
        # A file left by a start that was killed would send people, and scripts, to the wrong place.
        for file in self._texts:
            file.unlink(missing_ok=True)

    def follow(self, manager: ProgramsManager) -> None:
        threading.Thread(target=self._run, args=(manager,), name="follower", daemon=True).start()

    def forget(self) -> None:
        """Take the files away again, unless another start has written its own by now."""
        for file, text in self._texts.items():
            if file.exists() and file.read_text(encoding="utf-8") == text:
                file.unlink()

    def _run(self, manager: ProgramsManager) -> None:
        deadline = time.monotonic() + READY_SECONDS
        missing = dict(self._health)
        while missing and not manager.stopping:
            missing = {name: url for name, url in missing.items() if not _answers(url)}
            if missing and time.monotonic() > deadline:
                self._give_up(f"{', '.join(missing)} did not answer within {READY_SECONDS} seconds")
                return
            time.sleep(0.1)
        if not manager.stopping:
            self._announce()
        while not manager.stopping:
            if _make_was_interrupted():
                os.kill(os.getpid(), signal.SIGINT)
                return
            if not all(server.running for server in self._servers):
                self._give_up("one of the embedded servers stopped by itself; its log is in its folder")
                return
            time.sleep(1)

    def _announce(self) -> None:
        for file, text in self._texts.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_private(file, text)
        report = self._report
        lines = [
            "",
            "  СтримКэш РФ is running.",
            "",
            f"  Donation page   {report.donate_url}",
            f"  Overlay         {report.overlay_url}",
            "                  (paste it into OBS as a Browser source, 1920 × 1080)",
            f"  Dashboard       {report.dashboard_url}",
            f"                  login {report.login}, password {report.password}",
            f"  The bank        {report.simulator_url}  (a simulator: no real money)",
            f"  The mailbox     {report.simulator_url}/mailbox",
            "  An operator     .venv/bin/python -m web.manage create-superuser --email you@example.com",
            "",
            f"  The same in {self._files[-1]}. Ctrl-C stops everything.",
            "",
        ]
        _say("\n".join(lines))

    def _give_up(self, why: str) -> None:
        self.failure = why
        os.kill(os.getpid(), signal.SIGTERM)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=3) as response:
            status: int = response.status
            return status == 200
    except (urllib.error.URLError, OSError):
        return False


def _say(text: str) -> None:
    print(text, flush=True)


def _make_was_interrupted() -> bool:
    """Did somebody interrupt `make run` by its process number?

    Unlike Ctrl-C, which reaches everyone at the terminal, that signal stays with make, which then only
    waits for us, with SIGINT blocked. Linux shows it.
    """
    if "MAKELEVEL" not in os.environ:
        return False
    try:
        status = Path(f"/proc/{os.getppid()}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    blocked = next((line.split()[1] for line in status.splitlines() if line.startswith("SigBlk:")), "0")
    return bool(int(blocked, 16) & 1 << (signal.SIGINT - 1))


def _stop_starting(_signum: int, _frame: FrameType | None) -> None:
    """A signal before the programs run: leave through every `finally`. No error, nothing to say."""
    raise SystemExit(0)


def _ignore_signals() -> None:
    """While stopping, a second Ctrl-C must not leave a server behind. Each step has its own limit."""
    for which in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(which, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
