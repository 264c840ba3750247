"""Bots on `/events`: what they are told, what they are told again after an absence, and who may listen."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from domain import alert_settings, alerts, history, overlays
from domain.access_tokens import create_key, revoke_key
from domain.events import Topic
from domain.news import Source
from domain.payment_status import NewsStatus
from domain.scopes import Scope
from infra.crypto import SecretBox
from infra.jwt import issue_jwt
from tests.builders import hear, make_streamer, open_donation
from tests.realtime.conftest import SECRET_KEY, Scene, Service
from tests.realtime.overlay_client import Client, refused
from tests.support.hourly_tokens import hourly_tokens
from tests.support.servers import Servers


def person(user_id: int, *, version: int = 1, seconds: int = 600) -> str:
    return issue_jwt(SecretBox(SECRET_KEY), user_id, version, lifetime_seconds=seconds)


class Bot(Client):
    """A bot's socket; it keeps the cursor of what it took last."""

    def __init__(self, url: str, token: str, **hello: Any) -> None:
        super().__init__(url, "/events", {"token": token, **hello})
        self.cursor: str | None = None

    async def next(self) -> tuple[str, Any]:
        event, data = await super().next()
        if isinstance(data, dict):
            self.cursor = data.get("cursor", self.cursor)
        return event, data


@pytest.fixture
def bot(service: Service, scene: Scene) -> Callable[..., Bot]:
    """A bot of the streamer's."""

    def make(token: str | None = None, **hello: Any) -> Bot:
        return Bot(service.url, token or person(scene.streamer.owner_id), **hello)

    return make


async def pay(scene: Scene, **fields: Any) -> tuple[int, Any]:
    """A donation paid as the bank's news pay it: moderated, booked, counted."""
    async with scene.pool.acquire() as connection, connection.transaction():
        donation, payment = await open_donation(connection, scene.streamer, **fields)
        await hear(connection, payment, NewsStatus.CONFIRMED)
    await scene.wake(Topic.ALERTS, Topic.DONATION, Topic.TOTALS)
    return donation.id, payment


async def test_a_donation_comes_with_its_moderated_text_and_the_totals(bot: Callable[..., Bot], scene: Scene) -> None:
    async with bot() as one:
        welcome = await one.wait_for("welcome")
        assert welcome["streamer"] == {"id": scene.streamer.id, "slug": scene.streamer.slug}
        assert welcome["events"] == ["alert", "controls", "donation", "goal", "stats"]
        assert (await one.wait_for("stats"))["all_minor"] == 0
        donation_id, _ = await pay(scene, amount_minor=55_550, donor_name="Аня", message="Привет, хуй")
        donation = await one.wait_for("donation")
        assert donation["donation_id"] == donation_id
        assert (donation["change"], donation["status"]) == ("released", "paid")
        assert (donation["amount_minor"], donation["currency"], donation["is_test"]) == (55_550, "RUB", False)
        assert "хуй" not in donation["message"]
        assert donation["message"].startswith("Привет")
        stats = await one.wait_for("stats")
        assert (stats["all_minor"], stats["today_donations"]) == (55_550, 1)


async def test_a_held_donation_comes_when_it_is_let_through_and_a_hidden_one_never(
    bot: Callable[..., Bot], scene: Scene
) -> None:
    async with bot() as one:
        await one.wait_for("controls")
        held, dropped = await scene.donate("раз", held=True), await scene.donate("два", held=True)
        free = await scene.donate("три")
        assert (await one.wait_for("donation"))["donation_id"] == free
        async with scene.pool.acquire() as connection, connection.transaction():
            rows = {row["donation_id"]: row for row in await connection.fetch("SELECT * FROM alerts")}
            for donation_id, outcome in ((held, "show_without_text"), (dropped, "skip")):
                await connection.execute(
                    "INSERT INTO holds (alert_id, streamer_id, donation_id, reason, decide_by, outcome, settled_at) "
                    "VALUES ($1, $2, $3, 'rules', now(), $4, now())",
                    rows[donation_id]["id"], scene.streamer.id, donation_id, outcome,
                )  # fmt: skip
                await connection.execute(
                    "INSERT INTO moderation_decisions (streamer_id, donation_id, what, by_kind) "
                    "VALUES ($1, $2, 'hold', 'rules')",
                    scene.streamer.id, donation_id,
                )  # fmt: skip
            await alerts.approve(connection, scene.streamer.id, rows[held]["alert_id"])
            await alerts.drop(connection, scene.streamer.id, rows[dropped]["alert_id"])
        await scene.wake(Topic.ALERTS)
        told = await one.wait_for("donation")
        assert (told["donation_id"], told["change"]) == (held, "released")
        last = await scene.donate("четыре")
        assert (await one.wait_for("donation"))["donation_id"] == last


