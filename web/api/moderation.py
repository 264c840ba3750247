"""Moderation: what waits for a decision, blocks, the streamer's words."""

from uuid import UUID

from quart_schema import validate_request, validate_response

from domain import blocks, holds
from domain.errors import InvalidInputError, NotAllowedError
from domain.events import Topic
from domain.holds import UNDO_SECONDS, Decision, Hold
from domain.moderation_settings import list_words
from domain.scopes import Scope
from domain.streamers import Streamer
from web.api.access import caller, callers_streamer, needs
from web.api.acting import presser, tell
from web.api.blueprints import new_api
from web.api.errors import wrong_field
from web.api.etags import tagged
from web.api.idempotency import writing
from web.api.openapi import examples
from web.api.problems import problem
from web.api.schemas import moderation as schemas
from web.context import parts

blueprint = new_api("moderation")

LISTED = 100
ALERT_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
_DECIDED = {"is_yours": True, "decision": "show", "decided_by": "key", "undo_seconds": 5}
_BLOCK = {
    "id": 4,
    "kind": "name",
    "shown": "Грубиян",
    "note": "",
    "created_at": "2026-11-28T18:30:00Z",
    "expires_at": None,
    "public_id": "k3v9Xy2LQmN0aBcDeFgHiJ",
}


@blueprint.get("/held")
@needs(Scope.MODERATION_READ)
@tagged
@examples(
    response={
        "held": [
            {
                "alert_id": ALERT_ID,
                "donation_id": 17,
                "public_id": "k3v9Xy2LQmN0aBcDeFgHiJ",
                "amount_minor": 30000,
                "currency": "RUB",
                "donor_name": "Аня",
                "message": "Смотри: example.org",
                "reason": "rules",
                "matches": [{"part": "message", "rule": "links", "word": "example.org"}],
                "held_at": "2026-11-28T18:30:00Z",
                "outcome": "show_without_text",
                "decision": None,
                "decided_by": None,
            }
        ]
    }
)
@validate_response(schemas.HeldList)
async def show_held() -> schemas.HeldList:
    """What waits for a decision

    Also what was decided some seconds ago and can still be taken back. What donors wrote is in it only for a key that
    has `donations:original` too. The answer has an `ETag`.
    """
    streamer = await callers_streamer()
    async with parts().pool.acquire() as connection:
        found = await holds.list_holds(connection, streamer.id, limit=LISTED)
    return schemas.HeldList(held=[_held(hold) for hold in found])


@blueprint.post("/held/<uuid:alert_id>/show")
@needs(Scope.MODERATION_WRITE)
@examples(path={"alert_id": ALERT_ID}, response=_DECIDED)
@validate_response(schemas.Decided)
async def show(alert_id: UUID) -> schemas.Decided:
    """Let it be shown

    With its text, within the rules. It takes effect after five seconds, until then it can be taken back. The first
    decision counts, whoever makes it.
    """
    return await _decide(alert_id, Decision.SHOW)


@blueprint.post("/held/<uuid:alert_id>/show-without-text")
@needs(Scope.MODERATION_WRITE)
@examples(path={"alert_id": ALERT_ID}, response={**_DECIDED, "decision": "show_without_text"})
@validate_response(schemas.Decided)
async def show_without_text(alert_id: UUID) -> schemas.Decided:
    """Let it be shown without its message"""
    return await _decide(alert_id, Decision.SHOW_WITHOUT_TEXT)


@blueprint.post("/held/<uuid:alert_id>/hide")
@needs(Scope.MODERATION_WRITE)
@examples(path={"alert_id": ALERT_ID}, response={**_DECIDED, "decision": "hide"})
@validate_response(schemas.Decided)
async def hide(alert_id: UUID) -> schemas.Decided:
    """Do not show it

    The money is not touched.
    """
    return await _decide(alert_id, Decision.HIDE)


@blueprint.post("/held/<uuid:alert_id>/undo")
@needs(Scope.MODERATION_WRITE)
@examples(path={"alert_id": ALERT_ID}, response={"is_undone": True})
@validate_response(schemas.Undone)
async def undo(alert_id: UUID) -> schemas.Undone:
    """Take a decision back

    Anybody's, before it takes effect: it waits again.
    """
    streamer = await callers_streamer()
    async with writing() as connection:
        is_undone = await holds.undo(connection, streamer.id, alert_id, presser(streamer))
    await _tell(streamer)
    return schemas.Undone(is_undone=is_undone)


