"""Whether alerts can be seen: overlays, what holds the queue back, and the pages for OBS.

Addresses with tokens are for their streamer's eyes; no key reads them.
"""

from quart_schema import validate_response

from domain import overlays
from domain.missed import get_missed
from domain.scopes import Scope
from web.api.access import callers_streamer, needs
from web.api.blueprints import new_api
from web.api.etags import tagged
from web.api.openapi import examples
from web.api.schemas.overlays import Controls, Missed, Overlay, Overlays, Widget, Widgets
from web.context import parts

blueprint = new_api("overlays", "")


@blueprint.get("/overlays")
@needs(Scope.ALERTS_READ)
@tagged
@examples(
    response={
        "overlays": [
            {
                "id": "c56a4180-65aa-42ec-a945-5fd21dec0538",
                "in_obs": True,
                "visible": True,
                "active": True,
                "speaks": True,
                "connected_at": "2026-11-28T17:58:00Z",
            }
        ],
        "is_connected": True,
        "last_seen_at": None,
    }
)
@validate_response(Overlays)
async def show() -> Overlays:
    """Which overlays are connected

    An overlay that left stays in the list for some seconds. The answer has an `ETag`.
    """
    streamer = await callers_streamer()
    async with parts().pool.acquire() as connection:
        found = await overlays.list_overlays(connection, streamer.id)
        seen_at = await overlays.last_seen_at(connection, streamer.id)
    return Overlays(
        overlays=[Overlay(**vars(overlay)) for overlay in found],
        is_connected=any(overlay.speaks for overlay in found),
        last_seen_at=seen_at,
    )


@blueprint.get("/controls")
@needs(Scope.ALERTS_READ)
@examples(
    response={
        "paused_at": "2026-11-28T18:40:00Z",
        "muted_at": None,
        "is_muted_in_obs": False,
        "is_overlay_there": True,
        "goes_on_in_ms": None,
        "missed": None,
    }
)
@validate_response(Controls)
async def show_controls() -> Controls:
    """What holds the queue back

    A pause, an overlay that is not there or has just come back, or missed alerts that nobody has decided about.
    """
    streamer = await callers_streamer()
    async with parts().pool.acquire() as connection:
        controls = await overlays.get_controls(connection, streamer.id)
        missed = await get_missed(connection, streamer.id)
    return Controls(
        paused_at=controls.paused_at,
        muted_at=controls.muted_at,
        is_muted_in_obs=controls.speaker_muted,
        is_overlay_there=controls.speaker_id is not None,
        goes_on_in_ms=controls.resume_in_ms,
        missed=None
        if missed is None
        else Missed(
            since=missed.asking_since,
            is_postponed=missed.postponed,
            alerts=missed.alerts,
            amount_minor=missed.amount_minor,
            duration_ms=missed.duration_ms,
        ),
    )


@blueprint.get("/widgets")
@needs(Scope.ALERTS_READ)
@tagged
@examples(
    response={
        "widgets": [
            {"kind": "alerts", "path": "/overlay", "connected": 1},
            {"kind": "control", "path": "/dashboard/control?dock=1", "connected": None},
        ]
    }
)
@validate_response(Widgets)
async def list_widgets() -> Widgets:
    """The pages for OBS

    Without the tokens that open them: those a streamer sees on her dashboard, and no key does.
    """
    streamer = await callers_streamer()
    async with parts().pool.acquire() as connection:
        connected = len(await overlays.list_overlays(connection, streamer.id))
    return Widgets(
        widgets=[
            Widget(kind="alerts", path="/overlay", connected=connected),
            Widget(kind="control", path="/dashboard/control?dock=1", connected=None),
        ]
    )
