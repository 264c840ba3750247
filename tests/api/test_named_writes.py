"""Every operation that takes a name, by the document: that it is done is kept with what it does, in one transaction."""

from typing import Any

import pytest

from domain.alert_settings import get_settings
from domain.streamers import Streamer
from domain.users import create_user
from tests.api.conftest import calling, jwt_of
from tests.api.test_alert_files import GIF, uploaded
from tests.api.test_rights import OPERATIONS, Operation, ids, ids_for, named
from tests.support.site import Site
from tests.web.conftest import PASSWORD

__all__ = ["ids"]

HEADER = "Idempotency-Key"
NAMED = [
    operation
    for operation in OPERATIONS
    if HEADER in {parameter["name"] for parameter in operation.description["parameters"]}
]

LAST = (
    "POST /api/v1/goals/{goal_id}/end",
    "POST /api/v1/goals/{goal_id}/archive",
    "POST /api/v1/goals/{goal_id}/unarchive",
    "POST /api/v1/alerts/tier/{tier_id}/gif",
    "DELETE /api/v1/alerts/tier/{tier_id}/gif",
    "DELETE /api/v1/alerts/tier/{tier_id}",
    "DELETE /api/v1/alerts/upload/file",
    "DELETE /api/v1/goals/{goal_id}",
    "DELETE /api/v1/moderation/blocks/{block_id}",
)
"""In this order: each after what it needs, and before what takes that away."""


def _place(operation: Operation) -> int:
    return LAST.index(named(operation)) if named(operation) in LAST else -1


LOSE_ANSWERS = """
    CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER lose BEFORE UPDATE ON idempotency_keys
    FOR EACH ROW WHEN (NEW.status IS NOT NULL) EXECUTE FUNCTION lose();
"""


def test_what_takes_a_name() -> None:
    """What changes something and asks who calls; but no upload, which is kept once, and nothing that only reads."""
    others = {named(operation) for operation in OPERATIONS if operation.method != "GET" and not operation.is_public}
    assert others - {named(operation) for operation in NAMED} == {
        "POST /api/v1/alerts/preview-audio",
        "POST /api/v1/alerts/upload/audio",
        "POST /api/v1/alerts/upload/image",
        "POST /api/v1/auth/test-token",
    }


@pytest.mark.usefixtures("worker")
async def test_who_dies_before_the_answer_is_kept_leaves_that_it_is_done(
    site: Site, streamer: Streamer, ids: dict[str, str]
) -> None:
    async with site.pool.acquire() as connection:
        await connection.execute("UPDATE users SET is_superuser = true WHERE id = $1", streamer.owner_id)
        other = await create_user(connection, "vera@example.org", PASSWORD)
        blocked = await create_user(connection, "gleb@example.org", PASSWORD)
        tier_id = (await get_settings(connection, streamer.id)).tiers[0].id
    async with (
        calling(site, await jwt_of(site, streamer.owner_id)) as her,
        calling(site, await jwt_of(site, other.id)) as others,
    ):
        image, unused = await uploaded(her, GIF), await uploaded(her, GIF + b"\0")
        options: dict[str, dict[str, Any]] = {
            "POST /api/v1/alerts/tier/{tier_id}/gif": {"params": {"gif_url": image}},
            "DELETE /api/v1/alerts/tier/{tier_id}/gif": {"params": {"gif_url": image}},
            "DELETE /api/v1/alerts/upload/file": {"params": {"file_url": unused}},
            "POST /api/v1/moderation/blocks": {"json": {"public_id": ids["public_id"], "kind": "name"}},
            "POST /api/v1/replays": {"json": {"donation_id": int(ids["donation_id"])}},
            "POST /api/v1/streamers/": {"json": {"display_name": "Вера", "user_id": other.id}},
            "POST /api/v1/users/": {
                "json": {"email": "zoya@example.org", "username": "zoya", "password": "correct horse battery"}
            },
        }
        given = {**ids, "tier_id": tier_id, "user_id": str(blocked.id)}
        await site.pool.execute(LOSE_ANSWERS)
        refused = []
        for operation in sorted(NAMED, key=_place):
            client = others if named(operation) == "POST /api/v1/streamers/" else her
            client.headers[HEADER] = named(operation)
            answer = await operation.call(client, ids_for(operation, given), **options.get(named(operation), {}))
            if not answer.is_success:
                refused.append(f"{named(operation)} answers {answer.status_code}: {answer.text}")
    assert refused == []
    rows = await site.rows("SELECT key, acted_at, status FROM idempotency_keys")
    assert {row["key"] for row in rows} == {named(operation) for operation in NAMED}
    assert {row["status"] for row in rows} == {None}
    assert [row["key"] for row in rows if row["acted_at"] is None] == []
