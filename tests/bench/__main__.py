"""`make bench`: the numbers of docs/bench.md, measured on this machine with servers of its own.

    python -m tests.bench [--json FILE] [--seconds N] [--overlays N] [--burst N]

Nothing here passes or fails by its figures; a donation that is lost is an error. Everything it starts, it ends.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from simulator.percentiles import percentile
from tests.bench.cpu import cpu_seconds
from tests.bench.donations import Audience, Prepared, audience, count_lost, measure_burst, measure_latency, prepare
from tests.bench.figures import Figure, as_json, percentiles, table
from tests.bench.floor import Floor, open_floor
from tests.bench.house import ENVIRONMENT, House, open_house
from tests.bench.overlays import measure_overlays
from tests.bench.page import weigh_page
from tests.support.leftovers import leftover_processes, mark_this_run
from tests.support.programs import Stack
from tests.support.servers import TEMPLATE, Servers

PER_SECOND = 20.0
STREAMERS = 100
"""Enough for each alert to be over before its streamer's next."""
ROUNDS = 3
"""The floor and the system take turns, so that whatever else the machine does hits both."""
WARM_UP_SECONDS = 3


@dataclass(frozen=True)
class Size:
    seconds: int
    overlays: int
    burst: int


async def measure(stack: Stack, size: Size) -> list[Figure]:
    """All figures, in the order of the table."""
    figures: list[Figure] = []
    async with open_house(stack) as house:
        _say(f"{STREAMERS + size.overlays} streamers")
        streamers = await house.add_streamers(STREAMERS, at_the_bank=True)
        crowd = await house.add_streamers(size.overlays, at_the_bank=False)

        _say(f"{size.overlays} overlays connect")
        costs = await measure_overlays(house, crowd)

        paced_count = round(size.seconds * PER_SECOND)
        warm_up_count = round(WARM_UP_SECONDS * PER_SECOND)
        count = warm_up_count + paced_count + size.burst
        _say(f"{count} donations through the form and the bank")
        began_at = time.perf_counter()
        donations = await prepare(house, streamers, count)
        prepared_per_second = count / (time.perf_counter() - began_at)

        async with audience(house, streamers) as watching, open_floor(stack) as floor:
            _say(f"{PER_SECOND:.0f} notifications a second for {size.seconds} s, and the floor as long")
            await _take_turns(house, watching, floor, donations[:warm_up_count], rounds=1)
            paced = donations[warm_up_count : warm_up_count + paced_count]
            ours, bare = await _take_turns(house, watching, floor, paced, rounds=ROUNDS)

            _say(f"{size.burst} notifications as fast as they are taken")
            used_before = cpu_seconds(stack)
            burst_per_second = await measure_burst(house, watching, donations[warm_up_count + paced_count :])
            used = {name: seconds - used_before[name] for name, seconds in cpu_seconds(stack).items()}
            lost = await count_lost(house, donations)
            repeats = watching.repeats

        weight = await weigh_page(f"{stack.web_url}/donate/{streamers[0].built.slug}")

    figures += percentiles("notification → alert, 20/s", ours, {50: "≤ 10", 99: "≤ 50"})
    figures += percentiles("the floor, 20/s", bare)
    ratios = {percent: percentile(ours, percent) / percentile(bare, percent) for percent in (50, 99)}
    figures += [Figure(f"notification → alert ÷ floor, p{n}", ratio, "×", "≤ 3") for n, ratio in ratios.items()]
    figures += [
        Figure("paid donations, all the way, in a burst", burst_per_second, "per second", "≥ 200"),
        *(Figure(f"processor time a donation, {name}", used[name] / size.burst * 1000, "ms") for name in used),
        Figure("donations lost", lost, "", "0"),
        Figure("alerts offered twice", repeats, "", "0"),
        Figure("donations from form to pay link, 16 donors", prepared_per_second, "per second"),
        Figure(f"memory per overlay, of {size.overlays}", costs.bytes_each / 1024, "KB"),
        Figure("overlays connecting", costs.connects_per_second, "per second"),
        Figure("donation page, HTML", weight.html, "bytes"),
        Figure("donation page, CSS", weight.css, "bytes"),
        Figure("donation page, HTML + CSS", weight.html + weight.css, "bytes", "≤ 14 336"),
    ]
    return figures


async def _take_turns(
    house: House, watching: Audience, floor: Floor, donations: Sequence[Prepared], *, rounds: int
) -> tuple[list[float], list[float]]:
    """Latencies of the system and of the floor, as many of each."""
    ours: list[float] = []
    bare: list[float] = []
    share = -(-len(donations) // rounds)
    for first in range(0, len(donations), share):
        some = donations[first : first + share]
        bare += await floor.measure(len(some), per_second=PER_SECOND)
        ours += await measure_latency(house, watching, some, per_second=PER_SECOND)
    return ours, bare


def run(size: Size) -> list[Figure]:
    """Servers as in production (PostgreSQL waits for the disk), all programs, the figures; then everything stops."""
    servers = Servers(fsync=True)
    try:
        _say("PostgreSQL, Valkey, RabbitMQ")
        rabbitmq_url = servers.rabbitmq.url()
        redis_url = servers.valkey.url()
        database_url = asyncio.run(servers.postgres.create_database("bench", template=TEMPLATE))
        stack = Stack(
            servers.folder, database_url=database_url, redis_url=redis_url, rabbitmq_url=rabbitmq_url, extra=ENVIRONMENT
        )
        try:
            return uvloop.run(measure(stack, size))
        finally:
            stack.stop()
    finally:
        servers.stop()


def _say(what: str) -> None:
    print(f"· {what}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure the numbers of docs/bench.md.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file, too")
    parser.add_argument("--seconds", type=int, default=30, metavar="N", help="at 20/s (default: %(default)s)")
    parser.add_argument("--overlays", type=int, default=1000, metavar="N", help="default: %(default)s")
    parser.add_argument("--burst", type=int, default=600, metavar="N", help="donations (default: %(default)s)")
    return parser


def main() -> int:
    arguments = _parser().parse_args()
    mark_this_run()
    # Told to stop, it still stops what it started.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    figures = run(Size(arguments.seconds, arguments.overlays, arguments.burst))
    print(f"\n{table(figures)}")
    if arguments.json:
        arguments.json.write_text(as_json(figures, broker="RabbitMQ") + "\n", encoding="utf-8")
    left = leftover_processes()
    for process in left:
        process.kill()
    lost = next(figure.value for figure in figures if figure.name == "donations lost")
    return 1 if left or lost else 0


if __name__ == "__main__":
    sys.exit(main())
