"""What a paid donation's texts become (DESIGN 15): judged at the moment it is paid, by what its streamer wants then.

Judging never fails a booking. Whatever goes wrong, the money is booked and the alert waits for a person.
"""

from dataclasses import asdict, dataclass
from typing import Any

from domain import outbox
from domain.asides import aside
from domain.events import Actor, EventType
from domain.moderation import Action, Match, Mode, Outcome, Settings, Verdict, judge
from domain.moderation.folding import fold_name
from domain.moderation.judging import lexicon
from domain.moderation_settings import settings_from
from infra import queries


@dataclass(frozen=True)
class Judged:
    """A verdict on a donation, and why it is held or changed: "rules", "approve", "amount", "error", "blocked_…"."""

    verdict: Verdict
    reason: str
    settings: Settings
    is_hidden: bool = False
    """Kept out of lists."""

    @property
    def is_held(self) -> bool:
        return self.verdict.action is Action.HOLD


async def judge_paid(
    connection: Any, *, streamer_id: int, donation_id: int, amount_minor: int, name: str | None, message: str
) -> Judged:
    """`name` and `message` as written, for when nobody can judge them."""
    async with aside(connection, f"Judging donation {donation_id}, which waits for a person now,") as judging:
        judged = await judge_donation(connection, streamer_id, donation_id, amount_minor)
    return unjudged(name, message) if judging.failed else judged


def unjudged(name: str | None, message: str) -> Judged:
    """What a person has to look at, since the rules could not: nothing of it leaves before."""
    verdict = Verdict(Action.HOLD, (), None, "", name, message, None)
    return Judged(verdict, "error", Settings(outcome=Outcome.SHOW_WITHOUT_TEXT))


async def keep_texts_back(connection: Any, donation_id: int) -> None:
    """Nothing of what a donor wrote leaves us until somebody has decided."""
    await queries.moderation.set_public_texts(connection, donation_id=donation_id, donor_name=None, message="")


async def judge_donation(connection: Any, streamer_id: int, donation_id: int, amount_minor: int) -> Judged:
    """By what its streamer wants now: when it is paid, and anew while it is held."""
    case = await queries.moderation.get_case(connection, donation_id=donation_id)
    settings = settings_from(case)
    is_small = amount_minor < settings.message_from_minor and bool(case["message"])
    words = lexicon(tuple(case["words"]), tuple(case["exceptions"]))
    verdict = judge(case["donor_name"], "" if is_small else case["message"], settings, words)
    blocked = None
    if case["has_blocks"]:
        blocked = await queries.blocks.find_block(
            connection,
            streamer_id=streamer_id,
            donation_id=donation_id,
            name_key=fold_name(case["donor_name"] or ""),
        )
    if blocked is not None:
        verdict = Verdict(Action.HOLD, verdict.matches, None, "", verdict.approved_name, verdict.approved_message, None)
        return Judged(verdict, f"blocked_{blocked}", settings, case["is_hidden"])
    if verdict.action is Action.HOLD and settings.mode is Mode.APPROVE:
        return Judged(verdict, "approve", settings, case["is_hidden"])
    reason = "amount" if is_small and not verdict.matches else "rules"
    return Judged(verdict, reason, settings, case["is_hidden"])


def texts_of(judged: Judged) -> dict[str, Any]:
    """What an event may say: the texts that may leave us, none while a person has to decide or of what is hidden."""
    is_told = not (judged.is_held or judged.is_hidden)
    return {
        "is_held": judged.is_held,
        "donor_name": judged.verdict.public_name if is_told else None,
        "message": judged.verdict.public_message if is_told else "",
    }


async def record(connection: Any, judged: Judged, *, streamer_id: int, donation_id: int) -> None:
    """After the alert was made: the texts that may leave us, the hold with its deadline, and what the rules decided."""
    verdict = judged.verdict
    is_plain = verdict.action is Action.SHOW and judged.reason != "amount"
    if is_plain:
        return
    await queries.moderation.set_public_texts(
        connection, donation_id=donation_id, donor_name=verdict.public_name, message=verdict.public_message
    )
    matches = [encode_match(match) for match in verdict.matches]
    if judged.is_held:
        alert_id = await queries.holds.insert_hold(
            connection,
            donation_id=donation_id,
            reason=judged.reason,
            matches=matches,
            approved_name=verdict.approved_name,
            approved_message=verdict.approved_message,
            quiet_name=verdict.quiet_name,
            hold_minutes=judged.settings.hold_minutes,
            outcome=judged.settings.outcome,
        )
        if alert_id is None:
            # It had its alert before this payment, and its texts with it.
            return
        delay_seconds = judged.settings.hold_minutes * 60
        await outbox.add_task(connection, Actor.SETTLE_HOLD, alert_id, delay_seconds=delay_seconds)
    what = "reject" if verdict.action is Action.SHOW else verdict.action.value
    await queries.moderation.insert_decision(
        connection,
        streamer_id=streamer_id,
        donation_id=donation_id,
        what=what,
        reason=judged.reason,
        by_kind="rules",
        by_id=None,
        by_name="",
        matches=matches,
    )
    await outbox.add_event(
        connection,
        EventType.DONATION_MODERATED,
        {
            "donation_id": donation_id,
            "streamer_id": streamer_id,
            "decision": what,
            "by": "rules",
            **texts_of(judged),
        },
    )


def encode_match(match: Match) -> dict[str, Any]:
    return asdict(match)
