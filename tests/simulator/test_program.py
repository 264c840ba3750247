"""`python -m simulator` as a program of its own: killed in the middle, started again, stopped."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from infra.embedded import free_port
from infra.settings import ROOT
from providers.provider import Credentials
from providers.tbank.client import TBankClient
from tests.simulator.support import Shop, Simulator, assert_exchanges_fit


@asynccontextmanager
async def program(
    data_dir: Path, port: int, http: httpx.AsyncClient
) -> AsyncGenerator[tuple[Simulator, Process], None]:
    """The running program; it is killed at the end if it still lives."""
    environment = {
        **os.environ,
        "DATA_DIR": str(data_dir),
        "SIMULATOR_PORT": str(port),
        "SIMULATOR_RETRY_SECONDS": "0.05",
        # Every program reads all settings; the simulator looks at none of these.
        "DATABASE_URL": "postgres://nowhere",
        "REDIS_URL": "redis://nowhere",
        "SECRET_KEYS": "none",
        "WEB_URL": "http://nowhere",
        "REALTIME_URL": "http://nowhere",
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "simulator", cwd=ROOT, env=environment)
    try:
        simulator = Simulator(f"http://127.0.0.1:{port}", http)
        while True:
            assert process.returncode is None, "the simulator has stopped"
            try:
                await simulator.control("GET", "health")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
        yield simulator, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    assert_exchanges_fit(data_dir / "simulator.sqlite3")


async def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path: Path, shop: Shop) -> None:
    port = free_port()
    credentials = Credentials("1700000000000DEMO", "secret")
    shop.answers = [(503, b"not yet")] * 4
    async with httpx.AsyncClient(timeout=30) as http:
        async with program(tmp_path, port, http) as (simulator, _):
            await simulator.control("POST", "terminals", terminal_key="1700000000000DEMO", password="secret")
            opened = await TBankClient(http, f"{simulator.url}/v2").init(
                credentials,
                order_id="don-1",
                amount_minor=15050,
                description="Донат",
                due_at=datetime.now(UTC) + timedelta(minutes=30),
                notification_url=shop.url,
                success_url="https://example.org/done",
                fail_url="https://example.org/failed",
                language="ru",
            )
            await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
        async with program(tmp_path, port, http) as (simulator, process):
            payment = await simulator.until(
                opened.provider_payment_id,
                lambda payment: all(one["delivered_at"] for one in payment["notifications"]),
            )
            assert payment["status"] == "CONFIRMED"
            assert (await http.get(opened.payment_url)).status_code == 200
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    assert {"AUTHORIZED", "CONFIRMED"} == set(shop.statuses)


async def test_it_stops_when_asked(tmp_path: Path) -> None:
    port = free_port()
    async with httpx.AsyncClient(timeout=30) as http, program(tmp_path, port, http) as (_, process):
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    assert (tmp_path / "simulator.sqlite3").is_file()
    assert not (tmp_path / "simulator.sqlite3-wal").exists(), "everything is in the one file after a clean stop"
