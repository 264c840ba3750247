"""What waits for a decision, on the control page: without scripts and with them, and for two at once."""

import re
import uuid

import httpx

from domain.moderation import Act, Mode, Rule, Settings
from domain.moderation_settings import save_settings
from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.money import add_paid
from tests.web.test_control import ON_PAGE, press_line
from tests.web.test_dashboard import HTMX, NBSP


async def hold(site: Site, streamer: Streamer, *messages: str) -> list[uuid.UUID]:
    """Donations whose messages wait for a decision, the oldest first; their alerts' ids."""
    async with site.pool.acquire() as connection:
        await save_settings(connection, streamer.id, Settings(mode=Mode.APPROVE, acts={Rule.LINKS: Act.HOLD}))
    for message in messages:
        await add_paid(site, streamer, message=message)
    rows = await site.rows("SELECT alert_id FROM alerts WHERE status = 'held' ORDER BY id")
    assert len(rows) == len(messages)
    return [row["alert_id"] for row in rows]


async def test_what_waits_for_a_decision_is_a_card_the_oldest_first(
    site: Site, streamer: Streamer, her: httpx.AsyncClient
) -> None:
    first, second = await hold(site, streamer, "<b>kek.ru</b>", "ladno")
    page = (await her.get("/dashboard/control?dock=1")).text
    assert f'id="hold-{first}"' in page
    assert f'id="hold-{second}"' not in page
    assert "and 1 more" in page
    assert re.search(r'&lt;b&gt;<mark class="caught" title="Links">kek\.ru</mark>&lt;/b&gt;', page)
    assert re.search(r'<span class="chip chip-warn">.*?Links</span>', page)
    assert f"300{NBSP}₽" in page

    decision = {"alert_id": str(first), "decision": "hide", **ON_PAGE}
    answer = await her.post("/dashboard/moderation/decide?dock=1", data=decision)
    assert answer.headers["Location"] == "/dashboard/control?said=hold-decided&dock=1"
    page = (await her.get(answer.headers["Location"])).text
    assert "Decided. It takes effect in five seconds" in page
    assert "It is about to be hidden." in page
    assert f'id="hold-{second}"' in page
    # Somebody else on the same card.
    late = await her.post("/dashboard/moderation/decide", data={**decision, "decision": "show"}, headers=HTMX)
    assert press_line(late.text) == "note: Somebody was first: nothing changed."
    undone = await her.post("/dashboard/moderation/undo", data=decision, headers=HTMX)
    assert press_line(undone.text) == "note: Taken back: it waits again."
    assert f'id="hold-{first}"' in undone.text
    assert "It is about to be hidden." not in undone.text
    twice = await her.post("/dashboard/moderation/undo", data=decision, headers=HTMX)
    assert press_line(twice.text) == "note: It was already done: nothing changed."
