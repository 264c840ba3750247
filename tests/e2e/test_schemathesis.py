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

import httpx
import pytest

from tests.support.programs import Stack

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,ignored_auth"
)
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "5")
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
async def test_every_operation(stack: Stack, tmp_path: Path) -> None:
    stack.start()
    seeded = json.loads(stack.manage("seed-demo", stdin=json.dumps({"password": PASSWORD})))
    token = await _sign_in(stack, seeded["login"])
    await _run(stack, token, tmp_path, "--exclude-path", ENDS_THE_RUN)
    await _run(stack, token, tmp_path, "--include-path", ENDS_THE_RUN)
    assert "Traceback" not in stack["web"].log


async def _sign_in(stack: Stack, email: str) -> str:
    async with httpx.AsyncClient() as http:
        fields = {"username": email, "password": PASSWORD}
        answer: dict[str, Any] = (await http.post(f"{stack.web_url}/api/v1/auth/login", data=fields)).json()
        return str(answer["access_token"])


async def _run(stack: Stack, token: str, tmp_path: Path, *options: str) -> None:
    """Whatever it finds fails the test, in its own words."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "--config-file", str(Path(__file__).with_name("schemathesis.toml")),
        "run", f"{stack.web_url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {token}",
        "--checks", CHECKS, "--max-examples", EXAMPLES, "--seed", "1", "--no-color", "--warnings", "off",
        "--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--request-timeout", "30",
        *options,
        stdout=PIPE, stderr=STDOUT, cwd=tmp_path,
    )  # fmt: skip
    said, _ = await process.communicate()
    text = said.decode(errors="replace")
    print(text)
    assert process.returncode == 0, text[-12_000:]
