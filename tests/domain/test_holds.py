"""A paid donation is judged, held with a deadline, decided on, shown or not; its money knows nothing of it."""

import uuid
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from domain import alerts, blocks, history, holds, moderation_log, rejudging
from domain.blocks import BlockKind
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.holds import Decision
from domain.moderation import Act, Mode, Outcome, Rule, Settings
from domain.moderation_settings import WORDS_MAX, add_words, get_settings, list_words, remove_word, save_settings
from domain.news import Source
from domain.payment_status import NewsStatus as N
from domain.pressers import Presser, PresserKind
from tasks.sweeps import sweep
from tests.builders import BuiltStreamer, check_books, hear, make_streamer, open_donation

OWNER = Presser(PresserKind.OWNER, 1, "anna@example.org")
MODERATOR = Presser(PresserKind.MODERATOR, 7, "Боб")
HOLD_WORDS = Settings(acts={Rule.WORDS: Act.HOLD, Rule.LINKS: Act.HOLD})


@pytest.fixture
async def streamer(connection: asyncpg.Connection) -> BuiltStreamer:
    return await make_streamer(connection)


async def pay(connection: Any, streamer: BuiltStreamer, message: str = "Привет", **fields: Any) -> int:
    payer = fields.pop("payer", "")
    donation, payment = await open_donation(connection, streamer, message=message, **fields)
    await hear(connection, payment, N.CONFIRMED, payer=payer)
    return donation.id


async def alert_of(connection: Any, donation_id: int) -> Any:
    return await connection.fetchrow(
        "SELECT alert_id, status, donor_name, message, duration_ms, place FROM alerts WHERE donation_id = $1",
        donation_id,
    )


async def public_of(connection: Any, donation_id: int) -> tuple[str | None, str]:
    row = await connection.fetchrow(
        "SELECT public_donor_name, public_message FROM donations WHERE id = $1", donation_id
    )
    return row["public_donor_name"], row["public_message"]


async def let_time_pass(connection: Any, **interval: float) -> None:
    delta = timedelta(**interval)
    await connection.execute(
        "UPDATE holds SET decide_by = decide_by - $1::interval, takes_effect_at = takes_effect_at - $1::interval", delta
    )


async def settle_all(connection: Any) -> list[Any]:
    rows = await connection.fetch("SELECT alert_id FROM holds ORDER BY alert_id")
    return [await holds.settle(connection, row["alert_id"]) for row in rows]


async def events(connection: Any) -> list[tuple[str, str]]:
    rows = await connection.fetch("SELECT data FROM outbox WHERE name = 'donation.moderated' ORDER BY id")
    return [(row["data"]["decision"], row["data"]["by"]) for row in rows]


async def log_of(connection: Any, streamer: BuiltStreamer, donation_id: int) -> list[tuple[str, str, str]]:
    found = await moderation_log.list_decisions(connection, streamer.id, donation_id)
    return [(row.what, row.by_kind, row.by_name) for row in found]


async def held(connection: Any, streamer: BuiltStreamer) -> tuple[int, uuid.UUID]:
    await save_settings(connection, streamer.id, HOLD_WORDS)
    donation_id = await pay(connection, streamer, "сука, привет")
    return donation_id, (await alert_of(connection, donation_id))["alert_id"]


