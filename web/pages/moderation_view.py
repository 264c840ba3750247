"""What the streamer's page of moderation and a moderator's share: what a form says, who looks, what a card shows."""

import uuid
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnprocessableEntity

from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.holds import Decision
from domain.moderation import Part, Rule
from domain.moderators import list_here, note_here
from domain.pressers import Presser
from domain.streamers import Streamer
from infra.redis import publish
from web import moderation_words
from web.context import parts
from web.pages.control import presser
from web.sessions import require_user


async def who_decides(streamer: Streamer) -> Presser:
    """The user of this request, as moderators read of her: by the name on her page, never by an e-mail."""
    return presser(await require_user(), streamer)


def queue_values() -> dict[str, Any]:
    """What templates of cards need beside the holds."""
    return {
        "words": moderation_words,
        "Part": Part,
        "allowable": (Rule.WORDS, Rule.OWN_WORDS, Rule.LINKS, Rule.MENTIONS),
    }


# What a form says.


def held_alert(fields: MultiDict[str, str]) -> uuid.UUID:
    try:
        return uuid.UUID(fields.get("alert_id", ""))
    except ValueError:
        raise UnprocessableEntity from None


def decision_in(fields: MultiDict[str, str]) -> Decision:
    try:
        return Decision(fields.get("decision", ""))
    except ValueError:
        raise UnprocessableEntity from None


def match_in(fields: MultiDict[str, str]) -> int:
    index = fields.get("match", type=int)
    if index is None:
        raise UnprocessableEntity
    return index


async def tell_decided(streamer_id: int) -> None:
    """After the commit of a decision: what it asks for in the outbox, and everybody's pages."""
    parts().relay.wake()
    wake = Wake(streamer_id, frozenset({Topic.ALERTS, Topic.DONATION}), plays_on=True)
    await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])


async def tell_moderators(streamer_id: int) -> None:
    """After the commit of what changes who they are, what they may, or who looks."""
    await publish(parts().redis, WAKE_CHANNEL, [Wake(streamer_id, frozenset({Topic.MODERATORS})).encode()])


# Who looks.


@dataclass(frozen=True)
class Here:
    """Who else looks at what waits, by name; `me` is who asks, and does too."""

    others: tuple[str, ...]
    me: Presser


async def say_here(streamer_id: int, by: Presser) -> Here:
    """Note that this person looks; the others are told when they did not know."""
    async with parts().pool.acquire() as connection, connection.transaction():
        is_new = await note_here(connection, streamer_id, by)
        found = await list_here(connection, streamer_id)
    if is_new:
        await tell_moderators(streamer_id)
    others = [one for one in found if (one.kind, one.id) != (by.kind, by.id)]
    return Here(tuple(moderation_words.by_words(one.kind, one.name) for one in others), by)
