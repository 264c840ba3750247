"""Buttons with addresses: each presses one control, for whoever has its address, `/button/<token>`.

The token is all the authority there is: hashed to be found, encrypted to be shown again, revoked at any time.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.errors import NotAllowedError, NotFoundError
from domain.terminals import Box
from domain.text import clean_given_name
from domain.tokens import hash_token, new_token
from infra import queries

MAX_BUTTONS = 50
"""Of one streamer."""


class Control(StrEnum):
    SKIP = "skip"
    PAUSE = "pause"
    RESUME = "resume"
    TOGGLE_PAUSE = "toggle_pause"
    MUTE = "mute"
    UNMUTE = "unmute"
    TOGGLE_MUTE = "toggle_mute"
    REPLAY = "replay"
    TEST = "test"
    CLEAR = "clear"
    MISSED_PLAY = "missed_play"
    MISSED_SUMMARY = "missed_summary"
    MISSED_DROP = "missed_drop"


@dataclass(frozen=True)
class Button:
    id: int
    streamer_id: int
    name: str
    control: Control
    allows_get: bool
    locale: str
    uses: int
    last_used_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class NewButton:
    """What the form says; `locale` is the language it answers in."""

    name: str
    control: Control
    allows_get: bool
    locale: str


async def create_button(connection: Any, box: Box, streamer_id: int, new: NewButton) -> int:
    """A button with an address of its own; returns its id. Raises InvalidInputError("name"),
    NotAllowedError("too_many")."""
    name = clean_given_name(new.name)
    # Locked, so that two forms at once do not pass the limit together.
    await queries.overlays.lock_speaker(connection, streamer_id=streamer_id)
    if await queries.buttons.count_buttons(connection, streamer_id=streamer_id) >= MAX_BUTTONS:
        raise NotAllowedError("too_many", limit=MAX_BUTTONS)
    token = new_token()
    button_id: int = await queries.buttons.insert_button(
        connection,
        streamer_id=streamer_id,
        name=name,
        control=new.control,
        token_hash=hash_token(token),
        token_encrypted=box.encrypt(token),
        allows_get=new.allows_get,
        locale=new.locale,
    )
    return button_id


async def list_buttons(connection: Any, streamer_id: int) -> list[Button]:
    """Those that may be pressed, the oldest first."""
    return [_button(row) async for row in queries.buttons.list_buttons(connection, streamer_id=streamer_id)]


async def change_button(connection: Any, streamer_id: int, button_id: int, *, name: str, allows_get: bool) -> None:
    """Raises InvalidInputError("name"), NotFoundError("button")."""
    result = await queries.buttons.update_button(
        connection, streamer_id=streamer_id, button_id=button_id, name=clean_given_name(name), allows_get=allows_get
    )
    _expect_one(result)


async def renew_address(connection: Any, box: Box, streamer_id: int, button_id: int) -> None:
    """Another address; the former presses nothing any more. Raises NotFoundError("button")."""
    token = new_token()
    result = await queries.buttons.replace_token(
        connection,
        streamer_id=streamer_id,
        button_id=button_id,
        token_hash=hash_token(token),
        token_encrypted=box.encrypt(token),
    )
    _expect_one(result)


async def revoke_button(connection: Any, streamer_id: int, button_id: int) -> None:
    """Its address presses nothing any more. Raises NotFoundError("button")."""
    _expect_one(await queries.buttons.revoke_button(connection, streamer_id=streamer_id, button_id=button_id))


async def reveal_token(connection: Any, box: Box, streamer_id: int, button_id: int) -> str:
    """What stands in its address. Raises NotFoundError("button"), also when no key of ours reads it."""
    encrypted = await queries.buttons.get_encrypted_token(connection, streamer_id=streamer_id, button_id=button_id)
    token = None if encrypted is None else box.try_decrypt(encrypted)
    if token is None:
        raise NotFoundError("button")
    return token


async def find_button(connection: Any, token: str) -> Button | None:
    """The button at an address; what never was one takes as long to find."""
    row = await queries.buttons.find_button(connection, token_hash=hash_token(token))
    return None if row is None else _button(row)


async def count_use(connection: Any, button: Button, token: str) -> bool:
    """It is pressed. False: it was revoked a moment ago, and is to do nothing."""
    used = await queries.buttons.count_use(connection, button_id=button.id, token_hash=hash_token(token))
    return used is not None


def _button(row: Any) -> Button:
    return Button(**{**row, "control": Control(row["control"])})


def _expect_one(result: str) -> None:
    if result != "UPDATE 1":
        raise NotFoundError("button")
