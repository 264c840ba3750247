"""One run: the blows fall as the donors come, then all becomes quiet, then it is judged."""

import itertools
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.builders import check_books
from tests.chaos.bank import read_bank
from tests.chaos.books import read_books
from tests.chaos.faults import end_faults
from tests.chaos.house import House, Programs
from tests.chaos.killers import Killer
from tests.chaos.load import Load
from tests.chaos.plan import Blow, Plan
from tests.chaos.quiet import wait_for_quiet
from tests.chaos.report import Report
from tests.chaos.verdict import judge
from tests.support.programs import Stack
from tests.support.servers import Servers

DONORS_PER_SECOND = 3.0
QUIET_SECONDS = 600.0
SWEEP_SECONDS = 8.0
_FOUND_NOTHING = re.compile(r"\s*0 ")
FAULTS_AFTER_SECONDS = 20.0
"""How long the banks stay ill after the last donor has come: time enough for what those do."""


def run(
    plan: Plan,
    servers: Servers,
    stack: Stack,
    folder: Path,
    say: Callable[[str], None],
    *,
    per_second: float = DONORS_PER_SECOND,
) -> Report:
    """Starts the programs of `stack` (its log files and the bank's file are in `folder`) and stops them again.

    Must be called in the main thread.
    """
    began_at = time.monotonic()
    programs = Programs(stack, folder)
    load = Load(stack, plan, per_second=per_second, say=say)
    killer = Killer(servers, programs, load)
    try:
        programs.start()
        house = load.start()
        say(f"seed {plan.seed}: {len(plan.donors)} donors, {len(plan.blows)} blows")
        _strike(plan, load, killer, say)
        _until(lambda: load.begun == len(plan.donors), load, killer)
        faulty_until = time.monotonic() + FAULTS_AFTER_SECONDS
        _until(lambda: load.donors_are_gone.is_set() or time.monotonic() > faulty_until, load, killer)
        struck = load.ask(end_faults(house)).result()
        say("the banks are well again, nobody kills any more")
        _until(load.donors_are_gone.is_set, load, killer)
        programs.wait_until_ready()
        quiet_from = time.monotonic()
        quiet = load.ask(wait_for_quiet(house, seconds=QUIET_SECONDS, say=say))
        _until(quiet.done, load, killer, meanwhile=_sweeps(killer))
        problems = [f"{count} {what} after {QUIET_SECONDS:.0f} s" for what, count in quiet.result().items()]
        quiet_seconds = time.monotonic() - quiet_from
        books = load.ask(read_books(house)).result()
        problems += _check_self(stack, load, house)
    finally:
        load.stop()
        programs.stop()
    bank = read_bank(folder)
    problems += load.gone_away + judge(plan, bank, books, load.journals)
    return Report(
        plan=plan,
        struck=struck,
        blows=killer.blows,
        fallen=killer.fallen,
        ends=load.ends,
        bank=bank,
        books=books,
        journals=load.journals,
        took_seconds=time.monotonic() - began_at,
        quiet_seconds=quiet_seconds,
        problems=problems,
    )


def _strike(plan: Plan, load: Load, killer: Killer, say: Callable[[str], None]) -> None:
    for number, planned in enumerate(plan.blows, 1):
        _until(lambda after=planned.after: load.begun >= after, load, killer)  # type: ignore[misc]
        say(f"donor {load.begun}, blow {number}: {planned.blow}")
        killer.strike(planned.blow)


def _sweeps(killer: Killer) -> Iterator[None]:
    """What stands still is looked for once a minute, and by a relay that has just started: one is killed at times."""
    for blow in itertools.cycle((Blow.RELAY, Blow.RELAY_2)):
        until = time.monotonic() + SWEEP_SECONDS
        while time.monotonic() < until:
            yield
        killer.strike(blow)


def _until(is_over: Callable[[], bool], load: Load, killer: Killer, *, meanwhile: Iterator[None] | None = None) -> None:
    """Meanwhile programs that fall are started again. Raises AssertionError when the load has ended by itself."""
    while not is_over():
        assert load.is_alive, f"the load has ended: {load.gone_away}"
        killer.watch()
        if meanwhile is not None:
            next(meanwhile)


def _check_self(stack: Stack, load: Load, house: House) -> list[str]:
    """What the books themselves say, while all programs run."""
    problems = []
    try:
        load.ask(house.patiently(check_books)).result()
    except AssertionError as error:
        problems.append(f"the books contradict each other: {error}")
    try:
        stack.manage("self-check", "--full")
    except AssertionError as error:
        problems += [
            f"self-check: {line.strip()}" for line in str(error).splitlines() if not _FOUND_NOTHING.match(line)
        ]
    return problems