async def test_an_ordinary_donation_is_left_alone(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    donation_id = await pay(connection, streamer)
    alert = await alert_of(connection, donation_id)
    assert (alert["status"], alert["donor_name"], alert["message"]) == ("queued", "Аня", "Привет")
    assert await events(connection) == []
    assert await log_of(connection, streamer, donation_id) == []


async def test_by_default_bad_words_are_masked_everywhere(
    connection: asyncpg.Connection, streamer: BuiltStreamer
) -> None:
    donation_id = await pay(connection, streamer, "Привет, сука", donor_name="сука Аня")
    alert = await alert_of(connection, donation_id)
    assert (alert["status"], alert["donor_name"], alert["message"]) == ("queued", "*** Аня", "Привет, ***")
    assert await public_of(connection, donation_id) == ("*** Аня", "Привет, ***")
    row: Any = await connection.fetchrow("SELECT donor_name, message FROM donations WHERE id = $1", donation_id)
    assert tuple(row) == ("сука Аня", "Привет, сука")
    assert await events(connection) == [("mask", "rules")]
    (line,) = await moderation_log.list_decisions(connection, streamer.id, donation_id)
    assert [(match.part, match.rule, match.word, match.start) for match in line.matches] == [
        ("name", "words", "сука", 0),
        ("message", "words", "сука", 8),
    ]
    replayed = await alerts.replay(connection, streamer.id, donation_id)
    texts: Any = await connection.fetchrow("SELECT donor_name, message FROM alerts WHERE alert_id = $1", replayed)
    assert tuple(texts) == ("*** Аня", "Привет, ***")


async def test_the_settings_of_the_moment_of_paying_count(
    connection: asyncpg.Connection, streamer: BuiltStreamer
) -> None:
    _, payment = await open_donation(connection, streamer, message="сука")
    await save_settings(connection, streamer.id, Settings(mode=Mode.OFF))
    await hear(connection, payment, N.CONFIRMED)
    assert (await alert_of(connection, payment.donation_id))["message"] == "сука"


async def test_held_text_leaves_nowhere_before_the_decision(
    connection: asyncpg.Connection, streamer: BuiltStreamer
) -> None:
    donation_id, _ = await held(connection, streamer)
    alert = await alert_of(connection, donation_id)
    assert (alert["status"], alert["donor_name"], alert["message"], alert["place"]) == ("held", "Аня", "", None)
    assert await public_of(connection, donation_id) == ("Аня", "")
    (hold,) = await holds.list_holds(connection, streamer.id)
    assert (hold.donor_name, hold.message, hold.reason) == ("Аня", "сука, привет", "rules")
    assert 590 < hold.left_seconds <= 600
    assert await holds.count_holds(connection, streamer.id) == 1
    task: Any = await connection.fetchrow(
        "SELECT data, available_at > now() + interval '9 minutes' AS later FROM outbox WHERE name = 'settle_hold'"
    )
    assert task["later"]
    for row in await connection.fetch("SELECT data FROM outbox"):
        assert "сука" not in str(row["data"])


async def test_what_is_kept_out_of_lists_is_told_to_programs_without_its_words(
    connection: asyncpg.Connection, streamer: BuiltStreamer
) -> None:
    """On the screen it is as it was written; programs hear the words when it is let into the lists."""
    await save_settings(connection, streamer.id, HOLD_WORDS)
    ids = []
    for message in ("Привет", "сука, привет"):
        donation, payment = await open_donation(connection, streamer, message=message)
        assert await history.set_hidden(connection, streamer.id, donation.id, True)
        await hear(connection, payment, N.CONFIRMED)
        ids.append(donation.id)
    assert (await alert_of(connection, ids[0]))["message"] == "Привет"
    alert_id = (await alert_of(connection, ids[1]))["alert_id"]
    assert (await holds.decide(connection, streamer.id, alert_id, Decision.SHOW, OWNER)).won
    await let_time_pass(connection, seconds=5)
    await settle_all(connection)
    assert (await alert_of(connection, ids[1]))["message"] == "сука, привет"

    async def words() -> list[tuple[str, str | None, str]]:
        rows = await connection.fetch("SELECT name, data FROM outbox WHERE data ? 'donor_name' ORDER BY id")
        return [(row["name"], row["data"]["donor_name"], row["data"]["message"]) for row in rows]

    told = await words()
    assert {name for name, _, _ in told} == {"notification.send", "donation.moderated"}
    assert {(name, message) for _, name, message in told} == {(None, "")}
    assert await history.set_hidden(connection, streamer.id, ids[1], False)
    assert (await words())[len(told) :] == [("donation.moderated", "Аня", "сука, привет")]


async def test_approval_first(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    await save_settings(connection, streamer.id, Settings(mode=Mode.APPROVE))
    donation_id = await pay(connection, streamer)
    assert await public_of(connection, donation_id) == (None, "")
    (hold,) = await holds.list_holds(connection, streamer.id)
    assert hold.reason == "approve"


@pytest.mark.parametrize(
    ("decision", "status", "shown"),
    [
        (Decision.SHOW, "queued", ("Аня", "сука, привет")),
        (Decision.SHOW_WITHOUT_TEXT, "queued", ("Аня", "")),
        (Decision.HIDE, "dropped", ("Аня", "")),
    ],
)
async def test_a_decision_takes_effect_after_five_seconds(
    connection: asyncpg.Connection,
    streamer: BuiltStreamer,
    decision: Decision,
    status: str,
    shown: tuple[str, str],
) -> None:
    donation_id, alert_id = await held(connection, streamer)
    assert (await holds.decide(connection, streamer.id, alert_id, decision, OWNER)).won
    assert await settle_all(connection) == [None]
    assert (await alert_of(connection, donation_id))["status"] == "held"
    assert await holds.count_holds(connection, streamer.id) == 0
    await let_time_pass(connection, seconds=5)
    (wake,) = await settle_all(connection)
    assert wake.streamer_id == streamer.id
    alert = await alert_of(connection, donation_id)
    assert (alert["status"], alert["donor_name"], alert["message"]) == (status, *shown)
    assert await public_of(connection, donation_id) == shown
    assert await settle_all(connection) == [None]
    assert await holds.list_holds(connection, streamer.id) == []
    assert await log_of(connection, streamer, donation_id) == [
        ("hold", "rules", ""),
        (decision, "owner", "anna@example.org"),
    ]
    assert await events(connection) == [("hold", "rules"), (decision, "owner")]
    if decision is Decision.SHOW:
        assert alert["duration_ms"] == 5_000 + 60 * len("сука, привет")
    await check_books(connection)


async def test_two_people_decide_and_the_first_counts(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    _, alert_id = await held(connection, streamer)
    assert (await holds.decide(connection, streamer.id, alert_id, Decision.HIDE, MODERATOR)).won
    second = await holds.decide(connection, streamer.id, alert_id, Decision.SHOW, OWNER)
    assert (second.won, second.decision, second.by_name) == (False, "hide", "Боб")
    # Somebody else may take it back, once.
    assert await holds.undo(connection, streamer.id, alert_id, OWNER)
    assert not await holds.undo(connection, streamer.id, alert_id, OWNER)
    assert (await holds.decide(connection, streamer.id, alert_id, Decision.SHOW, OWNER)).won


async def test_undone_in_time_nothing_happens(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    donation_id, alert_id = await held(connection, streamer)
    await holds.decide(connection, streamer.id, alert_id, Decision.HIDE, OWNER)
    # Its deadline passed meanwhile: another minute.
    await connection.execute("UPDATE holds SET decide_by = now() - interval '1 second'")
    assert await holds.undo(connection, streamer.id, alert_id, OWNER)
    assert await settle_all(connection) == [None]
    (hold,) = await holds.list_holds(connection, streamer.id)
    assert hold.decision is None
    assert hold.left_seconds > 50
    assert await log_of(connection, streamer, donation_id) == [
        ("hold", "rules", ""),
        ("hide", "owner", "anna@example.org"),
        ("undo", "owner", "anna@example.org"),
    ]


async def test_undone_too_late(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    donation_id, alert_id = await held(connection, streamer)
    await holds.decide(connection, streamer.id, alert_id, Decision.SHOW, OWNER)
    await let_time_pass(connection, seconds=5)
    await settle_all(connection)
    assert not await holds.undo(connection, streamer.id, alert_id, OWNER)
    assert (await alert_of(connection, donation_id))["status"] == "queued"
    with pytest.raises(NotFoundError):
        await holds.decide(connection, streamer.id, uuid.uuid4(), Decision.SHOW, OWNER)


@pytest.mark.parametrize(
    ("outcome", "status", "what"),
    [(Outcome.SHOW_WITHOUT_TEXT, "queued", "show_without_text"), (Outcome.SKIP, "dropped", "hide")],
)
async def test_when_nobody_decides(
    connection: asyncpg.Connection, streamer: BuiltStreamer, outcome: Outcome, status: str, what: str
) -> None:
    settings = Settings(acts=HOLD_WORDS.acts, hold_minutes=2, outcome=outcome)
    await save_settings(connection, streamer.id, settings)
    donation_id = await pay(connection, streamer, "сука")
    assert await settle_all(connection) == [None]
    await let_time_pass(connection, minutes=2)
    await settle_all(connection)
    alert = await alert_of(connection, donation_id)
    assert (alert["status"], alert["message"]) == (status, "")
    assert (await log_of(connection, streamer, donation_id))[-1] == (what, "deadline", "")


async def test_the_sweep_finds_what_was_forgotten(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    await held(connection, streamer)
    await connection.execute("DELETE FROM outbox")
    assert await sweep(connection) == 0
    await let_time_pass(connection, minutes=11)
    assert await sweep(connection) == 1
    task: Any = await connection.fetchrow("SELECT data FROM outbox WHERE name = 'settle_hold'")
    assert (await holds.settle(connection, task["data"]["argument"])) is not None
    await connection.execute("UPDATE holds SET settled_at = now() - interval '2 days'")
    await sweep(connection)
    assert await connection.fetchval("SELECT count(*) FROM holds") == 0


async def test_a_refund_ends_the_waiting(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    await save_settings(connection, streamer.id, HOLD_WORDS)
    for decides_before in (False, True):
        donation, payment = await open_donation(connection, streamer, message="сука")
        await hear(connection, payment, N.CONFIRMED)
        alert = await alert_of(connection, donation.id)
        if decides_before:
            await holds.decide(connection, streamer.id, alert["alert_id"], Decision.SHOW, OWNER)
        await hear(connection, payment, N.REFUNDED, source=Source.POLL, amount_minor=0)
        assert await holds.list_holds(connection, streamer.id) == []
        assert await holds.count_holds(connection, streamer.id) == 0
        late = await holds.decide(connection, streamer.id, alert["alert_id"], Decision.SHOW, OWNER)
        assert not late.won
        await let_time_pass(connection, minutes=11)
        await settle_all(connection)
        assert (await alert_of(connection, donation.id))["status"] == "dropped"
        assert await public_of(connection, donation.id) == ("Аня", "")
    await check_books(connection)


async def test_small_donations_without_message(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    await save_settings(connection, streamer.id, Settings(message_from_minor=30_001))
    donation_id = await pay(connection, streamer)
    assert await public_of(connection, donation_id) == ("Аня", "")
    assert (await alert_of(connection, donation_id))["status"] == "queued"
    (line,) = await moderation_log.list_decisions(connection, streamer.id, donation_id)
    assert (line.what, line.reason) == ("reject", "amount")


@pytest.mark.parametrize(
    "damage",
    [
        'UPDATE moderation_settings SET acts = \'{"words": "explode"}\'',
        'UPDATE moderation_settings SET acts = \'{"words": ["a"]}\'',
        "ALTER TABLE moderation_words RENAME pattern TO broken",
    ],
)
async def test_a_booking_survives_what_cannot_be_judged(
    connection: asyncpg.Connection, streamer: BuiltStreamer, damage: str
) -> None:
    await save_settings(connection, streamer.id, Settings())
    await connection.execute(damage)
    donation_id = await pay(connection, streamer, "Привет")
    assert await connection.fetchval("SELECT status FROM donations WHERE id = $1", donation_id) == "paid"
    alert = await alert_of(connection, donation_id)
    assert (alert["status"], alert["donor_name"], alert["message"]) == ("held", None, "")
    (hold,) = await holds.list_holds(connection, streamer.id)
    assert (hold.reason, hold.message) == ("error", "Привет")
    await check_books(connection)


# Exceptions.


async def test_an_exception_judges_all_that_waits_anew(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    await save_settings(connection, streamer.id, HOLD_WORDS)
    first = await pay(connection, streamer, "с.у.к.а привет")
    second = await pay(connection, streamer, "сука, смотри kek.ru")
    alert = await alert_of(connection, first)
    assert await rejudging.allow(connection, streamer.id, alert["alert_id"], 0, OWNER)
    assert [(word.kind, word.pattern) for word in await list_words(connection, streamer.id)] == [("exception", "сука")]
    await settle_all(connection)
    assert (await alert_of(connection, first))["message"] == "с.у.к.а привет"
    (hold,) = await holds.list_holds(connection, streamer.id)
    assert hold.donation_id == second
    assert [match.rule for match in hold.matches] == [Rule.LINKS]
    assert not await rejudging.allow(connection, streamer.id, alert["alert_id"], 0, OWNER)
    with pytest.raises(NotFoundError):
        await rejudging.allow(connection, streamer.id, hold.alert_id, 5, OWNER)
    # From now on, too.
    assert (await alert_of(connection, await pay(connection, streamer, "сука")))["message"] == "сука"


async def test_no_exception_of_what_is_no_word(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    await save_settings(connection, streamer.id, Settings(acts={Rule.CAPITALS: Act.HOLD}))
    donation_id = await pay(connection, streamer, "ПРИВЕТ ВСЕМ ТАМ")
    alert = await alert_of(connection, donation_id)
    with pytest.raises(InvalidInputError):
        await rejudging.allow(connection, streamer.id, alert["alert_id"], 0, OWNER)


async def test_approving_first_is_never_overruled_by_a_list(
    connection: asyncpg.Connection, streamer: BuiltStreamer
) -> None:
    await save_settings(connection, streamer.id, Settings(mode=Mode.APPROVE))
    donation_id = await pay(connection, streamer)
    await save_settings(connection, streamer.id, Settings())
    await rejudging.rejudge(connection, streamer.id, OWNER)
    await settle_all(connection)
    assert (await alert_of(connection, donation_id))["status"] == "held"


async def test_what_is_judged_anew_obeys_the_smallest_amount_of_a_message(
    connection: asyncpg.Connection, streamer: BuiltStreamer
) -> None:
    donation_id, _ = await held(connection, streamer)
    await save_settings(connection, streamer.id, Settings(acts=HOLD_WORDS.acts, message_from_minor=30_001))
    await rejudging.rejudge(connection, streamer.id, OWNER)
    await settle_all(connection)
    alert = await alert_of(connection, donation_id)
    assert (alert["status"], alert["donor_name"], alert["message"]) == ("queued", "Аня", "")
    assert await public_of(connection, donation_id) == ("Аня", "")


async def test_a_small_donation_gets_no_message_by_an_exception_for_its_name(
    connection: asyncpg.Connection, streamer: BuiltStreamer
) -> None:
    await save_settings(connection, streamer.id, Settings(acts=HOLD_WORDS.acts, message_from_minor=30_001))
    donation_id = await pay(connection, streamer, "Привет", donor_name="сука Аня")
    alert_id = (await alert_of(connection, donation_id))["alert_id"]
    assert await rejudging.allow(connection, streamer.id, alert_id, 0, OWNER)
    await settle_all(connection)
    assert await public_of(connection, donation_id) == ("сука Аня", "")


async def test_who_was_blocked_meanwhile_waits_on_when_a_rule_is_lifted(
    connection: asyncpg.Connection, streamer: BuiltStreamer
) -> None:
    donation_id, _ = await held(connection, streamer)
    public_id = await connection.fetchval("SELECT public_id FROM donations WHERE id = $1", donation_id)
    await blocks.block(connection, streamer.id, public_id, BlockKind.NAME, note="", days=0, user_id=streamer.owner_id)
    await save_settings(connection, streamer.id, Settings(mode=Mode.OFF))
    await rejudging.rejudge(connection, streamer.id, OWNER)
    await settle_all(connection)
    assert (await alert_of(connection, donation_id))["status"] == "held"


# Lists and settings.


async def test_own_words(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    assert await add_words(connection, streamer.id, "word", ["Лох*", " лох* ", "", "белый  флаг"]) == 2
    assert [word.pattern for word in await list_words(connection, streamer.id)] == ["белый флаг", "лох*"]
    assert (await alert_of(connection, await pay(connection, streamer, "ну ты и лошара, лохи")))["message"] == (
        "ну ты и лошара, ***"
    )
    for lines, code in (
        (["***"], "required"), ([""], "required"), (["я*"], "too_short"), (["ы" * 61], "too_long"),
        ([f"слово {number}" for number in range(WORDS_MAX)], "too_many"),
    ):  # fmt: skip
        with pytest.raises(InvalidInputError) as error:
            await add_words(connection, streamer.id, "word", lines)
        assert error.value.code == code
    other = await make_streamer(connection)
    for word in await list_words(connection, streamer.id):
        with pytest.raises(NotFoundError):
            await remove_word(connection, other.id, word.id)
        await remove_word(connection, streamer.id, word.id)
    assert await list_words(connection, streamer.id) == []


async def test_settings_come_back_as_they_were_saved(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    assert await get_settings(connection, streamer.id) == Settings()
    wished = Settings(
        mode=Mode.APPROVE, acts=dict.fromkeys(Rule, Act.REJECT), capitals_percent=90, long_over=40, emoji_over=3,
        message_from_minor=5_000, hold_minutes=60, outcome=Outcome.SKIP,
    )  # fmt: skip
    await save_settings(connection, streamer.id, wished)
    assert await get_settings(connection, streamer.id) == wished
    with pytest.raises(InvalidInputError):
        await save_settings(connection, streamer.id, Settings(hold_minutes=61))


# Blocks.


async def public_id_of(connection: Any, donation_id: int) -> str:
    return str(await connection.fetchval("SELECT public_id FROM donations WHERE id = $1", donation_id))


async def block(connection: Any, streamer: BuiltStreamer, donation_id: int, kind: BlockKind, **more: Any) -> None:
    fields = {"note": "", "days": 1, "user_id": streamer.owner_id, **more}
    await blocks.block(connection, streamer.id, await public_id_of(connection, donation_id), kind, **fields)


async def test_a_blocked_name_is_held_in_any_spelling(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    first = await pay(connection, streamer, donor_name="Хам")
    await block(connection, streamer, first, BlockKind.NAME, note="хамил")
    donation_id = await pay(connection, streamer, donor_name="X а м")
    assert (await alert_of(connection, donation_id))["status"] == "held"
    assert await public_of(connection, donation_id) == (None, "")
    (hold,) = await holds.list_holds(connection, streamer.id)
    assert hold.reason == "blocked_name"
    other = await make_streamer(connection)
    assert (await alert_of(connection, await pay(connection, other, donor_name="Хам")))["status"] == "queued"
    (listed,) = await blocks.list_blocks(connection, streamer.id)
    assert (listed.shown, listed.note, listed.expires_at) == ("Хам", "хамил", None)
    with pytest.raises(NotFoundError):
        await blocks.unblock(connection, other.id, listed.id)
    await blocks.unblock(connection, streamer.id, listed.id)
    assert (await alert_of(connection, await pay(connection, streamer, donor_name="Хам")))["status"] == "queued"


async def test_a_masked_payer_is_held_and_never_refused(
    connection: asyncpg.Connection, streamer: BuiltStreamer
) -> None:
    first = await pay(connection, streamer, payer="430000******0777")
    await block(connection, streamer, first, BlockKind.PAYER)
    stranger = await pay(connection, streamer, donor_name="Вова", payer="430000******0777")
    assert (await alert_of(connection, stranger))["status"] == "held"
    assert (await alert_of(connection, await pay(connection, streamer, payer="430000******0778")))["status"] == "queued"
    with pytest.raises(NotAllowedError):
        await block(connection, streamer, stranger, BlockKind.ADDRESS)


async def test_an_address_is_blocked_for_a_while(connection: asyncpg.Connection, streamer: BuiltStreamer) -> None:
    here, there = b"a" * 32, b"b" * 32
    first = await pay(connection, streamer)
    await connection.execute("INSERT INTO donation_addresses VALUES ($1, $2)", first, here)
    with pytest.raises(InvalidInputError):
        await block(connection, streamer, first, BlockKind.ADDRESS, days=31)
    await block(connection, streamer, first, BlockKind.ADDRESS, days=7)
    assert await blocks.is_address_blocked(connection, streamer.id, (there, here))
    assert not await blocks.is_address_blocked(connection, streamer.id, (there,))
    # Opened before the block, paid after it.
    donation, payment = await open_donation(connection, streamer, donor_name="Вова")
    await connection.execute("INSERT INTO donation_addresses VALUES ($1, $2)", donation.id, here)
    await hear(connection, payment, N.CONFIRMED)
    assert (await alert_of(connection, donation.id))["status"] == "held"
    await connection.execute("UPDATE blocks SET created_at = now() - interval '8 days', expires_at = now()")
    assert not await blocks.is_address_blocked(connection, streamer.id, (here,))
    assert await blocks.list_blocks(connection, streamer.id) == []
    await connection.execute("UPDATE blocks SET expires_at = now() - interval '1 second'")
    await sweep(connection)
    assert await connection.fetchval("SELECT count(*) FROM blocks") == 0
