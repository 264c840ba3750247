"""A selection of donations made a file: what is in it; neither a death, nor a cancel, nor two workers spoil it."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from domain import exports, manual_donations
from domain.errors import NotAllowedError
from domain.exports import ExportState, Format
from domain.history import Selection, State
from domain.manual_donations import NewManual
from domain.news import Source
from domain.payment_status import NewsStatus as N
from infra.settings import KeepDays, Settings
from tasks import exports as tasks_exports
from tasks.export_files import Kopecks, XlsxFile
from tasks.exports import export_donations
from tasks.runtime import Parts, close_parts, open_parts
from tasks.sweeps import forget, sweep
from tests.builders import BuiltStreamer, hear, make_streamer, open_donation
from web.pages.exports import file_words

MOSCOW = ZoneInfo("Europe/Moscow")
FORMULA = '=HYPERLINK("https://evil.example";"жми")'


@pytest.fixture
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    parts = await open_parts(settings, pool_size=4)
    yield parts
    await close_parts(parts)


@pytest.fixture
async def streamer(parts: Parts) -> BuiltStreamer:
    async with parts.pool.acquire() as connection, connection.transaction():
        streamer = await make_streamer(connection)
        # Whatever is written, links too, is in the file.
        await connection.execute("INSERT INTO moderation_settings (streamer_id, mode) VALUES ($1, 'off')", streamer.id)
        return streamer


async def add(parts: Parts, streamer: BuiltStreamer, *, back_minor: int = 0, **fields: Any) -> int:
    async with parts.pool.acquire() as connection, connection.transaction():
        donation, payment = await open_donation(connection, streamer, **fields)
        await hear(connection, payment, N.CONFIRMED, source=Source.POLL)
        if back_minor:
            left = payment.amount_minor - back_minor
            await hear(connection, payment, N.PARTIALLY_REFUNDED, source=Source.POLL, amount_minor=left)
    return donation.id


async def ask(
    parts: Parts, streamer: BuiltStreamer, file_format: Format, selection: Selection | None = None
) -> tuple[int, str]:
    async with parts.pool.acquire() as connection, connection.transaction():
        public_id = await exports.ask_for(
            connection,
            streamer_id=streamer.id,
            user_id=streamer.owner_id,
            file_format=file_format,
            selection=selection or Selection(),
            words=file_words(""),
            time_zone="Europe/Moscow",
        )
        return (await exports.find_export(connection, streamer.id, public_id)).id, public_id


async def find(parts: Parts, streamer: BuiltStreamer, public_id: str) -> exports.Export:
    async with parts.pool.acquire() as connection:
        return await exports.find_export(connection, streamer.id, public_id)


async def body(parts: Parts, export_id: int) -> bytes:
    return b"".join([part async for part in exports.read_file(parts.pool, export_id)])


async def lines(parts: Parts, export_id: int) -> list[list[str]]:
    text = (await body(parts, export_id)).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline=""), delimiter=";"))


async def test_csv_is_read_back(parts: Parts, streamer: BuiltStreamer) -> None:
    await add(parts, streamer, amount_minor=123_450, back_minor=23_450, donor_name=FORMULA, message='раз;\nдва "три"')
    await add(parts, streamer, donor_name=None, message="-1+1")
    async with parts.pool.acquire() as connection, connection.transaction():
        at = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
        new = NewManual(5_000, "Ваня", "", "наличные", at)
        await manual_donations.add(connection, streamer.id, new, user_id=streamer.owner_id, form_key="k" * 20)
        await connection.execute("UPDATE donations SET donor_email = 'secret@example.org'")
    export_id, public_id = await ask(parts, streamer, Format.CSV)
    await export_donations(parts, export_id)
    export = await find(parts, streamer, public_id)
    assert (export.state, export.rows_done, export.percent) == (ExportState.DONE, 3, 100)
    assert export.bytes == len(await body(parts, export_id))
    assert b"secret@example.org" not in await body(parts, export_id)
    titles, anonymous, formula, by_hand = await lines(parts, export_id)
    assert len(titles) == len(anonymous) == len(by_hand) == 13
    assert anonymous[1:6] == ["300,00", "0,00", "300,00", "Аноним", "'-1+1"]
    assert formula[1:6] == ["1234,50", "234,50", "1000,00", f"'{FORMULA}", 'раз;\nдва "три"']
    assert formula[6:8] == ["возврат части", "ждёт"]
    assert by_hand[0] == "2026-11-01 12:30:00"
    assert by_hand[6:10] == ["вручную", "", "", "наличные"]


async def test_xlsx_is_read_back_with_numbers_and_moments(parts: Parts, streamer: BuiltStreamer) -> None:
    donation_id = await add(parts, streamer, amount_minor=123_450, donor_name=FORMULA, message="http://x.example")
    paid_at = await parts.pool.fetchval("SELECT paid_at FROM donations WHERE id = $1", donation_id)
    export_id, _ = await ask(parts, streamer, Format.XLSX)
    await export_donations(parts, export_id)
    book = load_workbook(io.BytesIO(await body(parts, export_id)))
    assert book.sheetnames == ["Донаты"]
    titles, row = list(book.active.iter_rows())
    assert titles[1].value == "Сумма, ₽"
    moment = row[0].value
    assert isinstance(moment, datetime)
    assert abs(moment - paid_at.astimezone(MOSCOW).replace(tzinfo=None)) < timedelta(seconds=1)
    assert (row[1].value, row[1].data_type) == (1234.5, "n")
    assert (row[4].value, row[4].data_type) == (FORMULA, "s")
    assert (row[5].value, row[5].hyperlink) == ("http://x.example", None)


def test_a_full_sheet_is_followed_by_another() -> None:
    file = io.BytesIO()
    written = XlsxFile(file, ["A", "B"], "Донаты", sheet_rows=2)
    written.write([(Kopecks(number), "x") for number in range(5)])
    written.close()
    book = load_workbook(io.BytesIO(file.getvalue()))
    assert [[row[0].value for row in sheet.iter_rows(min_row=2)] for sheet in book] == [[0, 0.01], [0.02, 0.03], [0.04]]


async def test_only_the_selection_and_only_until_it_was_asked(parts: Parts, streamer: BuiltStreamer) -> None:
    await add(parts, streamer, message="слон")
    await add(parts, streamer, message="кит")
    export_id, _ = await ask(parts, streamer, Format.CSV, Selection(words="СЛОН", state=State.PAID))
    await add(parts, streamer, message="поздний слон")
    await export_donations(parts, export_id)
    assert [line[5] for line in (await lines(parts, export_id))[1:]] == ["слон"]


async def test_one_of_a_streamer_at_a_time(parts: Parts, streamer: BuiltStreamer) -> None:
    export_id, _ = await ask(parts, streamer, Format.CSV)
    with pytest.raises(NotAllowedError):
        await ask(parts, streamer, Format.XLSX)
    async with parts.pool.acquire() as connection, connection.transaction():
        other = await make_streamer(connection)
    await ask(parts, other, Format.CSV)
    await export_donations(parts, export_id)
    await ask(parts, streamer, Format.XLSX)


async def test_two_messages_make_it_once(
    parts: Parts, streamer: BuiltStreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks_exports, "READ_AT_ONCE", 2)
    for number in range(7):
        await add(parts, streamer, message=f"номер {number}")
    export_id, public_id = await ask(parts, streamer, Format.CSV)
    await asyncio.gather(*(export_donations(parts, export_id) for _ in range(3)))
    await export_donations(parts, export_id)
    assert [line[5] for line in (await lines(parts, export_id))[1:]] == [f"номер {n}" for n in reversed(range(7))]
    assert (await find(parts, streamer, public_id)).rows_done == 7
    assert await parts.pool.fetchval("SELECT tries FROM exports WHERE id = $1", export_id) == 1


async def test_after_a_kill_another_makes_it_from_the_beginning(parts: Parts, streamer: BuiltStreamer) -> None:
    await add(parts, streamer, message="слон")
    export_id, public_id = await ask(parts, streamer, Format.CSV)
    async with parts.pool.acquire() as connection, connection.transaction():
        dead = await exports.claim(connection, export_id)
        assert dead is not None
        assert await exports.add_chunk(connection, dead, 0, b"half of ")
        assert await exports.add_chunk(connection, dead, 1, b"a file")
    await export_donations(parts, export_id)
    assert (await find(parts, streamer, public_id)).state is ExportState.RUNNING, "nobody takes it from the living"
    await parts.pool.execute("UPDATE exports SET next_try_at = now() - interval '1 second'")
    async with parts.pool.acquire() as connection, connection.transaction():
        await connection.execute("DELETE FROM outbox")
        await sweep(connection)
        asked = await connection.fetchval("SELECT count(*) FROM outbox WHERE name = 'export_donations'")
        assert asked == 1
    await export_donations(parts, export_id)
    assert [line[5] for line in (await lines(parts, export_id))[1:]] == ["слон"]
    async with parts.pool.acquire() as connection, connection.transaction():
        # The dead one was only slow: it changes nothing any more.
        assert not await exports.add_chunk(connection, dead, 7, b"late")
        assert not await exports.finish(connection, dead, 1, 1)
        await exports.let_go(connection, dead)
    assert (await find(parts, streamer, public_id)).state is ExportState.DONE


async def test_a_stopped_worker_gives_it_back(
    parts: Parts, streamer: BuiltStreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at the end of a worker's time to stop; and what fails too often is given up."""
    export_id, public_id = await ask(parts, streamer, Format.CSV)
    blocked = asyncio.Event()

    async def wait_for_ever(*_: Any) -> int:
        blocked.set()
        await asyncio.sleep(60)
        return 0

    monkeypatch.setattr(tasks_exports, "_store", wait_for_ever)
    for _ in range(exports.MOST_TRIES):
        blocked.clear()
        making = asyncio.create_task(export_donations(parts, export_id))
        await asyncio.wait_for(blocked.wait(), 30)
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
        assert (await find(parts, streamer, public_id)).state is ExportState.QUEUED
    await parts.pool.execute("UPDATE exports SET next_try_at = now() - interval '1 second'")
    async with parts.pool.acquire() as connection, connection.transaction():
        await sweep(connection)
    assert (await find(parts, streamer, public_id)).state is ExportState.FAILED


