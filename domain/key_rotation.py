"""Stored secrets under another key: when SECRET_KEYS has got a new one in front, all are encrypted anew."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from infra import queries

BATCH = 500


class RotatingBox(Protocol):
    """`infra.crypto.SecretBox`, as far as it is needed here."""

    def has_newest_key(self, encrypted: str) -> bool: ...
    def try_decrypt(self, encrypted: str) -> str | None: ...
    def encrypt(self, text: str) -> str: ...


@dataclass(frozen=True)
class Rotated:
    """How many secrets of a batch were encrypted anew, had the newest key already, and are lost: no key reads them.

    `last_id` is where the next batch goes on; None: that was the last.
    """

    last_id: int | None
    renewed: int = 0
    current: int = 0
    lost: int = 0


async def rotate_terminals(connection: Any, box: RotatingBox, after_id: int, *, batch: int = BATCH) -> Rotated:
    """The next batch of terminals, their former secrets too. Run it again: nothing is encrypted twice."""

    async def replace(row_id: int, **secrets: str | None) -> None:
        await queries.terminals.replace_secrets(connection, terminal_id=row_id, **secrets)

    return await _rotate_pairs(box, queries.terminals.list_secrets(connection, after_id=after_id, limit=batch), replace)


async def rotate_webhooks(connection: Any, box: RotatingBox, after_id: int, *, batch: int = BATCH) -> Rotated:
    """The next batch of webhooks, their former secrets too."""

    async def replace(row_id: int, **secrets: str | None) -> None:
        await queries.webhooks.replace_secrets(connection, webhook_id=row_id, **secrets)

    return await _rotate_pairs(box, queries.webhooks.list_secrets(connection, after_id=after_id, limit=batch), replace)


async def rotate_overlay_tokens(connection: Any, box: RotatingBox, after_id: int, *, batch: int = BATCH) -> Rotated:
    """The next batch of overlay tokens, the revoked too."""

    async def replace(row_id: int, token: str, read: str) -> None:
        await queries.overlay_tokens.replace_encrypted_token(
            connection, token_id=row_id, token_encrypted=token, read_token=read
        )

    rows = queries.overlay_tokens.list_encrypted_tokens(connection, after_id=after_id, limit=batch)
    return await _rotate(box, rows, "token_encrypted", replace)


async def rotate_button_tokens(connection: Any, box: RotatingBox, after_id: int, *, batch: int = BATCH) -> Rotated:
    """The next batch of the buttons' tokens, the revoked too."""

    async def replace(row_id: int, token: str, read: str) -> None:
        await queries.buttons.replace_encrypted_token(
            connection, button_id=row_id, token_encrypted=token, read_token=read
        )

    rows = queries.buttons.list_encrypted_tokens(connection, after_id=after_id, limit=batch)
    return await _rotate(box, rows, "token_encrypted", replace)


async def rotate_letters(connection: Any, box: RotatingBox, after_id: int, *, batch: int = BATCH) -> Rotated:
    """The next batch of letters that wait with a code in them."""

    async def replace(row_id: int, secret: str, read: str) -> None:
        await queries.letters.replace_letter_secret(
            connection, letter_id=row_id, secret_encrypted=secret, read_secret=read
        )

    rows = queries.letters.list_letter_secrets(connection, after_id=after_id, limit=batch)
    return await _rotate(box, rows, "secret_encrypted", replace)


async def rotate_payment_settings(connection: Any, box: RotatingBox, after_id: int, *, batch: int = BATCH) -> Rotated:
    """The next batch of what clients of API v1 keep about payments."""

    async def replace(row_id: int, settings: str, read: str) -> None:
        await queries.streamer_cards.replace_payment_settings(
            connection, streamer_id=row_id, payment_settings_encrypted=settings, read_settings=read
        )

    rows = queries.streamer_cards.list_payment_settings(connection, after_id=after_id, limit=batch)
    return await _rotate(box, rows, "payment_settings_encrypted", replace)


async def rotate_links(connection: Any, box: RotatingBox, after_id: int, *, batch: int = BATCH) -> Rotated:
    """The first account's link, while it waits."""

    async def replace(row_id: int, token: str, read: str) -> None:
        await queries.one_time_links.replace_encrypted_link(
            connection, link_id=row_id, token_encrypted=token, read_token=read
        )

    rows = queries.one_time_links.list_encrypted_links(connection, after_id=after_id, limit=batch)
    return await _rotate(box, rows, "token_encrypted", replace)


async def _rotate(
    box: RotatingBox, found: AsyncIterator[Any], column: str, replace: Callable[[int, str, str], Awaitable[None]]
) -> Rotated:
    """Rows with one secret each; `replace` gets a row's id, the secret anew, and as it was read."""
    rows = [row async for row in found]
    counted = _Counter(box)
    for row in rows:
        secret = counted.renew(row[column])
        if secret != row[column]:
            await replace(row["id"], secret, row[column])
    return counted.of(rows)


async def _rotate_pairs(
    box: RotatingBox, found: AsyncIterator[Any], replace: Callable[..., Awaitable[None]]
) -> Rotated:
    """Rows with a secret and perhaps a former one; `replace` gets a row's id, both anew, and both as they were read."""
    rows = [row async for row in found]
    counted = _Counter(box)
    for row in rows:
        read, read_former = row["secret_encrypted"], row["former_secret_encrypted"]
        secret = counted.renew(read)
        former = None if read_former is None else counted.renew(read_former)
        if (secret, former) != (read, read_former):
            await replace(
                row["id"],
                secret_encrypted=secret,
                former_secret_encrypted=former,
                read_secret=read,
                read_former_secret=read_former,
            )
    return counted.of(rows)


class _Counter:
    def __init__(self, box: RotatingBox) -> None:
        self._box = box
        self._renewed = self._current = self._lost = 0

    def renew(self, encrypted: str) -> str:
        """Under the newest key; as it is when it is there already, or lost."""
        if self._box.has_newest_key(encrypted):
            self._current += 1
            return encrypted
        text = self._box.try_decrypt(encrypted)
        if text is None:
            self._lost += 1
            return encrypted
        self._renewed += 1
        return self._box.encrypt(text)

    def of(self, rows: list[Any]) -> Rotated:
        return Rotated(rows[-1]["id"] if rows else None, self._renewed, self._current, self._lost)
