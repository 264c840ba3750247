"""How `make run` keeps programs: small real ones, which stop, fail, hang, or are told twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from infra.settings import ROOT

# Runs the programs given as `name=code`, with what `make run` uses, and says when all have started.
RUNNER = """
import os, sys
from pathlib import Path
from infra.launcher_programs import Program, run_programs
programs = []
for argument in sys.argv[2:]:
    name, _, code = argument.partition("=")
    programs.append(Program(name, ("-c", code)))
wished = run_programs(
    programs,
    environment=dict(os.environ, PYTHONUNBUFFERED="1"),
    log_dir=Path(sys.argv[1]),
    on_all_started=lambda manager: print("all started", flush=True),
)
sys.exit(0 if wished else 1)
"""

PATIENT = """
import signal, sys, time
def stop(signum, frame):
    print("WARNING stopping once", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: print("WARNING told twice", flush=True))
    time.sleep(0.5)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("INFO ready", flush=True)
while True: time.sleep(1)
"""

STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("INFO ready", flush=True)
while True: time.sleep(1)
"""

FAILING = """
import sys
print("INFO the reason is here", flush=True)
sys.exit(3)
"""


class Runner:
    def __init__(self, log_dir: Path, **programs: str) -> None:
        self.log_dir = log_dir
        arguments = [f"{name}={code}" for name, code in programs.items()]
        self.popen = subprocess.Popen(
            [sys.executable, "-c", RUNNER, log_dir, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def wait_for_log(self, name: str, text: str) -> None:
        deadline = time.monotonic() + 60
        log = self.log_dir / f"{name}.log"
        while not log.exists() or text not in log.read_text():
            assert time.monotonic() < deadline, f"{name} never wrote {text!r}"
            time.sleep(0.02)

    def finish(self, which: signal.Signals | None = None) -> tuple[int, str]:
        """Exit status and output, after a signal if one is named."""
        if which is not None:
            self.popen.send_signal(which)
        output, _ = self.popen.communicate(timeout=60)
        return self.popen.returncode, output


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_program_once_and_is_no_failure(tmp_path: Path, which: signal.Signals) -> None:
    runner = Runner(tmp_path, one=PATIENT, two=PATIENT)
    runner.wait_for_log("one", "ready")
    runner.wait_for_log("two", "ready")
    status, output = runner.finish(which)
    assert status == 0, output
    assert "all started" in output
    for name in ("one", "two"):
        log = (tmp_path / f"{name}.log").read_text()
        assert "stopping once" in log
        assert "told twice" not in log


def test_a_program_that_fails_stops_the_rest_and_shows_why(tmp_path: Path) -> None:
    status, output = Runner(tmp_path, one=PATIENT, two=FAILING).finish()
    assert status == 1
    assert "two stopped by itself (exit status 3)" in output
    assert "the reason is here" in output, "also what is usually too unimportant to show"


def test_a_program_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    runner = Runner(tmp_path, one=STUBBORN)
    runner.wait_for_log("one", "ready")
    status, output = runner.finish(signal.SIGTERM)
    assert status == 0, output


def test_the_terminal_stays_quiet_and_the_log_has_everything(tmp_path: Path) -> None:
    chatty = "print('INFO small talk'); print('WARNING listen'); print('  more of it');" + PATIENT
    runner = Runner(tmp_path, one=chatty)
    runner.wait_for_log("one", "ready")
    _, output = runner.finish(signal.SIGTERM)
    assert "small talk" not in output
    assert "WARNING listen" in output
    assert "more of it" in output, "a line without a level belongs to the one before"
    assert "small talk" in (tmp_path / "one.log").read_text()
    assert (tmp_path / "one.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a program with its parent")
def test_programs_end_with_a_killed_launcher(tmp_path: Path) -> None:
    runner = Runner(tmp_path, one=PATIENT, two=PATIENT)
    runner.wait_for_log("one", "ready")
    runner.wait_for_log("two", "ready")
    family = psutil.Process(runner.popen.pid).children(recursive=True)
    assert len(family) >= 4, "a helper of honcho's and a program, twice"
    os.kill(runner.popen.pid, signal.SIGKILL)
    runner.finish()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