async def test_a_cancelled_one_is_not_made(
    parts: Parts, streamer: BuiltStreamer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks_exports, "RENEW_SECONDS", 0.02)
    export_id, public_id = await ask(parts, streamer, Format.CSV)
    reached = asyncio.Event()

    async def wait_for_ever(*_: Any) -> int:
        reached.set()
        await asyncio.sleep(60)
        return 0

    monkeypatch.setattr(tasks_exports, "_store", wait_for_ever)
    making = asyncio.create_task(export_donations(parts, export_id))
    await asyncio.wait_for(reached.wait(), 30)
    async with parts.pool.acquire() as connection, connection.transaction():
        assert await exports.cancel(connection, streamer.id, public_id)
        assert not await exports.cancel(connection, streamer.id, public_id)
    await asyncio.wait_for(making, 30)
    assert (await find(parts, streamer, public_id)).state is ExportState.CANCELLED
    assert await parts.pool.fetchval("SELECT count(*) FROM export_chunks") == 0
    await export_donations(parts, export_id)
    assert (await find(parts, streamer, public_id)).state is ExportState.CANCELLED


async def test_old_files_go(parts: Parts, streamer: BuiltStreamer) -> None:
    export_id, _ = await ask(parts, streamer, Format.CSV)
    await export_donations(parts, export_id)
    async with parts.pool.acquire() as connection, connection.transaction():
        await forget(connection, KeepDays().model_dump())
    assert await parts.pool.fetchval("SELECT count(*) FROM export_chunks") == 1
    await parts.pool.execute("UPDATE exports SET finished_at = now() - interval '8 days'")
    async with parts.pool.acquire() as connection, connection.transaction():
        await forget(connection, KeepDays().model_dump())
    assert await parts.pool.fetchval("SELECT count(*) FROM exports") == 0
    assert await parts.pool.fetchval("SELECT count(*) FROM export_chunks") == 0
