"""What a donation's page says of its moderation, and by what its donor can be blocked."""

from dataclasses import dataclass
from types import ModuleType

from domain.blocks import ADDRESS_DAYS, Blockable, get_blockable
from domain.moderation import Match, Part
from domain.moderation_log import LoggedDecision, list_decisions
from domain.moderation_settings import get_original
from domain.streamers import Streamer
from web import moderation_words
from web.context import parts


@dataclass(frozen=True)
class DonationModeration:
    """`name` and `message` as they were written; `matches` are those of the first judgement."""

    name: str | None
    message: str
    matches: tuple[Match, ...]
    decisions: tuple[LoggedDecision, ...]
    blockable: Blockable
    address_days: tuple[int, ...] = ADDRESS_DAYS
    words: ModuleType = moderation_words
    Part: type[Part] = Part


async def read_moderation(streamer: Streamer, donation_id: int, public_id: str) -> DonationModeration:
    async with parts().pool.acquire() as connection:
        name, message = await get_original(connection, streamer.id, donation_id)
        decisions = tuple(await list_decisions(connection, streamer.id, donation_id))
        blockable = await get_blockable(connection, streamer.id, public_id)
    matches = next((row.matches for row in decisions if row.matches), ())
    return DonationModeration(name, message, matches, decisions, blockable)
