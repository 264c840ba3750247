"""Strangers' programs: schemathesis calls every operation with what fits its schema and with what does not.

It finds no answer of 5xx, no status or body that the description does not name, no operation open without a key.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.streamers import Streamer
from tests.api.conftest import jwt_of
from tests.support.site import Site, open_site

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,ignored_auth"
)
# Whoever changes her password signs her programs out, this one included.
ENDS_THE_RUN = ("/api/v1/users/me",)
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "8")


@pytest.fixture
async def site(fresh_database_url: str, redis_url: str) -> AsyncIterator[Site]:
    async with open_site(fresh_database_url, redis_url, api_calls_per_minute=1_000_000) as site:
        yield site


async def schemathesis(site: Site, token: str, tmp_path: Path, *options: str) -> str:
    """What it says; its own words fail the test."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "--config-file", str(Path(__file__).with_name("schemathesis.toml")),
        "run", f"{site.url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {token}",
        "--checks", CHECKS, "--max-examples", EXAMPLES, "--seed", "1", "--no-color", "--warnings", "off",
        "--phases", "examples,coverage,fuzzing", "--continue-on-failure",
        *options,
        stdout=PIPE, stderr=STDOUT, cwd=tmp_path,
    )  # fmt: skip
    said, _ = await process.communicate()
    text = said.decode(errors="replace")
    print(text)
    assert process.returncode == 0, text[-12_000:]
    return text


@pytest.mark.timeout(600)
async def test_a_persons_program(site: Site, streamer: Streamer, tmp_path: Path) -> None:
    token = await jwt_of(site, streamer.owner_id)
    leave_out = [option for path in ENDS_THE_RUN for option in ("--exclude-path", path)]
    await schemathesis(site, token, tmp_path, *leave_out)
