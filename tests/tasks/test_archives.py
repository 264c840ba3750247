"""The file with one's own data: all that is kept of the account is in it, and nothing that is another's or a secret."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any
from zipfile import ZipFile

import pytest

from domain import archives, exports
from domain.errors import NotAllowedError
from domain.exports import ExportState
from domain.news import Source
from domain.payment_status import NewsStatus as N
from infra.settings import Settings
from tasks.archives import pack_archive
from tasks.runtime import Parts, close_parts, open_parts
from tests.builders import TERMINAL_PASSWORD, BuiltStreamer, hear, make_streamer, open_donation
from web.archive_words import file_descriptions, readme
from web.i18n import use_locale
from web.pages.exports import file_words

# Tables about a user or a streamer that are not in the archive, and why.
LEFT_OUT = {
    "alerts": "the showings stand with their donations; tests and replays say nothing of anybody, and what one's own"
    " programs showed is forgotten within a month",
    "confirmations": "codes under way, gone within a day",
    "donation_forms": "keys of forms, gone within a day",
    "export_chunks": "files",
    "exports": "files made of what is in the archive",
    "goal_arrears": "what a goal has still to learn of the donations",
    "holds": "what waits for a decision now; the decisions are in the log",
    "idempotency_keys": "answers to the owner's own programs, gone within a day",
    "ledger_days": "sums of the donations", "ledger_entries": "sums of the donations",
    "ledger_folds": "how far they are counted", "ledger_transactions": "the books, which the page about money gives",
    "moderation_presence": "who looks at the moment",
    "one_time_links": "secrets", "overlays": "what is connected at the moment",
    "payment_news": "what the bank said; what came of it stands with the donation",
    "registry_marks": "about differences of the books", "registry_rows": "lines of the bank's files",
    "speakers": "what plays at the moment", "statistics_counts": "sums of the donations",
    "streamer_days": "sums of the donations", "streamer_totals": "sums of the donations",
}  # fmt: skip
PACKED_BY_ANOTHER_NAME = {
    "access_tokens", "account_log", "alert_actions", "alert_settings", "api_donations", "applications", "blocks",
    "chargebacks", "control_buttons", "donations", "first_steps", "goals", "grants", "identities", "known_browsers",
    "letters", "manual_donations", "media", "media_files", "moderation_decisions", "moderation_settings",
    "moderation_words", "moderators", "npd_cheques", "overlay_tokens", "payments", "refunds", "registry_files",
    "requisites", "sessions", "slugs", "streamer_extras", "streamers", "terminals", "terms", "user_profiles",
    "webhooks",
}  # fmt: skip


@pytest.fixture
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    parts = await open_parts(settings, pool_size=4)
    yield parts
    await close_parts(parts)


async def ask(parts: Parts, user_id: int, locale: str = "ru") -> int:
    with use_locale(locale):
        words = {**file_words(""), "readme": readme()}
    async with parts.pool.acquire() as connection, connection.transaction():
        await archives.ask_for(connection, user_id, words=words, time_zone="Europe/Moscow")
        found: int = await connection.fetchval("SELECT max(id) FROM exports")
    return found


async def packed(parts: Parts, user_id: int, locale: str = "ru") -> ZipFile:
    export_id = await ask(parts, user_id, locale)
    await pack_archive(parts, export_id)
    body = b"".join([chunk async for chunk in exports.read_file(parts.pool, export_id)])
    async with parts.pool.acquire() as connection:
        archive = await archives.get_latest(connection, user_id)
    assert archive is not None
    assert (archive.state, archive.bytes, archive.percent) == (ExportState.DONE, len(body), 100)
    return ZipFile(io.BytesIO(body))


def read(archive: ZipFile, name: str) -> Any:
    return json.loads(archive.read(f"{name}.json"))


async def live(connection: Any, streamer: BuiltStreamer, name: str, message: str) -> None:
    """Something of what a streamer leaves behind."""
    _, payment = await open_donation(connection, streamer, donor_name=name, message=message)
    await hear(connection, payment, N.CONFIRMED, source=Source.POLL, raw=b"the bank's own words")
    whose = {"streamer": streamer.id, "user": streamer.owner_id}
    for statement in (
        (
            "INSERT INTO sessions (token_hash, user_id, expires_at, user_agent)"
            " VALUES (sha256('{streamer}'), {user}, now() + interval '1 day', 'Firefox')"
        ),
        "INSERT INTO identities (user_id, provider, subject, name) VALUES ({user}, 'yandex', 's{user}', 'Anna Ya')",
        "INSERT INTO requisites (streamer_id, kind, full_name) VALUES ({streamer}, 'npd', 'Иванова Анна')",
        (
            "INSERT INTO media (streamer_id, kind, sha256, content_type, content)"
            " VALUES ({streamer}, 'avatar', sha256('webp{streamer}'), 'image/webp', 'webp{streamer}')"
        ),
        (
            "INSERT INTO media_files (public_id, streamer_id, content_type, name, uploaded_sha256, state, content,"
            " width, height, frames) VALUES (md5('{streamer}'), {streamer}, 'image/jpeg', 'кот.jpg',"
            " sha256('raw{streamer}'), 'ready', 'jpeg{streamer}', 1, 1, 1)"
        ),
        (
            "INSERT INTO overlay_tokens (streamer_id, token_hash, token_encrypted)"
            " VALUES ({streamer}, sha256('token{streamer}'), 'overlay-secret')"
        ),
        (
            "INSERT INTO control_buttons (streamer_id, name, control, token_hash, token_encrypted, locale)"
            " VALUES ({streamer}, 'Пропуск', 'skip', sha256('b{streamer}'), 'button-secret', 'ru')"
        ),
        (
            "INSERT INTO webhooks (streamer_id, name, url, events, secret_encrypted) VALUES"
            " ({streamer}, 'Бот', 'https://bot.example.org/?key=receiver-secret', '{{goal.reached}}', 'hook-secret')"
        ),
        (
            "INSERT INTO blocks (streamer_id, kind, value, shown, expires_at)"
            " VALUES ({streamer}, 'address', 'a1b2c3', 'Тролль', now() + interval '1 day')"
        ),
        "UPDATE donations SET donor_email = 'donor@example.org' WHERE streamer_id = {streamer}",
    ):
        await connection.execute(statement.format(**whose))


async def test_all_of_her_own_and_nothing_of_anothers(parts: Parts) -> None:
    async with parts.pool.acquire() as connection, connection.transaction():
        anna, bert = await make_streamer(connection), await make_streamer(connection)
        await live(connection, anna, "Аня", "=1+1 привет")
        await live(connection, bert, "Кузьма", "чужое")
    archive = await packed(parts, anna.owner_id)
    assert archive.testzip() is None
    (account,) = read(archive, "account")
    assert account["email"] == f"{anna.slug}@example.org"
    assert [row["user_agent"] for row in read(archive, "sessions")] == ["Firefox"]
    assert [row["name"] for row in read(archive, "linked_accounts")] == ["Anna Ya"]
    (page,) = read(archive, "page")
    assert (page["slug"], page["slugs"]) == (anna.slug, [anna.slug])
    assert read(archive, "requisites")[0]["full_name"] == "Иванова Анна"
    assert read(archive, "payment_accounts")[0]["terminal_key"] == anna.terminal_key
    (donation,) = read(archive, "donations")
    assert (donation["donor_name"], donation["message"], donation["consent_version"]) == (
        "Аня", "=1+1 привет", "2026-11-22",
    )  # fmt: skip
    assert donation["payments"][0]["confirmed_minor"] == 30_000
    assert donation["consented_at"]
    table = list(csv.reader(io.StringIO(archive.read("donations.csv").decode("utf-8-sig")), delimiter=";"))
    assert table[0][:2] == ["Когда", "Сумма, ₽"]
    assert "Аня" in table[1]
    assert "'=1+1 привет" in table[1], "a spreadsheet calculates nothing of a donor's"
    pictures = [name for name in archive.namelist() if name.startswith("media/")]
    assert [archive.read(name) for name in pictures] == [f"webp{anna.id}".encode()]
    (upload,) = read(archive, "uploads")
    assert (upload["name"], upload["state"]) == ("кот.jpg", "ready")
    assert archive.read(f"uploads/{upload['file']}") == f"jpeg{anna.id}".encode()

    everything = "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    for foreign in ("Кузьма", "чужое", bert.slug, bert.terminal_key):
        assert foreign not in everything
    for secret in (TERMINAL_PASSWORD, "overlay-secret", "button-secret", "hook-secret", "receiver-secret",
                   "password_hash", "token", "a1b2c3",
                   "donor@example.org", "the bank's own words"):  # fmt: skip
        assert secret not in everything, secret


async def test_the_readme_says_what_each_file_is(parts: Parts) -> None:
    async with parts.pool.acquire() as connection, connection.transaction():
        anna = await make_streamer(connection)
        await live(connection, anna, "Аня", "привет")
    archive = await packed(parts, anna.owner_id)
    names = {name.split("/")[0] + "/" * ("/" in name) for name in archive.namelist()}
    assert names == {"README.txt", *file_descriptions()}
    assert "Здесь всё, что сайт хранит" in archive.read("README.txt").decode()
    english = await packed(parts, anna.owner_id, "en")
    text = english.read("README.txt").decode()
    assert "This is all that the site keeps" in text
    assert all(name in text for name in file_descriptions())


async def test_an_account_without_a_page(parts: Parts) -> None:
    user_id = await parts.pool.fetchval("INSERT INTO users (email, password_hash) VALUES ('x@y.z', '') RETURNING id")
    archive = await packed(parts, user_id)
    assert [row["email"] for row in read(archive, "account")] == ["x@y.z"]
    assert read(archive, "donations") == []
    assert "donations.csv" not in archive.namelist()


async def test_what_she_gave_to_others(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "STEP", 2)
    async with parts.pool.acquire() as connection, connection.transaction():
        anna, bert = await make_streamer(connection), await make_streamer(connection)
        for number in range(3):
            donation, _ = await open_donation(connection, bert, message=f"донат {number}")
            await connection.execute(
                "INSERT INTO api_donations (donation_id, streamer_id, user_id, payment_method, client_order_id)"
                " VALUES ($1, $2, $3, 'card', $4)",
                donation.id, bert.id, anna.owner_id, f"order-{number}",
            )  # fmt: skip
        await open_donation(connection, bert, message="чужой")
    sent = read(await packed(parts, anna.owner_id), "donations_sent")
    assert [(row["message"], row["client_order_id"]) for row in sent] == [
        (f"донат {number}", f"order-{number}") for number in range(3)
    ]
    assert read(await packed(parts, bert.owner_id), "donations_sent") == []


async def test_many_donations_come_in_steps(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "STEP", 2)
    async with parts.pool.acquire() as connection, connection.transaction():
        anna = await make_streamer(connection)
        for number in range(5):
            await open_donation(connection, anna, message=f"донат {number}")
    archive = await packed(parts, anna.owner_id)
    assert [row["message"] for row in read(archive, "donations")] == [f"донат {number}" for number in range(5)]


async def test_one_at_a_time_and_two_workers_make_one(parts: Parts) -> None:
    async with parts.pool.acquire() as connection, connection.transaction():
        anna = await make_streamer(connection)
    export_id = await ask(parts, anna.owner_id)
    with pytest.raises(NotAllowedError):
        await ask(parts, anna.owner_id)
    await asyncio.gather(pack_archive(parts, export_id), pack_archive(parts, export_id))
    await pack_archive(parts, export_id)
    assert await parts.pool.fetchval("SELECT tries FROM exports") == 1
    assert await parts.pool.fetchval("SELECT count(*) FROM export_chunks") == 1


async def test_a_lost_wish_is_asked_for_again_under_its_own_name(parts: Parts) -> None:
    async with parts.pool.acquire() as connection, connection.transaction():
        anna = await make_streamer(connection)
    export_id = await ask(parts, anna.owner_id)
    await parts.pool.execute("DELETE FROM outbox")
    await parts.pool.execute("UPDATE exports SET next_try_at = now() - interval '1 second'")
    async with parts.pool.acquire() as connection, connection.transaction():
        assert await exports.ask_due(connection) == 1
    row = await parts.pool.fetchrow("SELECT name, data FROM outbox")
    assert row is not None
    assert (row["name"], row["data"]["argument"]) == ("pack_archive", export_id)


async def test_deleted_while_it_is_packed(parts: Parts) -> None:
    async with parts.pool.acquire() as connection, connection.transaction():
        anna = await make_streamer(connection)
    export_id = await ask(parts, anna.owner_id)
    async with parts.pool.acquire() as connection, connection.transaction():
        assert await exports.claim(connection, export_id) is not None
        assert await archives.delete_all(connection, anna.owner_id)
        assert not await archives.delete_all(connection, anna.owner_id)
    await pack_archive(parts, export_id)
    assert await parts.pool.fetchval("SELECT count(*) FROM export_chunks") == 0


async def test_every_table_about_somebody_is_in_it_or_left_out_for_a_reason(parts: Parts) -> None:
    rows = await parts.pool.fetch(
        "SELECT DISTINCT table_name FROM information_schema.columns JOIN pg_tables ON tablename = table_name"
        " WHERE schemaname = 'public' AND column_name IN ('user_id', 'streamer_id', 'owner_id')"
    )
    assert {row["table_name"] for row in rows} - set(LEFT_OUT) - PACKED_BY_ANOTHER_NAME == set()
