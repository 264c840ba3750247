"""A worker that looks at uploaded files, in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tasks.media_files import check_media_file
from tasks.runtime import close_parts, open_parts
from tests.support.site import Site

WAITING = "SELECT id FROM media_files WHERE state = 'waiting' AND held_until IS NULL"


@asynccontextmanager
async def media_worker(site: Site) -> AsyncIterator[None]:
    parts = await open_parts(site.settings, pool_size=2)

    async def work() -> None:
        while True:
            for row in await site.rows(WAITING):
                await check_media_file(parts, row["id"])
            await asyncio.sleep(0.02)

    working = asyncio.create_task(work())
    yield
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await close_parts(parts)
