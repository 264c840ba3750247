"""What an application is given in the hours that it may act for a streamer: a token each."""

from collections.abc import Iterable
from typing import Any

from domain import applications, grants
from domain.scopes import Scope
from domain.streamers import Streamer
from infra.crypto import SecretBox
from tests.builders import BuiltStreamer


async def hourly_tokens(
    connection: Any, box: SecretBox, streamer: Streamer | BuiltStreamer, scopes: Iterable[Scope], *, hours: int
) -> list[str]:
    fields = applications.check_fields("Бот", "https://bot.example.org", ["https://bot.example.org/back"])
    asked = tuple(scopes)
    made = await applications.create_application(connection, streamer.owner_id, fields, is_public=True)
    given = await grants.allow(
        connection, made.id, streamer.owner_id, streamer.id,
        scopes=asked, challenge="x" * 43, redirect_uri=fields.redirect_uris[0],
    )  # fmt: skip
    code = await grants.find_code(connection, given)
    assert code is not None
    tokens = await grants.exchange(connection, code)
    assert tokens is not None
    access = [tokens.access]
    while len(access) < hours:
        found = await grants.find_refresh_token(connection, tokens.refresh)
        assert found is not None
        renewed = await grants.refresh(connection, box, found, tokens.refresh, asked)
        assert renewed is not None
        tokens = renewed
        access.append(tokens.access)
    return access
