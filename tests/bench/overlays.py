"""What connected overlays cost the realtime process."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from simulator.overlay import Overlay
from tests.bench.house import BenchStreamer, House, until

CONNECTING = 16
"""How many overlays connect at once."""
WARM_UP = 50
SETTLE_SECONDS = 2.5
"""Longer than one look of the realtime process at the database."""


@dataclass(frozen=True)
class OverlayCosts:
    connects_per_second: float
    bytes_each: float


async def measure_overlays(house: House, streamers: Sequence[BenchStreamer]) -> OverlayCosts:
    """Connect one overlay of each streamer, and look how much the process has grown.

    A few come and go first, so that what the process sets up once is not counted.
    """
    process = psutil.Process(house.stack["realtime"].pid)
    await _leave(house, await _connect(house, streamers[:WARM_UP]))
    before = process.memory_info().rss
    began_at = time.perf_counter()
    overlays = await _connect(house, streamers)
    took_seconds = time.perf_counter() - began_at
    await asyncio.sleep(SETTLE_SECONDS)
    grown = process.memory_info().rss - before
    await _leave(house, overlays)
    return OverlayCosts(len(streamers) / took_seconds, grown / len(streamers))


async def _connect(house: House, streamers: Sequence[BenchStreamer]) -> list[Overlay]:
    """Each is connected once it has its welcome."""
    waiting = iter(streamers)
    overlays: list[Overlay] = []

    async def connect() -> None:
        for streamer in waiting:
            overlay = await house.overlay(streamer).connect()
            overlays.append(overlay)
            await overlay.next("welcome")

    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTING):
            group.create_task(connect())
    return overlays


async def _leave(house: House, overlays: Sequence[Overlay]) -> None:
    for first in range(0, len(overlays), CONNECTING):
        await asyncio.gather(*(overlay.leave() for overlay in overlays[first : first + CONNECTING]))

    async def all_gone() -> bool:
        health = await house.http.get(f"{house.stack.realtime_url}/health")
        return bool(health.json()["overlays"] == 0)

    await until(all_gone, "all overlays have left")