@blueprint.get("/blocks")
@needs(Scope.MODERATION_READ)
@tagged
@examples(response={"blocks": [_BLOCK]})
@validate_response(schemas.Blocks)
async def show_blocks() -> schemas.Blocks:
    """Whose donations are held or refused

    By name and by payer they are held, and somebody looks; by address the page refuses them. The answer has an `ETag`.
    """
    return await _blocks(await callers_streamer())


@blueprint.post("/blocks")
@needs(Scope.MODERATION_WRITE)
@validate_request(schemas.NewBlock)
@examples(request={"public_id": "k3v9Xy2LQmN0aBcDeFgHiJ", "kind": "name", "note": ""}, response={"blocks": [_BLOCK]})
@validate_response(schemas.Blocks)
async def block(data: schemas.NewBlock) -> schemas.Blocks:
    """Block a donation's donor

    A second time changes nothing but the note and the days. Answers with all blocks.
    """
    streamer = await callers_streamer()
    try:
        async with writing() as connection:
            await blocks.block(
                connection,
                streamer.id,
                data.public_id,
                data.kind,
                note=data.note,
                days=data.days,
                user_id=caller().user.id,
            )
    except NotAllowedError:
        raise problem("nothing-to-block") from None
    except InvalidInputError as error:
        said = {"days": "1, 7 or 30 days", "note": f"At most {blocks.NOTE_MAX_LENGTH} characters"}
        raise wrong_field(error.field, said[error.field], kind=error.code) from None
    return await _blocks(streamer)


@blueprint.delete("/blocks/<id:block_id>")
@needs(Scope.MODERATION_WRITE)
@examples(path={"block_id": 4}, response={"blocks": []})
@validate_response(schemas.Blocks)
async def unblock(block_id: int) -> schemas.Blocks:
    """Lift a block

    Answers with those left.
    """
    streamer = await callers_streamer()
    async with writing() as connection:
        await blocks.unblock(connection, streamer.id, block_id)
    return await _blocks(streamer)


@blueprint.get("/words")
@needs(Scope.MODERATION_READ)
@tagged
@examples(response={"words": [{"id": 2, "kind": "word", "pattern": "спойлер*"}]})
@validate_response(schemas.Words)
async def show_words() -> schemas.Words:
    """The streamer's own words and exceptions

    Beside the list that everybody has. The answer has an `ETag`.
    """
    streamer = await callers_streamer()
    async with parts().pool.acquire() as connection:
        found = await list_words(connection, streamer.id)
    return schemas.Words(words=[schemas.Word(**vars(word)) for word in found])


async def _decide(alert_id: UUID, decision: Decision) -> schemas.Decided:
    streamer = await callers_streamer()
    async with writing() as connection:
        decided = await holds.decide(connection, streamer.id, alert_id, decision, presser(streamer))
    await _tell(streamer)
    return schemas.Decided(
        is_yours=decided.won,
        decision=Decision(decided.decision) if decided.decision else None,
        decided_by=decided.by_kind or None,
        undo_seconds=UNDO_SECONDS if decided.won else 0,
    )


async def _tell(streamer: Streamer) -> None:
    """What was decided stands in the outbox, and everybody's pages show it."""
    parts().relay.wake()
    await tell(streamer, frozenset({Topic.ALERTS, Topic.DONATION}), plays_on=True)


async def _blocks(streamer: Streamer) -> schemas.Blocks:
    async with parts().pool.acquire() as connection:
        found = await blocks.list_blocks(connection, streamer.id)
    is_original = caller().may(Scope.DONATIONS_ORIGINAL)
    return schemas.Blocks(
        blocks=[
            schemas.Block(
                id=one.id,
                kind=one.kind,
                shown=one.shown if is_original or one.kind is blocks.BlockKind.PAYER else None,
                note=one.note,
                created_at=one.created_at,
                expires_at=one.expires_at,
                public_id=one.donation_public_id,
            )
            for one in found
        ]
    )


def _held(hold: Hold) -> schemas.Held:
    is_original = caller().may(Scope.DONATIONS_ORIGINAL)
    return schemas.Held(
        alert_id=hold.alert_id,
        donation_id=hold.donation_id,
        public_id=hold.public_id,
        amount_minor=hold.amount_minor,
        currency="RUB",
        donor_name=hold.donor_name if is_original else None,
        message=hold.message if is_original else None,
        reason=hold.reason,
        matches=[
            schemas.Match(part=match.part, rule=match.rule, word=match.word if is_original else None)
            for match in hold.matches
        ],
        held_at=hold.held_at,
        outcome=hold.outcome,
        decision=hold.decision,
        decided_by=hold.by_kind,
    )
