"""A site with its cast, and its routes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from werkzeug.routing import Rule

from tests.pages.cast import Cast, fill, settings_of_cast
from tests.pages.texts import HOSTILE
from tests.support.site import open_site
from web.app import create_app


@pytest.fixture
async def cast(fresh_database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Cast]:
    async with open_site(fresh_database_url, redis_url, **settings_of_cast(tmp_path)) as site:
        yield await fill(site)


@pytest.fixture
async def attacked(fresh_database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Cast]:
    """The same site, where every text is an attack."""
    async with open_site(fresh_database_url, redis_url, **settings_of_cast(tmp_path)) as site:
        yield await fill(site, HOSTILE)


def rules_of(cast: Cast) -> list[tuple[Rule, str]]:
    """Every route of the site with each of its methods; what reads first, what writes after it."""
    rules = create_app(cast.site.settings).url_map.iter_rules()
    pairs = [(rule, method) for rule in rules for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return sorted(pairs, key=lambda pair: (pair[1] != "GET", pair[0].rule))
