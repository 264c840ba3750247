"""Deleting an account: seven days to think again, then it is emptied (docs/decisions/0024).

What goes: sign-in, page, overlays, and what donors wrote, everywhere it stands. What stays: sums, payments, ledger, and
the account's number that they hang on. Who adds a table with a streamer's or donor's words adds it here, to STEPS.

    begin ──▶ erase_settings ──▶ erase_batch, step by step ──▶ finish
                                   ▲                             │
                                   └────── words came in ────────┘

Each arrow is a commit, and so is each batch: payments of donors who are at it go on meanwhile, and who was stopped
anywhere begins anew and finds what is left.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import outbox
from domain.errors import NotAllowedError
from domain.events import Actor
from domain.operators import is_last_superuser, lock_superusers
from infra import queries

DAYS = 7
BATCH = 2_000


@dataclass(frozen=True)
class Begun:
    streamer_id: int | None


async def ask_for(connection: Any, user_id: int) -> datetime:
    """Its owner wants the account gone. Returns when; the first wish's day holds.

    Raises NotAllowedError("last_superuser"): a site without one could not be run any more.
    """
    await lock_superusers(connection)
    if await is_last_superuser(connection, user_id):
        raise NotAllowedError("last_superuser")
    await queries.users.wish_deletion(connection, user_id=user_id, days=DAYS)
    await queries.users.insert_log(connection, user_id=user_id, by_user_id=user_id, action="deletion_wished")
    delete_at: datetime = await queries.users.get_delete_at(connection, user_id=user_id)
    return delete_at


async def think_again(connection: Any, user_id: int) -> bool:
    """The account stays. False: nobody had wished otherwise, or it is too late."""
    kept = await queries.users.keep_account(connection, user_id=user_id)
    if kept != "UPDATE 1":
        return False
    await queries.users.insert_log(connection, user_id=user_id, by_user_id=user_id, action="deletion_withdrawn")
    return True


async def ask_due(connection: Any) -> int:
    """Ask for the erasures whose time has come, and for those that stopped in the middle; how many."""
    asked = 0
    async for row in queries.erasure.list_due_erasures(connection):
        await outbox.add_task(connection, Actor.ERASE_ACCOUNT, row["id"])
        asked += 1
    return asked


async def begin(connection: Any, user_id: int) -> Begun | None:
    """Nobody signs in, donates or sees an overlay from here on. None: there is nothing to do (any more), or this has
    become the only superuser meanwhile, whose wish is dropped."""
    await lock_superusers(connection)
    if await is_last_superuser(connection, user_id):
        if await queries.erasure.drop_wish(connection, user_id=user_id) == "UPDATE 1":
            await queries.users.insert_log(connection, user_id=user_id, by_user_id=None, action="deletion_refused")
        return None
    row = await queries.erasure.begin_erasure(connection, user_id=user_id)
    if row is None:
        return None
    await queries.sessions.delete_sessions_of(connection, user_id=user_id)
    await queries.users.end_tokens(connection, user_id=user_id)
    await queries.erasure.delete_browsers_of(connection, user_id=user_id)
    await queries.erasure.delete_confirmations_of(connection, user_id=user_id)
    await queries.erasure.delete_links_of(connection, user_id=user_id)
    await queries.erasure.delete_profile_of(connection, user_id=user_id)
    await queries.erasure.forget_sender(connection, user_id=user_id)
    await queries.identities.delete_identities_of(connection, user_id=user_id)
    await queries.access_tokens.delete_tokens_of(connection, user_id=user_id)
    await queries.grants.delete_grants_of(connection, user_id=user_id)
    await queries.applications.delete_applications_of(connection, owner_id=user_id)
    await queries.archives.delete_archives(connection, user_id=user_id)
    await queries.letters.delete_letters_of(connection, user_id=user_id, recipient=row["email"])
    streamer_id: int | None = await queries.erasure.close_streamer(connection, user_id=user_id)
    if streamer_id is not None:
        await queries.overlay_tokens.revoke_overlay_tokens(connection, streamer_id=streamer_id)
        # Their secrets stay: what a donor pays on a page that is open now is still booked.
        await queries.erasure.retire_terminals(connection, streamer_id=streamer_id)
    return Begun(streamer_id)


async def erase_settings(connection: Any, streamer_id: int) -> None:
    """What she set up and uploaded."""
    await queries.erasure.erase_settings(connection, streamer_id=streamer_id)


@dataclass(frozen=True)
class Batch:
    """`erased` of the `found` rows are empty now: somebody is at work on the others. `last_id` None: none was found."""

    found: int
    erased: int
    last_id: int | None


STEPS: tuple[Callable[..., Any], ...] = (
    queries.erasure.drop_waiting_alerts,
    # Before what is copied from them: a booking after this finds nothing to copy.
    queries.erasure.erase_donations,
    queries.erasure.erase_alerts,
    queries.erasure.erase_holds,
    queries.erasure.erase_decisions,
    queries.erasure.erase_manual_donations,
    queries.erasure.erase_goals,
    queries.erasure.erase_payers,
    queries.erasure.erase_actors,
)


async def erase_batch(
    connection: Any, step: Callable[..., Any], streamer_id: int, *, after_id: int = 0, limit: int = BATCH
) -> Batch:
    """Empty the next rows behind `after_id`. In a transaction of its own: a booking must not wait for many rows."""
    return Batch(**await step(connection, streamer_id=streamer_id, after_id=after_id, limit=limit))


async def finish(connection: Any, user_id: int, streamer_id: int | None) -> bool:
    """The account's address and password go last: until then a stopped run is found again.

    False: words came in meanwhile, by a booking or from a form that was sent before the page was closed; all steps
    have to be gone through again. Nobody writes any while this looks.
    """
    await queries.erasure.lock_user(connection, user_id=user_id)
    if streamer_id is not None:
        await queries.erasure.lock_streamer(connection, streamer_id=streamer_id)
        for step in STEPS:
            if (await erase_batch(connection, step, streamer_id, limit=1)).found:
                return False
    await queries.erasure.finish_erasure(connection, user_id=user_id)
    await queries.users.insert_log(connection, user_id=user_id, by_user_id=None, action="erased")
    return True
