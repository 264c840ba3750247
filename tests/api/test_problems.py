"""The codes that problems end with: each stands in the one table, and the documents have the same table."""

import re

import httpx

from domain.streamers import Streamer
from infra.settings import ROOT
from tests.api.keys import code_of
from tests.support.site import Site
from web.api.errors import PROBLEM, PROBLEMS
from web.api.problems import TABLE

USED = re.compile(r"""(?:\bcode=|\bproblem\(\s*)"([^"]+)\"""")


def test_what_views_say_stands_in_the_table_and_nothing_else_does() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "web" / "api").glob("*.py")]
    used = {code for source in sources for code in USED.findall(source)}
    assert used - TABLE.keys() == set()
    # Goals have theirs by the domain's words.
    goals = {code for code in TABLE if code.startswith(("goal-", "too-many-goals"))}
    assert TABLE.keys() - used - PROBLEMS.keys() - goals == set()


def test_the_documents_have_the_same_table() -> None:
    expected = [(code, str(problem.status)) for code, problem in TABLE.items()]
    for name in ("api.md", "api.ru.md"):
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        rows = re.findall(r"^\| `([a-z-]+)` \| (\d{3})[^|]* \| (.+) \|$", text, re.MULTILINE)
        assert [(code, status) for code, status, _ in rows] == expected, name
        if name == "api.md":
            assert [words for _, _, words in rows] == [problem.detail for problem in TABLE.values()]


async def test_each_type_leads_to_its_place_on_the_page(site: Site) -> None:
    page = (await site.client.get("/docs/api")).text
    assert re.findall(r'id="problem-([^"]+)"', page) == list(TABLE)


async def test_paths_of_the_first_version_have_codes_too(nobody: httpx.AsyncClient, streamer: Streamer) -> None:
    """For whoever asks for problem documents."""
    wish = {"amount": 0.01, "recipient_id": streamer.owner_id, "payment_method": "tbank"}
    answer = await nobody.post("/donations/", json=wish, headers={"Accept": PROBLEM})
    assert (answer.status_code, code_of(answer)) == (400, "amount")
    answer = await nobody.get("/users/me", headers={"Accept": PROBLEM})
    assert (answer.status_code, code_of(answer)) == (403, "unknown-key")
