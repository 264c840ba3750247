"""The programs that `make run` keeps alive, under honcho, and what of their output is shown."""

import ctypes
import json
import multiprocessing
import os
import re
import shlex
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Printer

from infra.embedded import die_with_parent
from infra.settings import ROOT

STOP_SECONDS = 7
"""How long programs may take to stop before they are killed."""


@dataclass(frozen=True)
class Program:
    """A program of ours: `python` with these arguments, run in the checkout."""

    name: str
    arguments: tuple[str, ...]


def worker(name: str, *queues: str) -> Program:
    """One Dramatiq worker process for these queues.

    What calls strangers never shares a process with what does not (DESIGN 10). Work still running
    after four seconds of a stop is given back to the broker. Logging is our own, set up by `tasks.main`.
    """
    options = ("--processes", "1", "--threads", "8", "--skip-logging", "--worker-shutdown-timeout", "4000")
    return Program(name, ("-m", "dramatiq", "tasks.main", *options, "--queues", *queues))


PROGRAMS = (
    Program("simulator", ("-m", "simulator")),
    Program("web", ("-m", "web")),
    Program("realtime", ("-m", "realtime")),
    Program("relay", ("-m", "tasks.relay")),
    worker("worker", "alerts", "stats"),
    worker("payments", "payments", "mail", "webhooks"),
    worker("checks", "payment-checks"),
    worker("exports", "exports", "media"),
)


def simulated_providers(simulator_url: str) -> str:
    """PROVIDER_API_URLS for programs whose providers are the simulator."""
    return json.dumps({"tbank": f"{simulator_url}/v2", "yookassa": f"{simulator_url}/yookassa/v3"})


def simulated_identities(simulator_url: str) -> dict[str, str]:
    """The settings with which the simulator also signs people in: every site it plays, switched on."""
    names = ("yandex", "vk", "twitch", "youtube")
    return {
        "IDENTITY_CLIENTS": json.dumps({name: {"client_id": f"streamcash-{name}"} for name in names}),
        "IDENTITY_URLS": json.dumps({name: f"{simulator_url}/identity/{name}" for name in names}),
    }


def simulated_mail(host: str, port: str) -> dict[str, str]:
    """The settings of programs whose letters end in the simulator's mailbox."""
    return {"SIMULATOR_SMTP_PORT": port, "SMTP_HOST": host, "SMTP_PORT": port, "SMTP_SECURITY": "none"}


class ProgramsManager(Manager):  # type: ignore[misc]
    """honcho's manager, with two differences in how it stops programs.

    The first signal goes to the program alone, not to its whole group: a Dramatiq worker told twice,
    by us and by its own parent, drops its work at once. And a limit holds even if no program stops.
    """

    def __init__(self, printer: Printer) -> None:
        super().__init__(printer)
        self._procmgr = _GentleProcesses()
        self.stopping = False

    def terminate(self) -> None:
        if not self.stopping:
            self.stopping = True
            self._printer.expect_stops()
            limit = threading.Timer(STOP_SECONDS, self.kill)
            limit.daemon = True
            limit.start()
        super().terminate()


class _GentleProcesses:
    def terminate(self, pid: int) -> None:
        self._signal(os.kill, pid, signal.SIGTERM)

    def kill(self, pid: int) -> None:
        self._signal(os.killpg, pid, signal.SIGKILL)

    def _signal(self, send: Callable[[int, int], None], pid: int, which: signal.Signals) -> None:
        try:
            send(pid, which)
        except (ProcessLookupError, PermissionError):
            pass


class QuietPrinter(Printer):  # type: ignore[misc]
    """Shows warnings and worse on the terminal in honcho's style; writes everything to log files.

    `on_all_started` is called once, when every program has a process.
    """

    def __init__(self, log_dir: Path, programs: Sequence[Program], on_all_started: Callable[[], None]) -> None:
        super().__init__(sys.stdout)
        self._logs = {program.name: _open_log(log_dir / f"{program.name}.log") for program in programs}
        self._shown = {program.name: True for program in programs}
        self._tails: dict[str, deque[Any]] = {program.name: deque(maxlen=20) for program in programs}
        self._waiting_for = {program.name for program in programs}
        self._on_all_started = on_all_started
        self._stops_expected = False

    def expect_stops(self) -> None:
        self._stops_expected = True

    def write(self, message: Any) -> None:
        if message.name == SYSTEM_PRINTER_NAME:
            self._system(message)
            return
        text = message.data.decode("utf-8", "replace") if isinstance(message.data, bytes) else message.data
        log = self._logs[message.name]
        log.write(text)
        log.flush()
        self._tails[message.name].append(message)
        # A line without a level, such as one of a traceback, goes where the line before it went.
        level = _LEVEL.search(text[:160])
        if level is not None:
            self._shown[message.name] = level[1] not in ("DEBUG", "INFO")
        if self._shown[message.name] and not self._stops_expected:
            super().write(message)

    def _system(self, message: Any) -> None:
        started = _STARTED.match(message.data)
        if started is not None:
            self._waiting_for.discard(started[1])
            if not self._waiting_for:
                self._on_all_started()
        stopped = _STOPPED.match(message.data)
        if stopped is not None and not self._stops_expected:
            self._stops_expected = True
            print(f"\n{stopped[1]} stopped by itself (exit status {stopped[2]}). Its last lines:\n", flush=True)
            for line in self._tails[stopped[1]]:
                super().write(line)


_LEVEL = re.compile(r"\b(DEBUG|INFO|WARNING|ERROR|CRITICAL)\b")
_STARTED = re.compile(r"(\S+) started \(pid=")
_STOPPED = re.compile(r"(\S+) stopped \(rc=(-?\d+)\)")


def run_programs(
    programs: Sequence[Program],
    *,
    environment: Mapping[str, str],
    log_dir: Path,
    on_all_started: Callable[["ProgramsManager"], None],
) -> bool:
    """Run them until a signal comes (True) or one of them stops by itself (False).

    Must be called from the main thread, before any other thread runs: programs are started by fork.
    """
    if sys.platform == "linux":
        multiprocessing.set_start_method("fork", force=True)
        # honcho's helper processes ignore signals; they and the programs would outlive a killed launcher.
        os.register_at_fork(after_in_child=lambda: end_with_parent(signal.SIGKILL))
    log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    printer = QuietPrinter(log_dir, programs, lambda: on_all_started(manager))
    manager = ProgramsManager(printer)
    for program in programs:
        prefix = die_with_parent(signal.SIGTERM)
        command = shlex.join([*prefix, sys.executable, *program.arguments])
        # `exec`: no shell may stand between honcho and the program's signals.
        manager.add_process(program.name, f"exec {command}", env=dict(environment), cwd=str(ROOT))
    signal.signal(signal.SIGHUP, lambda _signal, _frame: os.kill(os.getpid(), signal.SIGTERM))
    manager.loop()
    # 128 + the signal's number: what honcho notes when one reached us.
    return manager.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)


def _open_log(path: Path) -> IO[str]:
    """A new log for this start; the one before is kept as `.1`."""
    if path.exists():
        path.replace(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8")


def end_with_parent(death_signal: signal.Signals) -> None:
    """Have the kernel send this process a signal when its parent dies. Linux only; elsewhere nothing."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, death_signal, 0, 0, 0)
