"""Reading a provider's registry of operations into the books (domain/registry.py)."""

import logging

from domain import chargebacks, registry
from tasks.runtime import Parts

log = logging.getLogger(__name__)


async def read_registry(parts: Parts, file_id: int) -> None:
    """Match a stored file's lines, book its fees and chargebacks, have the provider asked about what our books lack.

    Each step is a transaction, and each payment's dispute one of its own. May run twice, or again after it died.
    """
    async with parts.pool.acquire() as connection, connection.transaction():
        reading = await registry.start_reading(connection, file_id)
        if reading is None:
            return
        asked = await registry.match(connection, reading)
    after_id: int | None = 0
    while after_id is not None:
        async with parts.pool.acquire() as connection, connection.transaction():
            after_id = await registry.book_fees(connection, reading, after_id)
    async with parts.pool.acquire() as connection:
        disputed = await registry.list_disputed_payments(connection, reading)
    for payment_id in disputed:
        async with parts.pool.acquire() as connection, connection.transaction():
            wake = await chargebacks.book(connection, payment_id)
        await parts.after_commit([wake])
    async with parts.pool.acquire() as connection, connection.transaction():
        await registry.finish_reading(connection, reading)
    await parts.after_commit()
    log.info("registry file %d is read: %d disputed payments, %d asked about", file_id, len(disputed), asked)
