"""Alerts that a streamer's own programs make."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from domain.alerts import AlertStatus
from domain.custom_alerts import EXTERNAL_ID_MAX_LENGTH, MESSAGE_MAX_LENGTH
from domain.manual_donations import MOST_MINOR
from domain.text import NAME_MAX_LENGTH
from web.api.schemas.common import Model

FileUrl = Annotated[str, Field(max_length=100, pattern=r"^/static/uploads/[0-9a-f]{32}\.[a-z0-9]{3,4}$")]


class NewCustomAlert(Model):
    """At least one of `title` and `message` says something."""

    title: str = Field("", max_length=4 * NAME_MAX_LENGTH, description=f"The large line, {NAME_MAX_LENGTH} characters")
    message: str = Field("", max_length=2 * MESSAGE_MAX_LENGTH, description=f"{MESSAGE_MAX_LENGTH} characters at most")
    amount_minor: int = Field(0, ge=0, le=MOST_MINOR, description="Kopecks to show; 0: none. It counts nowhere")
    duration_ms: int | None = Field(
        None, ge=1_000, le=300_000, description="Within the page's shortest and longest; null: as the text needs"
    )
    image_url: FileUrl | None = Field(None, description="A picture that was uploaded to this page")
    sound_url: FileUrl | None = Field(None, description="A sound that was uploaded to this page; null: the usual one")
    external_id: str | None = Field(
        None,
        min_length=1,
        max_length=EXTERNAL_ID_MAX_LENGTH,
        pattern="^[ -~]+$",
        description="Your own name for it: sent again, it is the same alert and is not shown twice",
    )


class CustomAlert(Model):
    """With its text as it is shown."""

    alert_id: UUID
    status: AlertStatus
    title: str | None
    message: str
    amount_minor: int
    duration_ms: int
    image_url: str | None
    sound_url: str | None
    external_id: str | None
    created_at: datetime
    shown_at: datetime | None = Field(description="When it could be read")
    finished_at: datetime | None
