"""Overlays, what holds the queue back, and the streamer's widgets."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from web.api.schemas.common import Model


class Overlay(Model):
    """An overlay that is connected now: a source in OBS, or a tab of a browser."""

    id: UUID
    in_obs: bool
    visible: bool
    active: bool = Field(description="On the program, as OBS says; a tab never is")
    speaks: bool = Field(description="It plays the alerts with sound; the others mirror it")
    connected_at: datetime


class Overlays(Model):
    overlays: list[Overlay] = Field(description="Those connected now, the oldest first")
    is_connected: bool = Field(description="One of them can play alerts now")
    last_seen_at: datetime | None = Field(
        description="When the last one left; null while one is connected, or if there never was one"
    )


class Missed(Model):
    """What came in while no overlay was there, and waits for an answer."""

    since: datetime
    is_postponed: bool = Field(description="The answer was `later`: what is new plays")
    alerts: int
    amount_minor: int
    duration_ms: int


class Controls(Model):
    """What holds the queue back. Nothing does when nothing here is set."""

    paused_at: datetime | None
    muted_at: datetime | None = Field(description="Alerts play without sound since then; that holds nothing back")
    is_muted_in_obs: bool | None = Field(description="What the speaking overlay says of itself; null: none speaks")
    is_overlay_there: bool = Field(description="Without one that can play, alerts wait")
    goes_on_in_ms: int | None = Field(description="An overlay has just come back: the queue goes on by itself")
    missed: Missed | None


class Widget(Model):
    """A page to be opened in OBS."""

    kind: str = Field(description="`alerts`: the overlay; `control`: the dock with the controls")
    path: str = Field(description="On this site. The overlay's needs the token that its streamer sees on her dashboard")
    connected: int | None = Field(description="How many are open now; null where nobody counts")


class Widgets(Model):
    widgets: list[Widget]
