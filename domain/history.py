"""A streamer's donations as one list, the newest first: those that brought money, those under review, and those she
wrote down by hand; what she selects of them, and what a selection comes to.

A place of the list is a time and a key. A page looks at no more than `_LOOKS` donations however many there are: where
few fit, it says how far it has looked, and goes on from there (docs/decisions/0030-history-looks-in-steps.md).
"""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from domain import outbox
from domain.events import EventType
from infra import queries

_LOOKS = (1_000, 20_000)
"""How many donations a page looks at, one after the other, until enough fit."""

SUMMED_AT_ONCE = 5_000
"""Donations whose sum a page waits for; more are summed by a request of their own."""


class State(StrEnum):
    """What a selection may ask of the money or of the alert."""

    PAID = "paid"
    SHOWN = "shown"
    WAITING = "waiting"
    HELD = "held"
    REFUNDED = "refunded"
    PARTLY = "partly"
    REVIEW = "review"
    HIDDEN = "hidden"
    MANUAL = "manual"


# Where the donations of a state are looked for; the others among all of them.
_AMONG = {
    State.PAID: "paid",
    State.WAITING: "unshown",
    State.HELD: "unshown",
    State.REFUNDED: "returned",
    State.PARTLY: "returned",
    State.REVIEW: "review",
    State.HIDDEN: "hidden",
    State.MANUAL: "manual",
}


@dataclass(frozen=True)
class Selection:
    """None: whatever it is. From `since` to before `until`; kopecks from least to most; parts of texts, in any case."""

    since: datetime | None = None
    until: datetime | None = None
    least_minor: int | None = None
    most_minor: int | None = None
    donor: str | None = None
    words: str | None = None
    """In the message or the name, as written or as shown."""
    state: State | None = None
    is_anonymous: bool | None = None

    @property
    def is_everything(self) -> bool:
        return self == Selection()

    @property
    def _is_all_of_its_time(self) -> bool:
        return replace(self, since=None, until=None).is_everything

    def as_json(self) -> dict[str, Any]:
        values = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Selection":
        known = dict(values)
        for name in ("since", "until"):
            if name in known:
                known[name] = datetime.fromisoformat(known[name])
        if "state" in known:
            known["state"] = State(known["state"])
        return cls(**known)


@dataclass(frozen=True, order=True)
class Place:
    """A donation's place in the list."""

    at: datetime
    key: int


_FIRST = Place(datetime(1970, 1, 1, tzinfo=UTC), -(2**31))
_LAST = Place(datetime(9000, 1, 1, tzinfo=UTC), 2**31 - 1)


@dataclass(frozen=True)
class Mark:
    """How far somebody has come who asks again and again what came since. What bears a time from `floor` on may appear
    before the place later, so that is where he goes on when he has read all."""

    place: Place
    floor: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """A line of the list: kopecks, and text as it may leave us. `key` is a donation's id, below zero by hand."""

    key: int
    at: datetime
    is_manual: bool
    public_id: str
    status: str
    """A donation's, or "manual"."""
    amount_minor: int
    refunded_minor: int
    charged_back_minor: int
    donor_name: str | None
    message: str
    source: str
    is_hidden: bool
    alert_status: str | None
    shown_at: datetime | None
    interrupted: bool | None
    is_test: bool
    """It came through a terminal for trying out, and is no money."""

    @property
    def place(self) -> Place:
        return Place(self.at, self.key)

    @property
    def returned_minor(self) -> int:
        return min(self.refunded_minor + self.charged_back_minor, self.amount_minor)


@dataclass(frozen=True)
class Page:
    """Lines, the newest first, and where the newer and the older ones go on. `looked_to`: so far were donations looked
    at, and not farther."""

    entries: tuple[Entry, ...]
    newer: Place | None
    older: Place | None
    looked_to: datetime | None = None


