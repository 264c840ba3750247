"""`make chaos`: thousands of payments while everything is killed; then every promise is looked at (docs/chaos.md).

    python -m tests.chaos [--seed N] [--payments N] [--kills N] [--per-second N]

Servers, programs and the simulated banks are its own and end with it. Exit status 0: every promise was kept.
"""

import argparse
import asyncio
import logging
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.house import ENVIRONMENT
from tests.chaos.plan import make_plan
from tests.chaos.run import DONORS_PER_SECOND, run
from tests.support.leftovers import leftover_processes, mark_this_run
from tests.support.programs import Stack
from tests.support.servers import TEMPLATE, Servers


def main(arguments: Sequence[str] | None = None) -> int:
    wish = _parser().parse_args(arguments)
    mark_this_run()
    # Told to stop, it still stops what it started.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    # It complains each time a connection of ours is killed.
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)
    plan = make_plan(wish.seed, payments=wish.payments, kills=wish.kills)
    began_at = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began_at:6.1f} s  {what}", flush=True)

    servers = Servers(fsync=True)
    try:
        say("PostgreSQL, Valkey, RabbitMQ")
        rabbitmq_url, redis_url = servers.rabbitmq.url(), servers.valkey.url()
        database_url = asyncio.run(servers.postgres.create_database("chaos", template=TEMPLATE))
        stack = Stack(
            servers.folder, database_url=database_url, redis_url=redis_url, rabbitmq_url=rabbitmq_url, extra=ENVIRONMENT
        )
        report = run(plan, servers, stack, servers.folder, say, per_second=wish.per_second)
    finally:
        if wish.logs is not None:
            shutil.copytree(servers.folder, wish.logs, dirs_exist_ok=True, ignore=_only_logs)
        servers.stop()
    print(f"\n{report.text()}")
    print(f'\nThe same again: make chaos ARGS="--seed {wish.seed} --payments {wish.payments} --kills {wish.kills}"')
    left = leftover_processes()
    for process in left:
        process.kill()
    return 1 if report.problems or left else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kill everything, lose nothing.")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(10**6), metavar="N", help="default: another each time"
    )
    parser.add_argument("--payments", type=int, default=2000, metavar="N", help="donations (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="and restarts (default: %(default)s)")
    parser.add_argument(
        "--per-second", type=float, default=DONORS_PER_SECOND, metavar="N", help="donors (default: %(default)s)"
    )
    parser.add_argument(
        "--logs", type=Path, metavar="FOLDER", help="where to put the programs' logs and the bank's file"
    )
    return parser


def _only_logs(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not name.endswith((".log", ".sqlite3"))}


if __name__ == "__main__":
    sys.exit(main())
