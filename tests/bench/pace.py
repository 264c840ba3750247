"""Work begun at a steady rate, whether or not the work before it is done."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


async def paced(works: Sequence[Callable[[], Coroutine[Any, Any, T]]], per_second: float) -> list[T]:
    """Begin each at its time; their results, in order. The first that fails ends all."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    tasks: list[asyncio.Task[T]] = []
    async with asyncio.TaskGroup() as group:
        for number, work in enumerate(works):
            await asyncio.sleep(began_at + number / per_second - loop.time())
            tasks.append(group.create_task(work()))
    return [task.result() for task in tasks]