async def test_what_becomes_of_a_donation_later_comes_too(bot: Callable[..., Bot], scene: Scene) -> None:
    async with bot() as one:
        await one.wait_for("welcome")
        donation_id, payment = await pay(scene)
        assert (await one.wait_for("donation"))["change"] == "released"
        async with scene.pool.acquire() as connection, connection.transaction():
            await history.set_hidden(connection, scene.streamer.id, donation_id, True)
        await scene.wake(Topic.DONATION)
        hidden = await one.wait_for("donation")
        assert (hidden["change"], hidden["is_hidden"]) == ("changed", True)
        assert (hidden["donor_name"], hidden["message"]) == (None, "")
        async with scene.pool.acquire() as connection, connection.transaction():
            await history.set_hidden(connection, scene.streamer.id, donation_id, False)
        await scene.wake(Topic.DONATION)
        shown = await one.wait_for("donation")
        assert (shown["change"], shown["is_hidden"], shown["donor_name"]) == ("changed", False, "Аня")
        async with scene.pool.acquire() as connection, connection.transaction():
            await hear(connection, payment, NewsStatus.REFUNDED, source=Source.POLL)
        await scene.wake(Topic.DONATION)
        refunded = await one.wait_for("donation")
        assert (refunded["donation_id"], refunded["status"]) == (donation_id, "refunded")
        assert (refunded["change"], refunded["refunded_minor"]) == ("changed", refunded["amount_minor"])
        # One that its streamer does not want on the screen is a donation all the same.
        async with scene.pool.acquire() as connection, connection.transaction():
            settings = await alert_settings.get_settings(connection, scene.streamer.id)
            await alert_settings.save_settings(connection, scene.streamer.id, replace(settings, alerts_enabled=False))
        unshown, _ = await pay(scene)
        assert await scene.status(unshown) == "dropped"
        assert (await one.wait_for("donation"))["donation_id"] == unshown


async def pay_unlisted(scene: Scene, message: str) -> int:
    """As the first version's API makes one that is not public: hidden before it is paid."""
    async with scene.pool.acquire() as connection, connection.transaction():
        donation, payment = await open_donation(connection, scene.streamer, message=message)
        await history.set_hidden(connection, scene.streamer.id, donation.id, True)
    async with scene.pool.acquire() as connection, connection.transaction():
        await hear(connection, payment, NewsStatus.CONFIRMED)
    await scene.wake(Topic.ALERTS, Topic.DONATION, Topic.TOTALS)
    return donation.id


async def set_hidden(scene: Scene, donation_id: int, is_hidden: bool) -> None:
    async with scene.pool.acquire() as connection, connection.transaction():
        assert await history.set_hidden(connection, scene.streamer.id, donation_id, is_hidden)
    await scene.wake(Topic.DONATION)


def told(donation: Any) -> tuple[Any, ...]:
    return tuple(donation[name] for name in ("donation_id", "change", "is_hidden", "donor_name", "message"))


async def test_one_that_was_never_in_lists_is_released_without_its_words(bot: Callable[..., Bot], scene: Scene) -> None:
    async with bot() as one:
        await one.wait_for("controls")
        unlisted = await pay_unlisted(scene, "Никому")
        assert await scene.status(unlisted) == "queued"
        assert told(await one.wait_for("donation")) == (unlisted, "released", True, None, "")
        await one.wait_for("cursor")
        cursor = one.cursor
        for is_hidden, words in ((False, ("Аня", "Никому")), (True, (None, ""))):
            await set_hidden(scene, unlisted, is_hidden)
            assert told(await one.wait_for("donation")) == (unlisted, "changed", is_hidden, *words)
    # Whoever was away: what was hidden when it was paid is new, what the streamer hid later is none to speak of.
    away, taken_back = await pay_unlisted(scene, "Тихо"), (await pay(scene, message="Громко"))[0]
    await set_hidden(scene, taken_back, True)
    async with bot(after=cursor) as one:
        changes = [told(await one.wait_for("donation")) for _ in range(3)]
        assert sorted(changes) == [
            (unlisted, "changed", True, None, ""),
            (away, "released", True, None, ""),
            (taken_back, "changed", True, None, ""),
        ]


