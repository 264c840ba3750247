"""A program without a port shows that it works."""

import asyncio
from pathlib import Path

import pytest

from infra.liveness import show_alive
from tests.support.programs import Stack


async def until_there(file: Path) -> None:
    async with asyncio.timeout(30):
        while not file.exists():
            await asyncio.sleep(0.01)


async def test_the_file_is_touched_again_and_again(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    showing = asyncio.create_task(show_alive(file, every_seconds=0.01))
    for _ in range(3):
        await until_there(file)
        file.unlink()
    showing.cancel()


async def test_a_folder_that_is_not_there_ends_nothing(tmp_path: Path) -> None:
    showing = asyncio.create_task(show_alive(tmp_path / "later" / "alive", every_seconds=0.01))
    await asyncio.sleep(0)
    (tmp_path / "later").mkdir()
    await until_there(tmp_path / "later" / "alive")
    showing.cancel()


@pytest.mark.parametrize("name", ["relay", "worker"])
async def test_relays_and_workers_show_it(
    name: str, tmp_path: Path, fresh_database_url: str, redis_url: str, rabbitmq_url: str
) -> None:
    stack = Stack(
        tmp_path,
        database_url=fresh_database_url,
        redis_url=redis_url,
        rabbitmq_url=rabbitmq_url,
        extra={"ALIVE_FILE": str(tmp_path / "alive")},
    )
    try:
        stack.start(name)
        await until_there(tmp_path / "alive")
        assert stack[name].terminate() == 0
    finally:
        stack.stop()
