"""A streamer's links to elsewhere: cleaned, and named by the site they lead to."""

import re
from urllib.parse import quote, urlsplit

from domain.errors import InvalidInputError

LINKS_MAX = 8
LINK_MAX_LENGTH = 200

_SITES = {
    "Twitch": ("twitch.tv",),
    "YouTube": ("youtube.com", "youtu.be"),
    "VK Видео": ("vkvideo.ru",),
    "VK": ("vk.com", "vk.ru", "vk.me"),
    "Telegram": ("t.me", "telegram.me"),
    "Kick": ("kick.com",),
    "Trovo": ("trovo.live",),
    "Discord": ("discord.gg", "discord.com"),
    "Boosty": ("boosty.to",),
    "RUTUBE": ("rutube.ru",),
    "TikTok": ("tiktok.com",),
    "Одноклассники": ("ok.ru",),
    "Дзен": ("dzen.ru",),
    "MAX": ("max.ru",),
    "GitHub": ("github.com",),
}
_NAMES = {host: name for name, hosts in _SITES.items() for host in hosts}
_HOST = re.compile(r"(?=.{4,100}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,24}|xn--[a-z0-9-]{2,40})")


def clean_link(text: str) -> str:
    """An `https://` address. Raises InvalidInputError("links", …): "malformed", "not_https", "too_long"."""
    text = text.strip()
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "https", text
    try:
        split = urlsplit(f"https://{rest}")
        has_more = split.username is not None or split.password is not None or split.port is not None
        host = (split.hostname or "").rstrip(".").encode("idna").decode()
    except ValueError as error:
        raise InvalidInputError("links", "malformed") from error
    if has_more or not _HOST.fullmatch(host) or not text.isprintable() or " " in text or "\\" in text:
        raise InvalidInputError("links", "malformed")
    # The sites we know all have TLS; what else there is under http we cannot know.
    if scheme.lower() not in ("https", "http") or (scheme.lower() == "http" and _name_of(host) is None):
        raise InvalidInputError("links", "not_https")
    path, query, fragment = (
        quote(part, safe="/%:@!$&()*+,;=~-._?") for part in (split.path, split.query, split.fragment)
    )
    link = f"https://{host}{path}" + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")
    if len(link) > LINK_MAX_LENGTH:
        raise InvalidInputError("links", "too_long", limit=LINK_MAX_LENGTH)
    return link


def link_title(link: str) -> str:
    """The site's name, or its host where we know none: what a link promises is where it leads."""
    host = urlsplit(link).hostname or ""
    return _name_of(host) or host.removeprefix("www.")


def _name_of(host: str) -> str | None:
    labels = host.split(".")
    return next((_NAMES[name] for at in range(len(labels)) if (name := ".".join(labels[at:])) in _NAMES), None)
