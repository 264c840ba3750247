"""Goals as their streamer plans them: what she says of one, starts, orders, ends and deletes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from domain import goals
from domain.errors import NotAllowedError, NotFoundError
from domain.goals import Goal, GoalFields, GoalStatus, clean_fields, find_problems
from tests.builders import BuiltStreamer
from tests.domain.test_erasure import go_through
from tests.domain.test_self_check import give_back, pay

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


def fields(title: str = "Новый микрофон", target_minor: int = 100_000, **more: Any) -> GoalFields:
    values: dict[str, Any] = {"description": "", "start_minor": 0, "starts_at": None, "ends_at": None, **more}
    return GoalFields(title=title, target_minor=target_minor, **values)


async def plan(connection: Any, streamer: BuiltStreamer, *args: Any, **more: Any) -> int:
    return await goals.create_goal(connection, streamer.id, fields(*args, **more))


async def begin(connection: Any, streamer: BuiltStreamer, *args: Any, **more: Any) -> int:
    goal_id = await plan(connection, streamer, *args, **more)
    await goals.start(connection, streamer.id, goal_id)
    return goal_id


async def read(connection: Any, streamer: BuiltStreamer, goal_id: int) -> Goal:
    return await goals.get_goal(connection, streamer.id, goal_id)


# What she says of a goal.


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"title": "  \u200b "}, "title", "required"),
        ({"title": "ц" * 61}, "title", "too_long"),
        ({"description": "о" * 301}, "description", "too_long"),
        ({"target_minor": 99}, "target", "too_small"),
        ({"target_minor": 10_000_000_000}, "target", "too_large"),
        ({"start_minor": -1}, "start", "too_small"),
        ({"ends_at": NOW}, "ends_at", "past"),
        ({"starts_at": NOW + timedelta(days=2), "ends_at": NOW + timedelta(days=1)}, "ends_at", "before_start"),
    ],
)
def test_bad_fields_are_named(change: dict[str, Any], field: str, code: str) -> None:
    (problem,) = find_problems(clean_fields(fields(**change)), now=NOW)
    assert (problem.field, problem.code) == (field, code)


def test_all_problems_are_named_at_once() -> None:
    bad = clean_fields(fields("", 0, start_minor=-1, ends_at=NOW))
    assert [problem.field for problem in find_problems(bad, now=NOW)] == ["title", "target", "start", "ends_at"]
    assert find_problems(clean_fields(fields(ends_at=NOW + timedelta(minutes=1))), now=NOW) == []


def test_texts_are_cleaned() -> None:
    checked = clean_fields(fields("  На\u202e  отпуск\n", description="a\n\n\nb"))
    assert (checked.title, checked.description) == ("На отпуск", "a\nb")


# What she does.


async def test_order_of_the_planned(connection: Any, streamer: BuiltStreamer) -> None:
    a, b, c = [await plan(connection, streamer, title) for title in "абв"]
    await goals.move(connection, streamer.id, c, up=True)
    await goals.move(connection, streamer.id, a, up=True)
    await goals.move(connection, streamer.id, a, up=False)
    assert [goal.id for goal in await goals.list_goals(connection, streamer.id)] == [c, a, b]


async def test_only_a_goal_without_money_is_deleted(connection: Any, streamer: BuiltStreamer) -> None:
    planned = await plan(connection, streamer)
    await goals.delete(connection, streamer.id, planned)
    with pytest.raises(NotFoundError):
        await read(connection, streamer, planned)
    paid = await begin(connection, streamer)
    await give_back(connection, await pay(connection, streamer), 0)
    for _ in range(2):
        with pytest.raises(NotAllowedError, match="has_money"):
            async with connection.transaction():
                await goals.delete(connection, streamer.id, paid)
        if (await read(connection, streamer, paid)).status is GoalStatus.ACTIVE:
            await goals.end(connection, streamer.id, paid)


async def test_what_is_over_keeps_its_numbers_and_can_be_put_away(connection: Any, streamer: BuiltStreamer) -> None:
    goal_id = await begin(connection, streamer)
    with pytest.raises(NotAllowedError, match="not_over"):
        await goals.archive(connection, streamer.id, goal_id, archived=True)
    await goals.end(connection, streamer.id, goal_id)
    with pytest.raises(NotAllowedError, match="not_active"):
        await goals.end(connection, streamer.id, goal_id)
    with pytest.raises(NotAllowedError, match="not_planned"):
        await goals.start(connection, streamer.id, goal_id)
    await goals.update_goal(connection, streamer.id, goal_id, fields("Иначе", 500))
    await goals.archive(connection, streamer.id, goal_id, archived=True)
    goal = await read(connection, streamer, goal_id)
    assert (goal.title, goal.target_minor, goal.status) == ("Иначе", 100_000, GoalStatus.ARCHIVED)
    await goals.archive(connection, streamer.id, goal_id, archived=False)
    assert (await read(connection, streamer, goal_id)).status is GoalStatus.ENDED


async def test_there_is_an_end_to_plans(connection: Any, streamer: BuiltStreamer, monkeypatch: Any) -> None:
    monkeypatch.setattr(goals, "OPEN_MAX", 2)
    await plan(connection, streamer)
    await plan(connection, streamer)
    with pytest.raises(NotAllowedError, match="too_many"):
        await plan(connection, streamer)


async def test_the_database_refuses_a_second_active_goal(connection: Any, streamer: BuiltStreamer) -> None:
    await begin(connection, streamer)
    planned = await plan(connection, streamer)
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("UPDATE goals SET status = 'active', started_at = now() WHERE id = $1", planned)


async def test_an_erased_accounts_goals_keep_no_words(connection: Any, streamer: BuiltStreamer) -> None:
    goal_id = await begin(connection, streamer, description="на отпуск")
    await pay(connection, streamer)
    await go_through(connection, streamer)
    goal = await read(connection, streamer, goal_id)
    assert (goal.title, goal.description, goal.raised_minor) == ("—", "", 30_000)
