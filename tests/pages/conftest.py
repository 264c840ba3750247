"""One site with its cast for all tests of a file, and its people's browsers."""

import itertools
from collections.abc import AsyncIterator

import pytest
from werkzeug.routing import Rule

from tests.pages.cast import Cast, fill
from tests.support.servers import TEMPLATE, Servers
from tests.support.site import open_site
from web.app import create_app

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
async def cast(_servers: Servers) -> AsyncIterator[Cast]:
    name = f"cast_{next(_numbers)}"
    database_url = await _servers.postgres.create_database(name, template=TEMPLATE)
    async with open_site(database_url, _servers.valkey.url()) as site:
        yield await fill(site)
    await _servers.postgres.drop_database(name)


def rules_of(cast: Cast) -> list[tuple[Rule, str]]:
    """Every route of the site with each of its methods; what reads first, what writes after it."""
    rules = create_app(cast.site.settings).url_map.iter_rules()
    pairs = [(rule, method) for rule in rules for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return sorted(pairs, key=lambda pair: (pair[1] != "GET", pair[0].rule))
