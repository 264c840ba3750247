"""A site with its cast."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.pages.cast import Cast, fill, settings_of_cast
from tests.pages.story import attack
from tests.support.hostile import HOSTILE
from tests.support.site import open_site


@pytest.fixture
async def cast(fresh_database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Cast]:
    async with open_site(fresh_database_url, redis_url, **settings_of_cast(tmp_path)) as site:
        yield await fill(site)


@pytest.fixture
async def attacked(fresh_database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Cast]:
    """The same site, where every text is an attack."""
    async with open_site(fresh_database_url, redis_url, **settings_of_cast(tmp_path)) as site:
        yield await fill(site, attack(HOSTILE))