async def test_tests_and_replays_are_alerts_and_no_donations(
    bot: Callable[..., Bot], scene: Scene, service: Service
) -> None:
    donation_id, _ = await pay(scene)
    async with bot() as one:
        await one.wait_for("controls")
        async with service.overlay(scene) as overlay:
            await overlay.show(await overlay.offer())
            async with scene.pool.acquire() as connection, connection.transaction():
                test_id = await alerts.enqueue_test(connection, scene.streamer.id, 30_000, "Проверка", "Раз")
                await alerts.replay(connection, scene.streamer.id, donation_id)
            await scene.wake(Topic.ALERTS)
            for _ in range(2):
                await overlay.show(await overlay.offer())
            await scene.wake(Topic.ALERTS)
            seen: dict[str, list[str]] = {}
            while len([kind for kind, states in seen.items() if states[-1] == "shown"]) < 3:
                event, data = await one.next()
                assert event != "donation"
                if event == "alert":
                    seen.setdefault(data["kind"], []).append(data["status"])
                    assert data["alert_id"] == str(test_id) or data["kind"] != "test"
            assert set(seen) == {"donation", "test", "replay"}


async def test_controls_and_goals_are_told_as_they_are(bot: Callable[..., Bot], scene: Scene) -> None:
    async with bot() as one:
        assert (await one.wait_for("controls"))["paused"] is False
        async with scene.pool.acquire() as connection, connection.transaction():
            await overlays.set_paused(connection, scene.streamer.id, True)
            await overlays.set_muted(connection, scene.streamer.id, True)
        await scene.wake(Topic.CONTROLS)
        told = await one.wait_for("controls")
        assert (told["paused"], told["muted"], told["overlay"]) == (True, True, False)
        async with scene.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO goals (streamer_id, title, place, target_minor, status, started_at) "
                "VALUES ($1, 'Микрофон', 1, 60000, 'active', now())",
                scene.streamer.id,
            )
        await scene.wake(Topic.GOALS)
        assert (await one.wait_for("goal"))["raised_minor"] == 0
        await pay(scene, amount_minor=60_000)
        goal = await one.wait_for("goal")
        assert (goal["raised_minor"], goal["is_reached"], goal["title"]) == (60_000, True, "Микрофон")


async def test_who_comes_back_gets_what_it_missed_and_nothing_twice_once_told_the_place(
    bot: Callable[..., Bot], scene: Scene
) -> None:
    async with bot() as one:
        await one.wait_for("welcome")
        first, _ = await pay(scene)
        assert (await one.wait_for("donation"))["donation_id"] == first
        await one.wait_for("cursor")
        cursor = one.cursor
    missed = [(await pay(scene, message=f"Письмо {number}"))[0] for number in range(3)]
    async with bot(after=cursor) as one:
        told = [await one.wait_for("donation") for _ in missed]
        assert [donation["donation_id"] for donation in told] == missed
        assert {donation["change"] for donation in told} == {"released"}
        middle = told[1]["cursor"]
    # In the middle of it: from there on, perhaps once more.
    async with bot(after=middle) as one:
        ids: list[int] = []
        while not ids or ids[-1] != missed[-1]:
            ids.append((await one.wait_for("donation"))["donation_id"])
        assert first not in ids
    # Without a cursor only what is new comes.
    async with bot() as one:
        await one.wait_for("controls")
        new, _ = await pay(scene)
        assert (await one.wait_for("donation"))["donation_id"] == new
    # What is older than a day is left out, and that is said.
    await scene.pool.execute("UPDATE donations SET paid_at = now() - interval '25 hours' WHERE id = $1", first)
    async with bot(after="t0") as one:
        assert "cursor" in await one.wait_for("gap")
        assert (await one.wait_for("donation"))["donation_id"] == missed[0]


