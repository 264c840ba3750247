"""Mailing letters: what is tried again, what is given up, and that a code does not stay behind."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from domain import letters
from domain.events import Actor
from domain.letters import Kind
from infra.embedded import free_port
from infra.settings import Settings
from simulator.clock import Clock
from simulator.mailbox import Mailbox
from tasks.letters import render, send_letter, site_values
from tasks.runtime import Parts, close_parts, open_parts


@dataclass
class Desk:
    parts: Parts
    box: Mailbox

    async def post(self, recipient: str, kind: Kind = Kind.REGISTER, **more: Any) -> int:
        async with self.parts.pool.acquire() as connection, connection.transaction():
            return await letters.post(
                connection, kind, recipient, "en", site="x.org", box=self.parts.box, secret="123456", **more
            )

    async def row(self, letter_id: int) -> dict[str, Any]:
        row = await self.parts.pool.fetchrow("SELECT * FROM letters WHERE id = $1", letter_id)
        assert row is not None
        return dict(row)

    async def be_due(self, letter_id: int) -> None:
        await self.parts.pool.execute("UPDATE letters SET next_try_at = now() WHERE id = $1", letter_id)


@pytest.fixture
async def desk(settings: Settings) -> AsyncIterator[Desk]:
    port = free_port()
    box = Mailbox(Clock(time.time))
    server = await box.listen("127.0.0.1", port)
    more = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_security": "none", "smtp_timeout_seconds": 3}
    parts = await open_parts(settings.model_copy(update=more), pool_size=4)
    yield Desk(parts, box)
    await close_parts(parts)
    server.close()


async def test_a_letter_goes_once_whatever_repeats(desk: Desk) -> None:
    letter_id = await desk.post("anna@example.org")
    await asyncio.gather(*(send_letter(desk.parts, letter_id) for _ in range(5)))
    await send_letter(desk.parts, letter_id)
    await send_letter(desk.parts, letter_id + 1)
    assert len(desk.box.letters) == 1
    assert desk.box.letters[0].subject.startswith("123456 is your code")
    row = await desk.row(letter_id)
    assert (row["status"], row["secret_encrypted"]) == ("sent", None)


async def test_a_busy_server_is_asked_again_later_each_time(desk: Desk) -> None:
    letter_id = await desk.post("busy@example.org")
    waits = []
    for _ in range(3):
        await desk.be_due(letter_id)
        await send_letter(desk.parts, letter_id)
        row = await desk.row(letter_id)
        assert (row["status"], row["error_reason"]) == ("waiting", "busy")
        waits.append(await desk.parts.pool.fetchval("SELECT extract(epoch FROM next_try_at - now()) FROM letters"))
    assert waits == sorted(waits)
    assert waits[-1] > 30
    asked = await desk.parts.pool.fetch("SELECT available_at > now() AS later FROM outbox WHERE name = 'send_letter'")
    assert [row["later"] for row in asked] == [False, True, True, True]
    # Before its time a lost or repeated message does nothing.
    await send_letter(desk.parts, letter_id)
    assert (await desk.row(letter_id))["tries"] == 3


async def test_an_unknown_recipient_is_given_up_and_the_code_goes(desk: Desk) -> None:
    letter_id = await desk.post("unknown@example.org")
    await send_letter(desk.parts, letter_id)
    row = await desk.row(letter_id)
    assert (row["status"], row["error_reason"], row["secret_encrypted"]) == ("failed", "recipient", None)
    assert "550" in row["error_message"]


async def test_a_code_that_is_too_old_is_not_mailed(desk: Desk) -> None:
    letter_id = await desk.post("anna@example.org", minutes=15)
    await desk.parts.pool.execute("UPDATE letters SET expires_at = now()")
    await send_letter(desk.parts, letter_id)
    row = await desk.row(letter_id)
    assert (row["status"], row["error_reason"], row["secret_encrypted"]) == ("failed", "late", None)
    assert not desk.box.letters


async def test_one_that_was_being_sent_when_its_worker_died_goes_with_the_same_id(desk: Desk) -> None:
    letter_id = await desk.post("anna@example.org")
    async with desk.parts.pool.acquire() as connection:
        assert await letters.claim(connection, letter_id) is not None
        assert await letters.claim(connection, letter_id) is None
        await connection.execute("DELETE FROM outbox")
        await connection.execute("UPDATE letters SET next_try_at = now() - interval '31 seconds'")
        assert await letters.ask_due(connection) == 1
        assert await connection.fetchval("SELECT name FROM outbox") == Actor.SEND_LETTER
    await send_letter(desk.parts, letter_id)
    (letter,) = desk.box.letters
    assert dict(letter.headers)["Message-ID"] == (await desk.row(letter_id))["message_id"]


async def test_a_late_word_of_a_former_try_changes_nothing(desk: Desk) -> None:
    letter_id = await desk.post("anna@example.org")
    async with desk.parts.pool.acquire() as connection:
        former = await letters.claim(connection, letter_id)
        assert former is not None
        await desk.be_due(letter_id)
        assert await letters.claim(connection, letter_id) is not None
        await letters.give_up(connection, former, "busy", "")
    assert (await desk.row(letter_id))["status"] == "waiting"


async def test_an_address_in_cyrillic_gets_its_letter(desk: Desk) -> None:
    letter_id = await desk.post("аня@почта.рф")
    await send_letter(desk.parts, letter_id)
    assert (await desk.row(letter_id))["status"] == "sent"


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("locale", ["ru", "en"])
def test_every_letter_has_words_in_both_languages(kind: Kind, locale: str, settings: Settings) -> None:
    values = {**site_values(settings), "secret": "123456", "day": "5 марта", "new_email": "new@example.org"}
    values |= {"title": "VK ID", "provider": "YooKassa", "key_end": "0501", "page": "anna"}
    values |= {"hint": "x7Qa", "site_of": "bot.example.org"}
    values |= {"name": "Bot", "webhook": "7", "is_gone": "yes"}
    subject, text = render(kind, locale, values)
    assert 10 < len(subject) < 90
    assert text.count("\n") > 5
    assert max(map(len, text.splitlines())) <= 76
    assert "<" not in text
    assert ("123456" in text) == (kind in (Kind.REGISTER, Kind.VERIFY, Kind.PASSWORD, Kind.EMAIL))
