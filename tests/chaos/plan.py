"""What will happen in a run: decided by the seed, before it begins.

Each concern has a `random.Random` of its own, so that another number of kills leaves the donors as they were. When
something happens is said by progress (how many donors have begun), never by the clock.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")

TBANK, YOOKASSA = "tbank", "yookassa"
PROVIDERS = (TBANK, YOOKASSA)
"""One streamer each; donors go to them in turn."""


class Act(StrEnum):
    """What becomes of a donation at the bank."""

    PAYS = "pays"
    SILENT = "pays, and the bank does not tell us"
    DECLINED_PAYS = "is declined, then pays"
    DECLINED_LEAVES = "is declined and gives up"
    LEAVES = "gets the link and never pays"
    NEW_LINK = "lets the link die, gets a new one, pays"
    PAYS_BOTH = "pays two links of one donation"
    PAYS_LATE = "pays after we called it expired"
    TWIN = "the bank takes one order twice"
    REFUND_ALL = "pays; the streamer returns all"
    REFUND_PART = "pays; the streamer returns a part"
    REFUND_TWICE = "pays; the streamer returns a part, then another"
    BANK_REFUND_ALL = "pays; all is returned in the bank's cabinet"
    BANK_REFUND_PART = "pays; a part is returned in the bank's cabinet"
    REFUND_RACE = "pays; both return a part at the same moment"


class Fate(StrEnum):
    """What befalls the overlay that shows an alert for the first time."""

    SHOWN = "shows it"
    KILLED_UNSEEN = "the browser dies before the text was readable"
    KILLED_SEEN = "the browser dies after it said that it was"
    CUT_UNSEEN = "the socket breaks before the text was readable"
    CUT_UNSAID = "the socket breaks before it could say that it was"
    HIDDEN = "the source is hidden before the text was readable"


PROGRAMS = ("web", "worker", "payments", "checks", "relay", "relay-2", "realtime")


class Blow(StrEnum):
    """What is done to a program (SIGKILL, by its name) or to a server."""

    WEB = "web killed"
    WORKER = "worker killed"
    PAYMENTS = "payments killed"
    CHECKS = "checks killed"
    RELAY = "relay killed"
    RELAY_2 = "relay-2 killed"
    REALTIME = "realtime killed"
    POSTGRES_RESTART = "PostgreSQL restarted"
    POSTGRES_KILL = "PostgreSQL killed"
    RABBITMQ_RESTART = "RabbitMQ restarted"
    RABBITMQ_KILL = "RabbitMQ killed"
    VALKEY_RESTART = "Valkey restarted"
    VALKEY_KILL = "Valkey killed"
    VALKEY_FLUSH = "Valkey flushed"
    SOCKETS_CUT = "all overlays' sockets cut"


@dataclass(frozen=True)
class DonorPlan:
    """A donor and all that follows from them; kopecks. `first_back_minor` is the first part returned, if one is."""

    number: int
    provider: str
    act: Act
    by_sbp: bool
    amount_minor: int
    first_back_minor: int
    second_back_minor: int
    fate: Fate


@dataclass(frozen=True)
class PlannedBlow:
    """`after` so many donors have begun."""

    after: int
    blow: Blow


@dataclass(frozen=True)
class Plan:
    seed: int
    donors: tuple[DonorPlan, ...]
    blows: tuple[PlannedBlow, ...]


_ACTS = {
    Act.PAYS: 10,
    Act.SILENT: 2,
    Act.DECLINED_PAYS: 2,
    Act.DECLINED_LEAVES: 1,
    Act.LEAVES: 2,
    Act.NEW_LINK: 1,
    Act.PAYS_BOTH: 2,
    Act.PAYS_LATE: 2,
    Act.TWIN: 1,
    Act.REFUND_ALL: 2,
    Act.REFUND_PART: 1,
    Act.REFUND_TWICE: 1,
    Act.BANK_REFUND_ALL: 1,
    Act.BANK_REFUND_PART: 1,
    Act.REFUND_RACE: 1,
}
"""Of thirty donors in a row of one streamer."""

_FATES = {
    Fate.SHOWN: 19,
    Fate.KILLED_UNSEEN: 2,
    Fate.KILLED_SEEN: 1,
    Fate.CUT_UNSEEN: 1,
    Fate.CUT_UNSAID: 1,
    Fate.HIDDEN: 1,
}

_PROGRAM_BLOWS = (Blow.WEB, Blow.WORKER, Blow.PAYMENTS, Blow.CHECKS, Blow.RELAY, Blow.RELAY_2, Blow.REALTIME)
_SERVER_BLOWS = (
    Blow.POSTGRES_KILL,
    Blow.RABBITMQ_RESTART,
    Blow.VALKEY_FLUSH,
    Blow.POSTGRES_RESTART,
    Blow.RABBITMQ_KILL,
    Blow.VALKEY_KILL,
    Blow.SOCKETS_CUT,
    Blow.VALKEY_RESTART,
)
PROGRAMS_A_SERVER = 3
"""How many programs are killed for each blow at a server."""


def make_plan(seed: int, *, payments: int, kills: int) -> Plan:
    """`payments` donations, each with one payment at least; `kills` blows spread over them."""
    return Plan(seed, tuple(_plan_donors(seed, payments)), tuple(_plan_blows(seed, payments, kills)))


def randomness(seed: int, concern: str) -> random.Random:
    """The same for the same seed and concern, whatever else is drawn."""
    return random.Random(f"{seed} {concern}")


def _plan_donors(seed: int, count: int) -> Iterator[DonorPlan]:
    amounts = randomness(seed, "amounts")
    ways = randomness(seed, "ways to pay")
    fates = _deal(_cards(_FATES), randomness(seed, "overlays"))
    acts = {name: _deal(_cards(_ACTS), randomness(seed, f"acts at {name}")) for name in PROVIDERS}
    for number in range(count):
        provider = PROVIDERS[number % len(PROVIDERS)]
        amount_minor = amounts.randrange(1_000, 150_000)
        first_minor = amounts.randrange(100, amount_minor - 200)
        yield DonorPlan(
            number=number,
            provider=provider,
            act=next(acts[provider]),
            by_sbp=ways.random() < 0.4,
            amount_minor=amount_minor,
            first_back_minor=first_minor,
            second_back_minor=amounts.randrange(100, amount_minor - first_minor),
            fate=next(fates),
        )


def _plan_blows(seed: int, payments: int, count: int) -> Iterator[PlannedBlow]:
    """Evenly over the donors, each a little early or late; both kinds of victims in turn."""
    chance = randomness(seed, "kills")
    programs, servers = _deal(_PROGRAM_BLOWS, chance), iter(_repeated(_SERVER_BLOWS))
    for number in range(count):
        after = int((number + chance.random()) * payments / count)
        is_server = number % (PROGRAMS_A_SERVER + 1) == PROGRAMS_A_SERVER
        yield PlannedBlow(after, next(servers) if is_server else next(programs))


def _cards(weights: dict[T, int]) -> list[T]:
    return [card for card, count in weights.items() for _ in range(count)]


def _deal(cards: Sequence[T], chance: random.Random) -> Iterator[T]:
    """Shuffled decks, one after the other, so that a short run has something of everything."""
    while True:
        yield from chance.sample(cards, len(cards))


def _repeated(cards: Sequence[T]) -> Iterator[T]:
    while True:
        yield from cards
