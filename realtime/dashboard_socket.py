"""The namespace `/dashboard`: it only says that something changed; the page asks `web` for the rest.

For the streamer's pages and her moderators': these hear only of what they may see.
"""

from typing import Any

import socketio
from pydantic import ValidationError
from socketio.exceptions import ConnectionRefusedError as Refused

from infra.crypto import SecretBox
from infra.tickets import read_dashboard_ticket
from realtime.messages import DashboardHello, refusal
from realtime.stage import DASHBOARD, Stage

MAX_DASHBOARDS = 100
"""Dashboards of one streamer on one process."""
MAX_OF_MODERATOR = 8
"""Of them, one moderator's: their tabs never keep the streamer out."""


class DashboardNamespace(socketio.AsyncNamespace):  # type: ignore[misc]
    def __init__(self, stage: Stage, box: SecretBox) -> None:
        super().__init__(DASHBOARD)
        self._stage = stage
        self._box = box
        self._streamers: dict[str, int] = {}

    async def trigger_event(self, event: Any, *arguments: Any) -> Any:
        sid = arguments[0]
        if event == "connect" and sid not in self._streamers:
            return await self._connect(sid, arguments[2] if len(arguments) > 2 else None)
        if event == "disconnect":
            return self._disconnect(sid)
        return refusal("unknown_message")

    async def _connect(self, sid: str, auth: Any) -> None:
        try:
            hello = DashboardHello.model_validate(auth)
        except ValidationError:
            raise Refused("A ticket is expected", refusal("bad_message")) from None
        ticket = read_dashboard_ticket(self._box, hello.ticket)
        if ticket is None:
            raise Refused("The ticket is not valid", refusal("bad_ticket"))
        # Not through the lock: a streamer's slow queue is no reason to keep a page waiting.
        room = self._stage.rooms.enter(ticket.streamer_id)
        session_id = ticket.moderator_session_id
        mine = sum(other == session_id for other in room.moderators.values()) if session_id is not None else 0
        if len(room.dashboards) >= MAX_DASHBOARDS or mine >= MAX_OF_MODERATOR:
            self._stage.rooms.tidy(room)
            raise Refused("Too many dashboards", refusal("too_many"))
        room.dashboards.add(sid)
        if session_id is not None:
            # A session that ended within the ticket's minute is found by the next look.
            room.moderators[sid] = session_id
        self._streamers[sid] = ticket.streamer_id

    def _disconnect(self, sid: str) -> None:
        streamer_id = self._streamers.pop(sid, None)
        room = self._stage.rooms.find(streamer_id) if streamer_id is not None else None
        if room is not None:
            room.dashboards.discard(sid)
            room.moderators.pop(sid, None)
            self._stage.rooms.tidy(room)
