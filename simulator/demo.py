"""Donations from beginning to end, as people would make them, against a running system (`make run`).

    python -m simulator.demo --donations 20 [--every SECONDS] [--amount RUBLES] [--run FILE]

Each goes through the public form and the simulated bank's page. An overlay of the demo's own watches the stream; it
plays the alerts itself only if no other overlay does (simulator/screen.py). Printed for each donation: from the press
of "pay" to the alert's arrival in the overlay's socket, and to the overlay's word that it could be read.

Exit status: 0 all were shown, 1 some were not, 2 the demo could not begin.
"""

import argparse
import asyncio
import itertools
import json
import os
import secrets
import sys
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from infra.settings import ROOT
from simulator.donor import Donor, DonorError
from simulator.overlay import OverlayRefusedError
from simulator.percentiles import percentile
from simulator.screen import Screen

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""A donation is given up when nothing at all has happened on screen for so long."""
LOOK_SECONDS = 0.5
WELCOME_SECONDS = 20.0
RETURN_SECONDS = 10.0
"""An alert that was offered later than this waited for something."""

AMOUNTS = ("150", "300", "1000", "300", "5000")
NAMES = ("Аня", "Кот учёный", "", "StreamFan_77", "Дмитрий из Омска", "🦊 Лиса")
MESSAGES = (
    "Привет! Смотрю тебя каждый вечер",
    "На новый микрофон 🎤",
    "Это было красиво",
    "Передай привет Серёже, у него сегодня день рождения!",
    "GG!",
)


@dataclass(frozen=True)
class RunFile:
    """Where everything is, from `run.json`."""

    donate_url: str
    realtime_url: str
    overlay_token: str


@dataclass(frozen=True)
class Told:
    """What became of one donation; seconds. `problem` is empty when it was shown."""

    number: int
    amount: str
    link_seconds: float = 0.0
    offer_seconds: float = 0.0
    confirmed_seconds: float = 0.0
    is_ours: bool = True
    problem: str = ""


class Demo:
    def __init__(self, run: RunFile, http: httpx.AsyncClient) -> None:
        self._donor = Donor(http, run.donate_url)
        self.screen = Screen(run.realtime_url, run.overlay_token)
        # Messages are how the alerts are told apart, also from those of an earlier demo.
        self._mark = secrets.token_hex(2)

    async def donate(self, number: int, amount: str) -> Told:
        """One donation from the empty form until its alert was shown, or until there is no hope left."""
        message = f"{MESSAGES[number % len(MESSAGES)]} (demo {self._mark}-{number})"
        name = NAMES[number % len(NAMES)]
        stage = "the form"
        try:
            started_at = time.perf_counter()
            page = await self._hopeful(self._donor.wish(amount=amount, name=name, message=message))
            stage = "the link to pay by"
            link = await self._hopeful(self._donor.find_bank(page))
            link_at = time.perf_counter()
            stage = "the bank"
            pressed_at = await self._hopeful(self._donor.pay(link))
            stage = "the alert"
            sighting = await self._hopeful(self.screen.wait_for(message))
            stage = "the donation's page"
            await self._hopeful(self._donor.wait_until_shown(page))
        except TimeoutError:
            return Told(number, amount, problem=f"waited for {stage} in vain")
        except DonorError as error:
            return Told(number, amount, problem=f"{stage}: {error}")
        return Told(
            number,
            amount,
            link_seconds=link_at - started_at,
            offer_seconds=sighting.offered_at - pressed_at,
            # What another overlay said we know from the donation's page, once the alert is over.
            confirmed_seconds=(sighting.confirmed_at or time.perf_counter()) - pressed_at,
            is_ours=sighting.confirmed_at is not None,
        )

    async def _hopeful(self, work: Awaitable[T]) -> T:
        """Wait for it as long as anything moves. Raises TimeoutError."""
        task = asyncio.ensure_future(work)
        began_at = time.perf_counter()
        try:
            while not task.done():
                if time.perf_counter() - max(began_at, self.screen.heard_at) > PATIENCE_SECONDS:
                    raise TimeoutError
                await asyncio.wait([task], timeout=LOOK_SECONDS)
            return task.result()
        finally:
            task.cancel()


async def run_demo(run: RunFile, arguments: argparse.Namespace) -> list[Told]:
    """Raises OverlayRefusedError, or TimeoutError when realtime does not answer at all."""
    # A browser opens as many connections as it needs; a pool's limit would be measured instead of the site.
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as http:
        demo = Demo(run, http)
        watching = asyncio.create_task(demo.screen.run())
        try:
            await _until_welcome(demo.screen, watching)
            print(_introduction(run, arguments, speaks=demo.screen.speaks), flush=True)
            amounts = itertools.cycle([arguments.amount] if arguments.amount else AMOUNTS)
            donations = zip(range(1, arguments.donations + 1), amounts, strict=False)
            if arguments.every is None:
                return [_print_told(await demo.donate(number, amount)) for number, amount in donations]
            tasks = []
            for number, amount in donations:
                tasks.append(asyncio.create_task(demo.donate(number, amount)))
                await asyncio.sleep(arguments.every)
            return [_print_told(await task) for task in tasks]
        finally:
            watching.cancel()
            await asyncio.wait([watching])


async def _until_welcome(screen: Screen, watching: "asyncio.Task[None]") -> None:
    welcome = asyncio.create_task(screen.role.wait())
    await asyncio.wait([welcome, watching], timeout=WELCOME_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    welcome.cancel()
    if watching.done():
        watching.result()
    if not screen.role.is_set():
        raise TimeoutError


# What is printed.


def _introduction(run: RunFile, arguments: argparse.Namespace, *, speaks: bool) -> str:
    pace = "the next when the one before it was shown" if arguments.every is None else f"one every {arguments.every} s"
    overlay = "no other overlay is connected, so the demo's own plays them" if speaks else "another overlay plays them"
    return (
        f"{arguments.donations} donations at {run.donate_url}, {pace}; {overlay}.\n"
        "From the press of “pay”:\n\n"
        "   #     amount   form → link   pay → offer   pay → confirmed"
    )


def _print_told(told: Told) -> Told:
    if told.problem:
        line = f"LOST: {told.problem}"
    else:
        line = (
            f"{told.link_seconds * 1000:8.0f} ms {told.offer_seconds * 1000:10.0f} ms"
            f" {told.confirmed_seconds:14.2f} s{'' if told.is_ours else '  (another overlay; its whole alert)'}"
        )
    print(f"{told.number:4} {told.amount:>8} ₽ {line}", flush=True)
    return told


def summary(told: list[Told]) -> str:
    """A table of min, median, p95 and max, and how many were shown."""
    shown = [one for one in told if not one.problem]
    lines = [f"{len(shown)} of {len(told)} donations were paid and shown."]
    if shown:
        lines += ["", f"{'':18}{'min':>10}{'median':>10}{'p95':>10}{'max':>10}"]
        for title, values in (
            ("form → link, ms", [one.link_seconds * 1000 for one in shown]),
            ("pay → offer, ms", [one.offer_seconds * 1000 for one in shown]),
            ("pay → confirmed, ms", [one.confirmed_seconds * 1000 for one in shown]),
        ):
            figures = "".join(f"{percentile(values, percent):10.0f}" for percent in (0, 50, 95, 100))
            lines.append(f"{title:18}{figures}")
        if shown[0].offer_seconds > RETURN_SECONDS:
            lines += ["", "The first one waited: after an absence of all overlays the queue gives the broadcast 15 s."]
    return "\n".join(lines)


# The program.


def read_run_file(path: Path) -> RunFile:
    """Raises OSError, ValueError or KeyError when it is not the file of a running system."""
    fields = json.loads(path.read_text(encoding="utf-8"))
    run = RunFile(fields["donate_url"], fields["realtime_url"], fields["overlay_token"])
    if not urlsplit(run.donate_url).scheme or not urlsplit(run.realtime_url).scheme:
        raise ValueError("its addresses are not complete")
    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator.demo", description="Make donations against a running system, and time them."
    )
    default = Path(os.environ.get("DATA_DIR") or ROOT / "var") / "run.json"
    parser.add_argument("--donations", type=_whole, default=20, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument(
        "--every", type=_seconds, metavar="SECONDS", help="start one every so often (default: when the last was shown)"
    )
    parser.add_argument("--amount", metavar="RUBLES", help="of each donation (default: several)")
    parser.add_argument("--run", type=Path, default=default, metavar="FILE", help="default: %(default)s")
    return parser


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < 3600:
        raise argparse.ArgumentTypeError("between 0 and 3600")
    return seconds


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        run = read_run_file(arguments.run)
    except (OSError, ValueError, KeyError) as error:
        return _refuse(f"{arguments.run}: {type(error).__name__}: {error}. Is `make run` running?")
    try:
        told = asyncio.run(run_demo(run, arguments))
    except OverlayRefusedError as error:
        return _refuse(f"The overlay was refused ({error.code}): run.json is not of this system.")
    except TimeoutError:
        return _refuse(f"{run.realtime_url} does not answer. Is `make run` running?")
    except KeyboardInterrupt:
        return 130
    print(f"\n{summary(told)}")
    return 1 if any(one.problem for one in told) else 0


def _refuse(text: str) -> int:
    print(text, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
