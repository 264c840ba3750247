"""Looking at a file that a streamer uploaded: what it is, and what of it is served."""

import logging

from domain import media_files
from domain.events import Topic, Wake
from domain.media_files import SIZE_MAX, Found, Job
from infra.media_check import check_apart
from infra.media_verdict import MediaError
from tasks.runtime import Parts

log = logging.getLogger(__name__)


async def check_media_file(parts: Parts, file_id: int) -> None:
    """May run twice: the first verdict holds."""
    async with parts.pool.acquire() as connection, connection.transaction():
        job = await media_files.claim(connection, file_id)
    if job is None:
        return
    try:
        verdict = await _look(job)
        async with parts.pool.acquire() as connection, connection.transaction():
            if isinstance(verdict, Found):
                await media_files.finish(connection, file_id, verdict)
            else:
                log.info("file %d of streamer %d is refused: %s", file_id, job.streamer_id, verdict)
                await media_files.refuse(connection, file_id, verdict)
    except BaseException:
        # Also when the worker is told to stop: the next one need not wait until this one counts as silent.
        async with parts.pool.acquire() as connection:
            await media_files.let_go(connection, file_id)
        raise
    await parts.wake([Wake(job.streamer_id, frozenset({Topic.FILES}))])


async def _look(job: Job) -> Found | str:
    """What was found, or why it is refused."""
    try:
        checked = await check_apart(job.content_type, job.content)
    except MediaError as error:
        return error.code
    if len(checked.content) > SIZE_MAX[job.kind]:
        return "too_heavy"
    return Found(checked.content, checked.width, checked.height, checked.frames, checked.seconds)
