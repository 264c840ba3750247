"""A streamer, and an overlay of hers that speaks. Who needs another cast has fixtures of his own."""

import uuid
from typing import Any

import pytest

from tests.builders import BuiltStreamer, make_streamer
from tests.domain.test_alerts import connect


@pytest.fixture
async def streamer(connection: Any) -> BuiltStreamer:
    return await make_streamer(connection)


@pytest.fixture
async def overlay_id(connection: Any, streamer: BuiltStreamer) -> uuid.UUID:
    """An overlay that speaks."""
    return await connect(connection, streamer)