@dataclass(frozen=True)
class Sums:
    """Kopecks that came and went back, of so many donations; beside them those under review and those by hand.
    `is_whole`: nothing of the selection is left out; else it was looked no farther than `looked_to`."""

    donations: int = 0
    came_minor: int = 0
    returned_minor: int = 0
    in_review: int = 0
    manual: int = 0
    manual_minor: int = 0
    is_whole: bool = True
    looked_to: datetime | None = None

    @property
    def entries(self) -> int:
        """Lines of the list."""
        return self.donations + self.in_review + self.manual

    def __add__(self, other: "Sums") -> "Sums":
        names = ("donations", "came_minor", "returned_minor", "in_review", "manual", "manual_minor")
        return Sums(**{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def net_minor(self) -> int:
        return self.came_minor - self.returned_minor


async def list_page(
    connection: Any,
    streamer_id: int,
    selection: Selection,
    *,
    before: Place | None = None,
    after: Place | None = None,
    limit: int = 50,
) -> Page:
    """The newest lines, or those next older than `before`, or those next newer than `after`."""
    if after is not None:
        found, edge = await _look(connection, streamer_id, selection, after=after, limit=limit + 1)
        if len(found) <= limit and edge is None:
            # These are the newest: shown as a full page.
            return await list_page(connection, streamer_id, selection, limit=limit)
        entries = tuple(reversed(found[:limit]))
        newer = entries[0].place if len(found) > limit else edge
        older = entries[-1].place if entries else after
        return Page(entries, newer, older, edge.at if edge is not None and len(found) <= limit else None)
    found, edge = await _look(connection, streamer_id, selection, before=before, limit=limit + 1)
    entries = tuple(found[:limit])
    newer = None if before is None else entries[0].place if entries else before
    if len(found) > limit:
        return Page(entries, newer, entries[-1].place)
    return Page(entries, newer, edge, None if edge is None else edge.at)


async def list_newer(
    connection: Any, streamer_id: int, selection: Selection, after: Mark, limit: int, horizon: datetime
) -> tuple[Page, Mark]:
    """Those next newer than a place and no others, the newest first, and where to go on.

    For whoever asks again and again what came since. A place is the time its transaction began at, and younger ones may
    be seen first: what is not older than the horizon (`bot_feed.read_horizon`, read before) comes again, after all that
    there is was read, so that every page has something newer than the one before.
    """
    found, edge = await _look(connection, streamer_id, selection, after=after.place, limit=limit + 1)
    entries = tuple(reversed(found[:limit]))
    newer = entries[0].place if len(found) > limit else edge
    page = Page(entries, newer, after.place)
    floor = min(horizon, after.floor or horizon)
    goes_on = newer is not None or len(entries) == limit
    place = newer or (entries[0].place if entries else after.place)
    if goes_on and place.at >= floor:
        return page, Mark(place, floor)
    return page, go_back(place, floor)


def go_back(place: Place, horizon: datetime) -> Mark:
    """From where on is read what comes after a place: nothing before it can appear any more."""
    return Mark(min(place, Place(horizon, _FIRST.key + 1)))


async def list_from(
    connection: Any, streamer_id: int, selection: Selection, before: Place | None, *, looked: int
) -> tuple[list[Entry], Place | None]:
    """All that fit of the next `looked` donations, and where to go on; None: that was all. For who reads the whole."""
    bounds = _bounds(streamer_id, selection, before=before, looked=looked, oldest_first=False)
    edge = await queries.history.find_edge(connection, **bounds)
    rows = queries.history.list_entries(connection, **bounds, **_conditions(selection), limit=looked)
    return [Entry(**row) async for row in rows], None if edge is None else Place(**edge)


async def find_neighbours(
    connection: Any, streamer_id: int, selection: Selection, place: Place
) -> tuple[Entry | None, Entry | None]:
    """The lines next newer and next older than a place, if they are not far."""
    newer, _ = await _look(connection, streamer_id, selection, after=place, limit=1)
    older, _ = await _look(connection, streamer_id, selection, before=place, limit=1)
    return newer[0] if newer else None, older[0] if older else None


async def sum_up(
    connection: Any, streamer_id: int, selection: Selection, *, steps: int | None = 1, looked: int = SUMMED_AT_ONCE
) -> Sums:
    """What a selection comes to. Everything is known without looking; of another selection `looked` donations at a time
    are, so often (None: all), so that no statement is long."""
    if selection.is_everything:
        return Sums(**await queries.history.sum_all(connection, streamer_id=streamer_id))
    sums, before = Sums(), None
    while True:
        bounds = _bounds(streamer_id, selection, before=before, looked=looked, oldest_first=False)
        row = dict(await queries.history.sum_up(connection, **bounds, **_conditions(selection)))
        edge = row.pop("edge")
        sums += Sums(**row)
        steps = None if steps is None else steps - 1
        if edge is None:
            return sums
        before = Place(*edge)
        if steps == 0:
            return replace(sums, is_whole=False, looked_to=before.at)


async def set_hidden(connection: Any, streamer_id: int, donation_id: int, is_hidden: bool) -> bool:
    """Keep a donation out of public lists and of the best donors, or let it in again. False: it was so already."""
    changed = await queries.history.set_hidden(
        connection, streamer_id=streamer_id, donation_id=donation_id, is_hidden=is_hidden
    )
    if changed is None:
        return False
    if not changed["is_paid"]:
        # Nobody heard of it yet, and its words were not judged.
        return True
    texts = {"donor_name": changed["donor_name"], "message": changed["message"]}
    if is_hidden or changed["is_held"]:
        texts = {"donor_name": None, "message": ""}
    facts = {
        "donation_id": donation_id,
        "streamer_id": streamer_id,
        "decision": "hide" if is_hidden else "show",
        "by": "owner",
        "is_held": changed["is_held"],
        **texts,
    }
    await outbox.add_event(connection, EventType.DONATION_MODERATED, facts)
    return True


async def _look(
    connection: Any,
    streamer_id: int,
    selection: Selection,
    *,
    before: Place | None = None,
    after: Place | None = None,
    limit: int,
) -> tuple[list[Entry], Place | None]:
    """The next that fit, from `before` on to older ones or from `after` on to newer ones; and, if they are fewer than
    `limit` although there are more donations, how far was looked."""
    edge: Place | None = None
    looks = (limit,) if selection._is_all_of_its_time else _LOOKS
    for looked in looks:
        bounds = _bounds(
            streamer_id, selection, before=before, after=after, looked=looked, oldest_first=after is not None
        )
        rows = queries.history.list_entries(connection, **bounds, **_conditions(selection), limit=limit)
        found = [Entry(**row) async for row in rows]
        if len(found) == limit:
            return found, None
        row = await queries.history.find_edge(connection, **bounds)
        edge = None if row is None else Place(**row)
        if edge is None:
            break
    return found, edge


def _bounds(
    streamer_id: int,
    selection: Selection,
    *,
    before: Place | None = None,
    after: Place | None = None,
    looked: int,
    oldest_first: bool,
) -> dict[str, Any]:
    """Between which places is looked: those of the selection's time, and where a page goes on."""
    # All keys are larger than the least: so is what comes at the very moment.
    since = _FIRST if selection.since is None else Place(selection.since, _FIRST.key)
    until = _LAST if selection.until is None else Place(selection.until, _FIRST.key)
    first, last = max(since, after or _FIRST), min(until, before or _LAST)
    return {
        "streamer_id": streamer_id,
        "among": "all" if selection.state is None else _AMONG.get(selection.state, "all"),
        "after_at": first.at,
        "after_key": first.key,
        "before_at": last.at,
        "before_key": last.key,
        "oldest_first": oldest_first,
        "looked": looked,
    }


def _conditions(selection: Selection) -> dict[str, Any]:
    return {
        "least_minor": selection.least_minor,
        "most_minor": selection.most_minor,
        "is_anonymous": selection.is_anonymous,
        "donor": fold(selection.donor),
        "words": fold(selection.words),
        "state": selection.state,
    }


def fold(text: str | None) -> str | None:
    """As `fold_text` of the database does; None for nothing to look for."""
    return text.lower().replace("ё", "е") if text else None