async def test_what_a_slow_transaction_wrote_is_told_although_younger_was(
    bot: Callable[..., Bot], scene: Scene
) -> None:
    """Each bears the time its transaction began at, and they are seen in another order."""
    async with bot() as one, scene.pool.acquire() as slow:
        await one.wait_for("controls")
        transaction = slow.transaction()
        await transaction.start()
        donation, payment = await open_donation(slow, scene.streamer)
        await hear(slow, payment, NewsStatus.CONFIRMED)
        # Another streamer's totals are not locked; this one's are, so her money is written without them.
        young = await scene.donate("Раньше видна")
        told = await one.wait_for("donation")
        assert told["donation_id"] == young
        # Open for longer than the margin, and looked at since: the horizon stands still as long as it is open.
        await until(lambda: slow.fetchval("SELECT clock_timestamp() - now() > interval '4 seconds'"))
        later = await scene.donate("Ещё одна")
        assert (await one.wait_for("donation"))["donation_id"] == later
        cursor_before = one.cursor
        await transaction.commit()
        await scene.wake(Topic.DONATION)
        told = await one.wait_for("donation")
        assert (told["donation_id"], told["change"]) == (donation.id, "released")
        cursor = told["cursor"]
    for after in (cursor_before, cursor):
        async with bot(after=after) as one:
            ids: set[int] = set()
            while donation.id not in ids:
                ids.add((await one.wait_for("donation"))["donation_id"])


async def test_many_at_once_are_all_told_and_none_lost(bot: Callable[..., Bot], scene: Scene) -> None:
    async with bot() as one, bot(after="t0") as other:
        for listener in (one, other):
            await listener.wait_for("controls")

        async def give(number: int) -> int:
            async with scene.pool.acquire() as connection, connection.transaction():
                await connection.execute("SELECT now(), pg_sleep($1)", number % 7 / 10)
                donation, payment = await open_donation(connection, scene.streamer, message=f"№ {number}")
                await hear(connection, payment, NewsStatus.CONFIRMED)
            await scene.wake(Topic.DONATION)
            return donation.id

        given = set(await asyncio.gather(*(give(number) for number in range(40))))
        for listener in (one, other):
            told: list[int] = []
            while set(told) != given:
                told.append((await listener.wait_for("donation"))["donation_id"])
            assert len(told) == len(given)


async def test_without_redis_news_come_within_two_seconds_or_so(
    bot: Callable[..., Bot], scene: Scene, services: Servers
) -> None:
    async with bot() as one:
        await one.wait_for("controls")
        services.valkey.stop()
        async with scene.pool.acquire() as connection, connection.transaction():
            donation, payment = await open_donation(connection, scene.streamer)
            await hear(connection, payment, NewsStatus.CONFIRMED)
        assert (await one.wait_for("donation"))["donation_id"] == donation.id


async def wait_until_refused(bot: Bot) -> Any:
    data = await bot.wait_for("refused")
    await bot.wait_for("disconnect")
    return data


async def make_key(scene: Scene, *scopes: Scope) -> tuple[int, str]:
    async with scene.pool.acquire() as connection, connection.transaction():
        key = await create_key(
            connection, scene.streamer.owner_id, scene.streamer.id, name="Бот", scopes=scopes, days=30
        )
    return key.id, key.token


async def test_a_key_hears_what_its_scopes_say_until_it_is_revoked(bot: Callable[..., Bot], scene: Scene) -> None:
    key_id, token = await make_key(scene, Scope.DONATIONS_READ, Scope.PROFILE_READ)
    _, other = await make_key(scene, Scope.STATS_READ, Scope.GOALS_READ)
    _, deaf = await make_key(scene, Scope.PROFILE_READ, Scope.DONATIONS_ORIGINAL)
    assert (await refused(bot(deaf)))["code"] == "no_scope"
    assert (await refused(bot(token, streamer="another")))["code"] == "wrong_streamer"
    async with bot(token, streamer=scene.streamer.slug) as one, bot(other) as counter:
        assert (await one.wait_for("welcome"))["events"] == ["donation"]
        assert (await counter.wait_for("welcome"))["events"] == ["goal", "stats"]
        await counter.wait_for("stats")
        await pay(scene)
        assert (await one.wait_for("donation"))["change"] == "released"
        assert (await counter.next())[0] == "stats"
        async with scene.pool.acquire() as connection, connection.transaction():
            await revoke_key(connection, scene.streamer.owner_id, key_id, by_user_id=scene.streamer.owner_id)
        assert (await wait_until_refused(one))["code"] == "revoked"
        assert {*one.heard_so_far(), *counter.heard_so_far()} <= {"cursor"}
    assert (await refused(bot(token)))["code"] == "unknown_token"


