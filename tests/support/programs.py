"""Programs of ours as real processes: started, watched, stopped and killed by tests."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography.fernet import Fernet

from infra.embedded import die_with_parent, free_port
from infra.launcher_programs import PROGRAMS, simulated_identities, simulated_mail, simulated_providers
from infra.settings import ROOT
from tests.support.leftovers import MARK
from tests.support.warm import IS_POSSIBLE, WarmProcess, WarmStarter

KEPT_VARIABLES = ("PATH", "HOME", "TMPDIR", "TZ", MARK)
"""What programs get of our own environment; the rest must not bend them."""


_warm: WarmStarter | None = None


def start_warm() -> None:
    """From now on our programs are forked from a process that has imported them (tests/support/warm.py)."""
    global _warm
    if IS_POSSIBLE:
        _warm = WarmStarter(die_with_parent(signal.SIGKILL))


def end_warm() -> list[str]:
    """Returns which programs were still running, and ends them."""
    global _warm
    left = [] if _warm is None else _warm.stop()
    _warm = None
    return left


def _kept_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}


class ProgramProcess:
    """A Python program, run as `make run` runs it, with its output kept in a file.

        with ProgramProcess("web", ["-m", "web"], environment, log_dir=tmp_path, ready_url=url) as web:
            ...
            web.kill()      # SIGKILL, for it and its children
            web.start()     # once more

    Ready means that `ready_url` answers 200 or, without one, that `ready_text` was printed.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        log_dir: Path,
        ready_url: str | None = None,
        ready_text: str | None = None,
    ) -> None:
        self.name = name
        self._arguments = list(arguments)
        self._environment = dict(environment)
        self._log_path = log_dir / f"{name}.log"
        self._ready_url = ready_url
        self._ready_text = ready_text
        self._read_from = 0
        self._popen: subprocess.Popen[bytes] | WarmProcess | None = None

    def start(self, *, wait: bool = True) -> Self:
        """Start it (again) and wait until it is ready. Fails the test, with the log, if it dies."""
        assert not self.running, f"{self.name} is running already"
        self._read_from = self._log_path.stat().st_size if self._log_path.exists() else 0
        environment = {**_kept_environment(), "PYTHONUNBUFFERED": "1", **self._environment}
        if _warm is not None and self._arguments[0] == "-m":
            self._popen = _warm.start(self._arguments[1:], environment, output=self._log_path)
        else:
            self._popen = self._start_cold(environment)
        if wait:
            self.wait_until_ready()
        return self

    def _start_cold(self, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        with self._log_path.open("ab") as log:
            return subprocess.Popen(
                [*die_with_parent(signal.SIGKILL), sys.executable, *self._arguments],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    @property
    def pid(self) -> int:
        assert self._popen is not None, f"{self.name} was never started"
        return self._popen.pid

    @property
    def log(self) -> str:
        """Everything it printed since its first start."""
        return self._log_path.read_text(encoding="utf-8", errors="replace") if self._log_path.exists() else ""

    def wait_until_ready(self, *, timeout_seconds: float = 60) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not self._ready():
            assert self.running, f"{self.name} stopped while starting:\n{self.log}"
            assert time.monotonic() < deadline, f"{self.name} is not ready:\n{self.log}"
            time.sleep(0.03)

    def terminate(self, *, timeout_seconds: float = 40) -> int:
        """SIGTERM to the program alone, as the process manager does; returns its exit status.

        Fails the test if it does not stop in time. Afterwards nothing of it is left.
        """
        assert self._popen is not None, f"{self.name} was never started"
        self._popen.send_signal(signal.SIGTERM)
        try:
            return self._popen.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not stop at SIGTERM:\n{self.log}") from None
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL to the program and its children. Harmless when it is not running."""
        if self._popen is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        # One that was started a moment ago leads no group yet.
        self._popen.send_signal(signal.SIGKILL)
        self._popen.wait()

    def suspend(self) -> None:
        """SIGSTOP: it is there and does not answer."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _ready(self) -> bool:
        if self._ready_url is not None:
            try:
                with urllib.request.urlopen(self._ready_url, timeout=2) as response:
                    return bool(response.status == 200)
            except (urllib.error.URLError, OSError):
                return False
        if self._ready_text is not None:
            with self._log_path.open("rb") as log:
                log.seek(self._read_from)
                return self._ready_text.encode() in log.read()
        return True


class Stack:
    """All the programs of `make run`, on free ports, for end-to-end tests.

        stack = Stack(tmp_path, database_url=…, redis_url=…, rabbitmq_url=…)
        stack.start("simulator", "web", "realtime", "relay", "worker", "payments", "checks")
        stack["worker"].kill()
        stack.stop()

    Pass `rabbitmq_url=None` for the Redis broker. `extra` adds or overrides environment variables.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str,
        redis_url: str,
        rabbitmq_url: str | None,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        web, realtime, simulator = free_port(), free_port(), free_port()
        self.web_url = f"http://127.0.0.1:{web}"
        self.realtime_url = f"http://127.0.0.1:{realtime}"
        self.simulator_url = f"http://127.0.0.1:{simulator}"
        self.environment = {
            "ENVIRONMENT": "development",
            "DATA_DIR": str(folder),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SECRET_KEYS": Fernet.generate_key().decode(),
            "WEB_URL": self.web_url,
            "REALTIME_URL": self.realtime_url,
            "WEB_PORT": str(web),
            "REALTIME_PORT": str(realtime),
            "SIMULATOR_PORT": str(simulator),
            **simulated_mail("127.0.0.1", str(free_port())),
            "PROVIDER_API_URLS": simulated_providers(self.simulator_url),
            **simulated_identities(self.simulator_url),
            **({"RABBITMQ_URL": rabbitmq_url} if rabbitmq_url else {}),
            **(extra or {}),
        }
        ready = {
            "web": f"{self.web_url}/health",
            "realtime": f"{self.realtime_url}/health",
            "simulator": f"{self.simulator_url}/_sim/health",
        }
        self._programs = {
            program.name: ProgramProcess(
                program.name,
                program.arguments,
                self.environment,
                log_dir=folder,
                ready_url=ready.get(program.name),
            )
            for program in PROGRAMS
        }

    def __getitem__(self, name: str) -> ProgramProcess:
        return self._programs[name]

    def start(self, *names: str) -> None:
        """Start these programs, by default all, at once, and wait until they answer."""
        chosen = [self._programs[name] for name in names or self._programs]
        for program in chosen:
            program.start(wait=False)
        for program in chosen:
            program.wait_until_ready()

    def stop(self) -> None:
        """End them all. Quick and without ceremony: how programs stop has tests of its own."""
        for program in self._programs.values():
            program.kill()

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run `python -m web.manage …` in this environment; returns its standard output."""
        environment = {**_kept_environment(), **self.environment}
        if _warm is None:
            done = subprocess.run(
                [sys.executable, "-m", "web.manage", *arguments],
                cwd=ROOT,
                env=environment,
                input=stdin,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, f"{done.stdout}{done.stderr}"
            return done.stdout
        with tempfile.TemporaryDirectory() as folder:
            given, output, errors = (Path(folder) / name for name in ("given", "output", "errors"))
            given.write_text(stdin, encoding="utf-8")
            process = _warm.start(["web.manage", *arguments], environment, given=given, output=output, errors=errors)
            status = process.wait()
            said = output.read_text(encoding="utf-8")
            assert status == 0, f"{said}{errors.read_text(encoding='utf-8')}"
            return said
