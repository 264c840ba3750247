"""Strangers' programs: schemathesis calls every operation of the running API with what fits its schema and with what
does not.

It finds no answer of 5xx, no status, content type or body that the description does not name, and no operation that
is open although it says otherwise.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from domain.access_tokens import create_key
from domain.scopes import Scope
from domain.streamers import Streamer, find_by_slug
from tests.support.programs import Stack

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "5")
THOROUGHLY, BRIEFLY = "examples,coverage,fuzzing,stateful", "examples,coverage,stateful"
OPERATOR = "operator@example.org"
PASSWORD = "correct horse battery"
# Whoever changes her password signs her programs out, this one included: that has a run of its own, the last.
ENDS_THE_RUN = "/api/v1/users/me"


@pytest.fixture
def stack(tmp_path: Path, fresh_database_url: str, redis_url: str, rabbitmq_url: str) -> Iterator[Stack]:
    stack = Stack(
        tmp_path,
        database_url=fresh_database_url,
        redis_url=redis_url,
        rabbitmq_url=rabbitmq_url,
        extra={"API_CALLS_PER_MINUTE": "1000000"},
    )
    yield stack
    stack.stop()


@pytest.mark.timeout(900)
async def test_every_operation(stack: Stack, pool: asyncpg.Pool, tmp_path: Path) -> None:
    """As a streamer herself; then, with fewer tries, as her key where one will do, and as an operator elsewhere."""
    stack.start()
    streamer, email = await _seed(stack, pool)
    key = await _make_key(pool, streamer)
    async with httpx.AsyncClient(base_url=f"{stack.web_url}/api/v1") as http:
        document = (await http.get("/openapi.json")).json()
        for_keys = _operations(document, "key")
        for_people = _operations(document, "person") - for_keys

        token = await _sign_in(http, email)
        await _run(stack, token, tmp_path, "--phases", THOROUGHLY, "--exclude-path", ENDS_THE_RUN)
        await _run(stack, key, tmp_path, "--phases", BRIEFLY, *_only(for_keys))
        assert await _status(http, "/me", key) == 200, "the key did not last"
        # She who changes her password has no token afterwards, and an operator may block whom he likes.
        await _run(stack, token, tmp_path, "--phases", THOROUGHLY, "--include-path", ENDS_THE_RUN)
        token = await _sign_in(http, OPERATOR)
        await _run(stack, token, tmp_path, "--phases", BRIEFLY, *_only(for_people), "--exclude-path", ENDS_THE_RUN)
        assert await _status(http, "/users/", token) == 200, "the operator did not last"
    assert "Traceback" not in stack["web"].log


async def _seed(stack: Stack, pool: asyncpg.Pool) -> tuple[Streamer, str]:
    """The demo streamer with her e-mail, and an operator beside her."""
    seeded = json.loads(stack.manage("seed-demo", stdin=json.dumps({"password": PASSWORD})))
    stack.manage("create-superuser", "--email", OPERATOR, stdin=PASSWORD)
    async with pool.acquire() as connection:
        streamer = await find_by_slug(connection, seeded["slug"])
    assert streamer is not None
    return streamer, seeded["login"]


async def _make_key(pool: asyncpg.Pool, streamer: Streamer) -> str:
    """One that may do all that a key may."""
    async with pool.acquire() as connection, connection.transaction():
        made = await create_key(connection, streamer.owner_id, streamer.id, name="Всё", scopes=Scope, days=90)
    return made.token


def _operations(document: dict[str, Any], way: str) -> set[str]:
    """Those that one may call in this way, by their names. What is open to everybody is not among them."""
    return {
        operation["operationId"]
        for operations in document["paths"].values()
        for operation in operations.values()
        if any(way in ways for ways in operation["security"])
    }


def _only(operations: set[str]) -> list[str]:
    assert operations
    return [word for name in sorted(operations) for word in ("--include-operation-id", name)]


async def _status(http: httpx.AsyncClient, path: str, token: str) -> int:
    return (await http.get(path, headers={"Authorization": f"Bearer {token}"})).status_code


async def _sign_in(http: httpx.AsyncClient, email: str) -> str:
    answer = await http.post("/auth/login", data={"username": email, "password": PASSWORD})
    return str(answer.json()["access_token"])


async def _run(stack: Stack, token: str, tmp_path: Path, *options: str) -> None:
    """Whatever it finds fails the test, in its own words."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "--config-file", str(Path(__file__).with_name("schemathesis.toml")),
        "run", f"{stack.web_url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {token}",
        "--max-examples", EXAMPLES, "--seed", "1", "--no-color", "--warnings", "off",
        "--continue-on-failure", "--request-timeout", "30",
        *options,
        env={**os.environ, "SCHEMATHESIS_HOOKS": str(Path(__file__).with_name("schemathesis_hooks.py"))},
        stdout=PIPE, stderr=STDOUT, cwd=tmp_path,
    )  # fmt: skip
    said, _ = await process.communicate()
    text = said.decode(errors="replace")
    print(text)
    assert process.returncode == 0, text[-12_000:]
