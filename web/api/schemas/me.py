"""Whoever calls."""

from datetime import datetime

from pydantic import Field

from domain.scopes import Scope
from web.api.schemas.common import Model


class Page(Model):
    """A streamer's donation page."""

    id: int
    slug: str
    display_name: str
    url: str
    time_zone: str


class Me(Model):
    kind: str = Field(description="`person`: signed in herself; `key`: a program with an access token")
    name: str | None = Field(description="The key's name, or its application's")
    scopes: list[Scope] | None = Field(description="What the key may do; null: all that its owner may")
    expires_at: datetime | None = Field(description="When the key ends; null: when it is revoked")
    streamer: Page | None = Field(description="Whose page it acts for; null: its owner has none yet")
