"""What a key of the API may do: an API token, or an application's access token. A person's own sign-in may do all."""

from enum import StrEnum


class Scope(StrEnum):
    PROFILE_READ = "profile:read"
    """Who the streamer is, and her page's settings."""
    PROFILE_WRITE = "profile:write"
    DONATIONS_READ = "donations:read"
    """Donations as they may be shown: moderated name and message."""
    DONATIONS_ORIGINAL = "donations:original"
    """On top of it, what the donor really wrote."""
    ALERTS_READ = "alerts:read"
    """The queue, what plays, overlays and the settings of alerts."""
    ALERTS_CONTROL = "alerts:control"
    """Skip, replay, pause, mute, test."""
    ALERTS_WRITE = "alerts:write"
    """Settings of alerts, their levels and files."""
    ALERTS_CREATE = "alerts:create"
    """Alerts of one's own."""
    GOALS_READ = "goals:read"
    GOALS_WRITE = "goals:write"
    STATS_READ = "stats:read"
    """Totals, statistics, best donors."""
    MODERATION_READ = "moderation:read"
    MODERATION_WRITE = "moderation:write"