async def test_a_person_is_shown_out_when_her_token_is_over_or_she_signs_out_everywhere(
    bot: Callable[..., Bot], scene: Scene
) -> None:
    # Long enough to be let in with it.
    async with bot() as one, bot(person(scene.streamer.owner_id, seconds=6)) as short:
        await one.wait_for("welcome")
        await short.wait_for("welcome")
        assert (await wait_until_refused(short))["code"] == "revoked"
        await scene.pool.execute(
            "UPDATE users SET token_version = token_version + 1 WHERE id = $1", scene.streamer.owner_id
        )
        assert (await wait_until_refused(one))["code"] == "revoked"
    assert (await refused(bot()))["code"] == "unknown_token"


HELLOS: list[Any] = [
    None, "token", [], {}, {"token": 5}, {"token": ""}, {"token": "x" * 3_000}, {"token": "x", "after": 7},
    {"token": "x", "after": "yesterday"}, {"token": "x", "after": "t" + "9" * 30}, {"token": "x", "after": "t-1"},
    {"token": "x", "streamer": 7}, {"token": "x", "streamer": ""},
]  # fmt: skip


async def test_strangers_hear_nothing_and_an_operator_any_streamer(
    bot: Callable[..., Bot], service: Service, scene: Scene
) -> None:
    for hello in HELLOS:
        assert (await refused(Client(service.url, "/events", hello)))["code"] == "bad_message", hello
    for token in ("x", "sc_" + "x" * 40, scene.token, "a.b.c", "\ud800"):
        code = (await refused(Bot(service.url, token)))["code"]
        assert code in ("unknown_token", "bad_message"), token
    async with scene.pool.acquire() as connection, connection.transaction():
        other = await make_streamer(connection)
        nobody = await connection.fetchval(
            "INSERT INTO users (email, password_hash) VALUES ('n@example.org', 'none') RETURNING id"
        )
    assert (await refused(bot(person(other.owner_id), streamer=scene.streamer.slug)))["code"] == "wrong_streamer"
    assert (await refused(bot(person(nobody))))["code"] == "wrong_streamer"
    await scene.pool.execute("UPDATE users SET is_superuser = true WHERE id = $1", nobody)
    async with bot(person(nobody), streamer=scene.streamer.slug) as operator, bot(person(other.owner_id)) as stranger:
        await operator.wait_for("controls")
        await stranger.wait_for("controls")
        donation_id, _ = await pay(scene)
        assert (await operator.wait_for("donation"))["donation_id"] == donation_id
        async with scene.pool.acquire() as connection:
            await connection.execute("UPDATE users SET is_superuser = false WHERE id = $1", nobody)
        assert (await wait_until_refused(operator))["code"] == "revoked"
        assert "donation" not in stranger.heard_so_far()


async def connected(bot: Bot) -> bool:
    try:
        await bot.connect()
    except Exception:
        return False
    await bot.leave()
    return True


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.05)


async def test_who_talks_is_answered_who_floods_is_shown_out_and_connections_are_limited(
    bot: Callable[..., Bot], scene: Scene
) -> None:
    async with bot() as quiet, bot() as talker:
        await quiet.wait_for("controls")
        assert (await talker.say("subscribe", {"to": "everything"}))["code"] == "unknown_message"
        for _ in range(30):
            await talker.socket.emit("donation", {"amount_minor": 1}, namespace="/events")
        await talker.wait_for("disconnect")
        donation_id, _ = await pay(scene)
        assert (await quiet.wait_for("donation"))["donation_id"] == donation_id
    bots = [await bot().connect() for _ in range(10)]
    assert (await refused(bot()))["code"] == "too_many"
    await bots.pop().leave()
    await until(lambda: connected(bot()))
    for one in bots:
        await one.leave()


async def test_an_applications_tokens_share_its_ten_connections(bot: Callable[..., Bot], scene: Scene) -> None:
    async with scene.pool.acquire() as connection, connection.transaction():
        first, second = await hourly_tokens(
            connection, SecretBox(SECRET_KEY), scene.streamer, [Scope.DONATIONS_READ], hours=2
        )
        [another] = await hourly_tokens(
            connection, SecretBox(SECRET_KEY), scene.streamer, [Scope.DONATIONS_READ], hours=1
        )
    bots = [await bot(first).connect() for _ in range(5)] + [await bot(second).connect() for _ in range(5)]
    assert (await refused(bot(first)))["code"] == (await refused(bot(second)))["code"] == "too_many"
    assert await connected(bot(another))
    for one in bots:
        await one.leave()
