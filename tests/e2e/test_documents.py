"""What the API's page shows to be typed, typed: each call of docs/api.md and its Russian sister is answered."""

import re
import shlex
from collections.abc import Iterator
from typing import Any

from domain.access_tokens import create_key
from domain.scopes import Scope
from domain.streamers import find_by_slug
from infra.settings import ROOT
from tests.e2e.conftest import House

WORDS = re.compile(r'"(title|message|donor_name)": "[^"]*"')


def commands(page: str) -> list[list[str]]:
    """The calls of the API. Those of OAuth name a site of their own, and have tests of their own."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = [command for command in _curls(text.splitlines()) if "$API" in " ".join(command)]
    assert len(found) >= 13, found
    return found


def _curls(lines: list[str]) -> Iterator[list[str]]:
    rest = iter(lines)
    for line in rest:
        if not line.strip().startswith("curl "):
            continue
        command = line.strip()
        # A command goes on after a backslash, and inside quotation marks.
        while command.endswith("\\") or command.count("'") % 2:
            command = command.removesuffix("\\") + next(rest)
        yield shlex.split(command)


def request_of(command: list[str], variables: dict[str, str]) -> dict[str, Any]:
    """What curl would send. It knows no more of curl than the pages use."""
    request: dict[str, Any] = {"method": "GET", "headers": {}}
    words = iter(re.sub(r"\$(\w+)", lambda match: variables[match[1]], word) for word in command[1:])
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            request["headers"][name] = value
        elif word == "-d":
            request["content"] = next(words).encode()
            request["method"] = "PUT" if "PUT" in command else "POST"
        elif word == "-X":
            request["method"] = next(words)
        elif word != "-i":
            assert word.startswith("http"), word
            request["url"] = word
    return request


async def test_what_the_pages_show_to_be_typed_is_answered(house: House) -> None:
    async with house.pool.acquire() as connection, connection.transaction():
        streamer = await find_by_slug(connection, house.slug)
        assert streamer is not None
        assert streamer.id == 1, "the pages say 1"
        made = await create_key(connection, streamer.owner_id, streamer.id, name="curl", scopes=Scope, days=90)
    variables = {"API": f"{house.stack.web_url}/api/v1", "KEY": made.token, "JSON": "Content-Type: application/json"}
    for page in ("api.md", "api.ru.md"):
        for command in commands(page):
            # Each page is a developer of its own.
            own = [word.replace("order-1", f"order-{page}").replace("goal-2026-12", f"goal-{page}") for word in command]
            answer = await house.http.request(**request_of(own, variables))
            assert answer.status_code in (200, 201), (page, command, answer.status_code, answer.text)


def test_both_pages_show_the_same_calls() -> None:
    english, russian = (
        [[WORDS.sub(r"\1", word) for word in command] for command in commands(page)] for page in ("api.md", "api.ru.md")
    )
    assert english == russian
