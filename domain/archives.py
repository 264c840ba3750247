"""All that the site knows of one account, as a file for its owner: asked for here, packed by `tasks/archives.py`.

It is an export (`domain/exports.py`) of no streamer's donations but of a user. Who adds a table with data of an account
or of a streamer adds it to `PARTS`, or says in `tests/tasks/test_archives.py` why it is not in the archive.
"""

import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from domain import outbox
from domain.errors import NotAllowedError
from domain.events import Actor
from domain.exports import Export, export_from
from infra import queries

_sql = queries.archives
STEP = 2_000


@dataclass(frozen=True)
class Part:
    """`<name>.json` in the archive: the rows of one question."""

    name: str
    rows: Callable[..., AsyncIterator[Any]]
    of_streamer: bool = True
    """Else of the user."""
    in_steps: bool = False
    """They may be many: asked for by `after` and `limit`."""


PARTS: tuple[Part, ...] = (
    Part("account", _sql.list_account, of_streamer=False),
    Part("profile", _sql.list_profile, of_streamer=False),
    Part("sessions", _sql.list_sessions, of_streamer=False),
    Part("known_browsers", _sql.list_known_browsers, of_streamer=False),
    Part("linked_accounts", _sql.list_identities, of_streamer=False),
    Part("keys", _sql.list_keys, of_streamer=False),
    Part("allowed_applications", _sql.list_grants, of_streamer=False),
    Part("applications", _sql.list_applications, of_streamer=False),
    Part("letters", _sql.list_letters, of_streamer=False),
    Part("account_log", _sql.list_account_log, of_streamer=False),
    Part("donations_sent", _sql.list_sent_donations, of_streamer=False, in_steps=True),
    Part("page", _sql.list_streamer),
    Part("page_for_programs", _sql.list_extras),
    Part("requisites", _sql.list_requisites),
    Part("first_steps", _sql.list_first_steps),
    Part("payment_accounts", _sql.list_terminals),
    Part("overlay_addresses", _sql.list_overlay_addresses),
    Part("buttons", _sql.list_buttons),
    Part("goals", _sql.list_goals),
    Part("moderation_settings", _sql.list_moderation_settings),
    Part("moderation_words", _sql.list_moderation_words),
    Part("moderators", _sql.list_moderators),
    Part("moderation_log", _sql.list_decisions, in_steps=True),
    Part("blocked_donors", _sql.list_blocks),
    Part("controls_log", _sql.list_controls, in_steps=True),
    Part("terms", _sql.list_terms),
    Part("donations", _sql.list_donations, in_steps=True),
    Part("donations_by_hand", _sql.list_manual_donations, in_steps=True),
    Part("chargebacks", _sql.list_chargebacks),
    Part("cheques", _sql.list_cheques),
    Part("registry_files", _sql.list_registry_files),
)
"""Beside them: README.txt, donations.csv, and the pictures in media/."""


async def ask_for(connection: Any, user_id: int, *, words: dict[str, Any], time_zone: str) -> str:
    """Its public id. Raises NotAllowedError("export_under_way"): one of a user's at a time."""
    public_id = secrets.token_urlsafe(16)
    row = await _sql.insert_archive(connection, public_id=public_id, user_id=user_id, words=words, time_zone=time_zone)
    if row is None:
        raise NotAllowedError("export_under_way")
    await outbox.add_task(connection, Actor.PACK_ARCHIVE, row["id"])
    return public_id


async def get_latest(connection: Any, user_id: int) -> Export | None:
    row = await _sql.get_latest_archive(connection, user_id=user_id)
    return None if row is None else export_from(row)


async def delete_all(connection: Any, user_id: int) -> bool:
    """Also one that is being packed: its worker finds that nothing is left to do. False: there was none."""
    return bool(await _sql.delete_archives(connection, user_id=user_id) != "DELETE 0")


async def count_rows(connection: Any, streamer_id: int) -> int:
    """About as many as `read_part` gives of all parts, donations twice: they are also a table."""
    found: int = await _sql.count_rows(connection, streamer_id=streamer_id)
    return found


async def read_part(pool: Any, part: Part, user_id: int, streamer_id: int | None) -> AsyncIterator[dict[str, Any]]:
    """The rows of a part; no connection is kept between two steps. None of a streamer's without a page."""
    if part.of_streamer and streamer_id is None:
        return
    whose = {"streamer_id": streamer_id} if part.of_streamer else {"user_id": user_id}
    after = 0
    while True:
        steps = {"after": after, "limit": STEP} if part.in_steps else {}
        async with pool.acquire() as connection:
            rows = [dict(row) async for row in part.rows(connection, **whose, **steps)]
        for row in rows:
            yield row
        if not part.in_steps or len(rows) < STEP:
            return
        after = rows[-1]["id"]


async def list_pictures(connection: Any, streamer_id: int) -> list[dict[str, Any]]:
    """With their content."""
    return [dict(row) async for row in _sql.list_media(connection, streamer_id=streamer_id)]
