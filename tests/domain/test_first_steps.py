"""First steps: progress is what happened, plus what was put off; and addresses made of names."""

from typing import Any

import asyncpg
import pytest

from domain import alerts, first_steps
from domain.first_steps import Payee, Step, read_progress
from domain.slugs import suggest_free, suggest_slug
from domain.terms import get_agreed_terms, keep_terms
from tests.builders import BuiltStreamer, make_donation, make_streamer


@pytest.fixture
async def streamer(connection: Any) -> BuiltStreamer:
    """Without a terminal: that is the last step."""
    streamer = await make_streamer(connection)
    await connection.execute("UPDATE terminals SET retired_at = now()")
    return streamer


async def connect_obs(connection: Any, streamer: BuiltStreamer, *, in_obs: bool = True) -> None:
    await connection.execute("INSERT INTO realtime_processes (id) VALUES (gen_random_uuid())")
    await connection.execute(
        "INSERT INTO overlay_tokens (streamer_id, token_hash, token_encrypted) VALUES ($1, sha256($2), '')",
        streamer.id, str(in_obs).encode(),
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO overlays (id, streamer_id, token_id, process_id, in_obs) SELECT gen_random_uuid(), $1,"
        " (SELECT max(id) FROM overlay_tokens), (SELECT max(id::text)::uuid FROM realtime_processes), $2",
        streamer.id, in_obs,
    )  # fmt: skip


async def done(connection: Any, streamer: BuiltStreamer) -> set[Step]:
    return set((await read_progress(connection, streamer.id)).done)


async def test_each_step_is_done_by_what_happens(connection: Any, streamer: BuiltStreamer) -> None:
    assert await done(connection, streamer) == {Step.NAME}
    await first_steps.save_page(connection, streamer.id, "", (10_000,))
    assert await done(connection, streamer) == {Step.NAME, Step.PAGE}
    await connect_obs(connection, streamer)
    assert (await read_progress(connection, streamer.id)).obs_connected
    await alerts.enqueue_test(connection, streamer.id, 30_000, "Аня", "Привет")
    assert Step.ALERT not in await done(connection, streamer)
    await connection.execute("UPDATE alerts SET status = 'shown', shown_at = now()")
    await connection.execute("UPDATE terminals SET retired_at = NULL")
    progress = await read_progress(connection, streamer.id)
    assert progress.is_complete
    assert progress.next_step is None
    assert not progress.is_offered


async def test_obs_is_remembered_and_a_tab_is_none(connection: Any, streamer: BuiltStreamer) -> None:
    await connect_obs(connection, streamer, in_obs=False)
    assert Step.OBS not in await done(connection, streamer)
    await connection.execute("UPDATE overlays SET in_obs = true")
    assert Step.OBS in await done(connection, streamer)
    await connection.execute("DELETE FROM overlays")
    progress = await read_progress(connection, streamer.id)
    assert Step.OBS in progress.done
    assert not progress.obs_connected


async def test_a_skipped_alert_does_not_count(connection: Any, streamer: BuiltStreamer) -> None:
    await alerts.enqueue_test(connection, streamer.id, 30_000, "Аня", "Привет")
    await connection.execute("UPDATE alerts SET status = 'skipped'")
    assert Step.ALERT not in await done(connection, streamer)
    test = await first_steps.get_latest_test(connection, streamer.id)
    assert test is not None
    assert test.status == "skipped"


async def test_later_leads_on_and_is_not_done(connection: Any, streamer: BuiltStreamer) -> None:
    for step in (Step.PAGE, Step.PAGE, Step.OBS):
        await first_steps.skip(connection, streamer.id, step)
    progress = await read_progress(connection, streamer.id)
    assert progress.skipped == {Step.PAGE, Step.OBS}
    assert progress.next_step is Step.ALERT
    for step in (Step.ALERT, Step.MONEY):
        await first_steps.skip(connection, streamer.id, step)
    progress = await read_progress(connection, streamer.id)
    assert progress.next_step is None
    assert not progress.is_complete
    assert progress.is_offered
    await first_steps.save_page(connection, streamer.id, "Стримы по вечерам", ())
    assert Step.PAGE in (await read_progress(connection, streamer.id)).done


async def test_choices_are_remembered(connection: Any, streamer: BuiltStreamer) -> None:
    await first_steps.choose_payee(connection, streamer.id, Payee.NPD)
    await first_steps.choose_payee(connection, streamer.id, Payee.NOBODY)
    await first_steps.set_dismissed(connection, streamer.id, True)
    progress = await read_progress(connection, streamer.id)
    assert (progress.payee, progress.is_offered) == (Payee.NOBODY, False)
    await first_steps.set_dismissed(connection, streamer.id, False)
    assert (await read_progress(connection, streamer.id)).is_offered


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Кот Учёный", "kot-uchenyy"),
        ("  ЩУКА!!! 99  ", "schuka-99"),
        ("Цыплёнок_Ёж", "tsyplenok_ezh"),
        ("Ґанок Ўлад", "ganok-ulad"),
        ("Élodie ﬁne", "elodie-fine"),
        ("Объём-Подъезд", "obem-podezd"),
        ("主播", ""),
        ("🔥🔥🔥", ""),
        ("", ""),
        ("а" * 100, "a" * 40),
    ],
)
def test_names_become_addresses(name: str, slug: str) -> None:
    assert suggest_slug(name) == slug


async def test_a_taken_address_has_free_neighbours(connection: Any) -> None:
    await make_streamer(connection, slug="kot")
    await make_streamer(connection, slug="kot-live")
    assert await suggest_free(connection, "kot") == ["kot-tv", "kot-stream", "kot-2"]
    assert await suggest_free(connection, "Пёс") == ["pes", "pes-live", "pes-tv"]
    assert "admin" not in await suggest_free(connection, "admin")
    assert await suggest_free(connection, "!!!") == []
    for slug in await suggest_free(connection, "ы" * 60):
        assert len(slug) <= 40


async def test_words_are_kept_once_and_never_changed(connection: Any) -> None:
    streamer, other = await make_streamer(connection), await make_streamer(connection)
    first = await keep_terms(connection, streamer.id, '{"words": "раз"}')
    assert await keep_terms(connection, streamer.id, '{"words": "раз"}') == first
    assert await keep_terms(connection, streamer.id, '{"words": "два"}') != first
    assert await keep_terms(connection, other.id, '{"words": "раз"}') != first
    donation = await make_donation(connection, streamer)
    assert await get_agreed_terms(connection, donation.public_id) is None
    await connection.execute("UPDATE donations SET terms_id = $1 WHERE id = $2", first, donation.id)
    agreed = await get_agreed_terms(connection, donation.public_id)
    assert agreed is not None
    assert agreed.documents == '{"words": "раз"}'
    with pytest.raises(asyncpg.RestrictViolationError):
        async with connection.transaction():
            await connection.execute("UPDATE terms SET documents = documents")
    with pytest.raises(asyncpg.CheckViolationError):
        async with connection.transaction():
            await connection.execute(
                "INSERT INTO terms (streamer_id, hash, documents) VALUES ($1, sha256('x'), 'other words')", streamer.id
            )


async def test_a_donation_agrees_only_to_words_of_its_own_streamer(connection: Any) -> None:
    streamer, other = await make_streamer(connection), await make_streamer(connection)
    foreign = await keep_terms(connection, other.id, "{}")
    donation = await make_donation(connection, streamer)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with connection.transaction():
            await connection.execute("UPDATE donations SET terms_id = $1 WHERE id = $2", foreign, donation.id)
