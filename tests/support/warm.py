"""Programs that start warm: forked from a process that has imported what they need.

Python needs most of a second of a core to import one of our programs, and the tests start a good thousand of them.
`WarmStarter` keeps a process that imported their modules once; from it a program begins, in a session and with an
environment of its own, exactly where `python -m program` begins. The launcher's tests, those of the command line and
of how programs refuse wrong settings start them cold.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.launcher_programs import end_with_parent
from infra.settings import ROOT

MODULES = ("web.app", "web.manage", "realtime.app", "simulator.app", "tasks.relay", "dramatiq.cli")
"""What is imported beforehand, each with all that it imports. None of them reads the environment or starts a thread."""
TASKS = "tasks"
LONGEST_REQUEST = 64 * 1024
IS_POSSIBLE = sys.platform == "linux"


class WarmProcess:
    """A program that was started warm, with what `ProgramProcess` needs of `subprocess.Popen`."""

    def __init__(self, starter: "WarmStarter", pid: int) -> None:
        self.pid = pid
        self._starter = starter

    def poll(self) -> int | None:
        return self._starter.status_of(self.pid)

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (status := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            time.sleep(0.005)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            # It may have ended since.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


class WarmStarter:
    """The process that programs are forked from. It starts when it is first asked for, and ends with us."""

    def __init__(self, prefix: Sequence[str]) -> None:
        self._prefix = prefix
        self._lock = threading.Lock()
        self._running: dict[int, str] = {}
        self._statuses: dict[int, int] = {}
        self._popen: subprocess.Popen[bytes] | None = None
        self._socket, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def start(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        output: Path,
        errors: Path | None = None,
        given: Path | None = None,
    ) -> WarmProcess:
        """`python -m module arguments…`. What it prints is added to the files `output` and `errors`, or all to
        `output`; `given` is what it reads."""
        request = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "given": os.devnull if given is None else str(given),
            "output": str(output),
            "errors": str(errors or output),
        }
        # Whoever waits for a word in it looks for it at once.
        output.touch()
        with self._lock:
            if self._popen is None:
                self._popen = self._open()
            self._socket.send(json.dumps(request).encode())
            while True:
                answer = self._read()
                if "pid" in answer:
                    pid: int = answer["pid"]
                    # Of a former process with this number.
                    self._statuses.pop(pid, None)
                    self._running[pid] = " ".join(arguments)
                    return WarmProcess(self, pid)
                self._note(answer)

    def status_of(self, pid: int) -> int | None:
        """The exit status of one that has ended, as in `Popen.returncode`."""
        with self._lock:
            self._look()
            return self._statuses.get(pid)

    def stop(self) -> list[str]:
        """End it, and with it every program that still runs; returns which ones did."""
        with self._lock:
            self._look()
        self._socket.close()
        self._theirs.close()
        if self._popen is not None:
            self._popen.wait()
        return [f"{pid}: {name}" for pid, name in self._running.items()]

    def _open(self) -> "subprocess.Popen[bytes]":
        with self._theirs as theirs:
            return subprocess.Popen(
                [*self._prefix, sys.executable, "-m", __name__, str(theirs.fileno())],
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def _look(self) -> None:
        """Who has ended since the last look."""
        self._socket.setblocking(False)
        try:
            with contextlib.suppress(BlockingIOError):
                while True:
                    self._note(self._read())
        finally:
            self._socket.setblocking(True)

    def _note(self, answer: dict[str, int]) -> None:
        self._statuses[answer["ended"]] = answer["status"]
        self._running.pop(answer["ended"], None)

    def _read(self) -> dict[str, int]:
        received = self._socket.recv(LONGEST_REQUEST)
        assert received, "the process that starts programs has ended"
        answer: dict[str, int] = json.loads(received)
        return answer


# The other side.


def _import_everything() -> None:
    for name in MODULES:
        importlib.import_module(name)
    # `tasks.main` itself reads the settings; what it declares are plain functions.
    for path in sorted((ROOT / TASKS).glob("*.py")):
        if path.stem not in ("main", "__main__"):
            importlib.import_module(f"{TASKS}.{path.stem}")
    # What is there now is shared with the programs: the collector shall not touch, and so copy, its pages.
    gc.collect()
    gc.freeze()


def _serve(connection: socket.socket) -> dict[str, Any] | None:
    """Fork for each request, tell who has ended. Returns in the child with its request, in the parent when its
    owner is gone."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not connection:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    _, status = os.waitpid(key.data, 0)
                    ended = {"ended": key.data, "status": os.waitstatus_to_exitcode(status)}
                    with contextlib.suppress(OSError):
                        connection.send(json.dumps(ended).encode())
                    continue
                received = connection.recv(LONGEST_REQUEST)
                if not received:
                    return None
                parent = os.getpid()
                pid = os.fork()
                if pid == 0:
                    end_with_parent(signal.SIGKILL)
                    if os.getppid() != parent:
                        os._exit(1)
                    request: dict[str, Any] = json.loads(received)
                    return request
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
                connection.send(json.dumps({"pid": pid}).encode())


def _become(request: dict[str, Any]) -> None:
    """A process as `subprocess.Popen` would have made it."""
    os.setsid()
    os.closerange(3, 4096)
    for descriptor, name in enumerate(("given", "output", "errors")):
        flags = os.O_RDONLY if name == "given" else os.O_WRONLY | os.O_APPEND | os.O_CREAT
        opened = os.open(request[name], flags, 0o644)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()


def main() -> None:
    connection = socket.socket(fileno=int(sys.argv[1]))
    _import_everything()
    request = _serve(connection)
    if request is None:
        return
    # Its descriptor is closed with all others.
    connection.detach()
    _become(request)
    module, *arguments = request["arguments"]
    sys.argv = [module, *arguments]
    if not hasattr(sys.modules.get(module), "__path__"):
        # It is run anew, as `__main__`.
        sys.modules.pop(module, None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
