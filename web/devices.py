"""A browser in a few words, by what it says of itself: "Chrome, Windows"."""

from web.i18n import _

# The first that fits: many also claim to be Chrome and Safari.
_BROWSERS = (
    ("YaBrowser/", "Yandex Browser"),
    ("OPR/", "Opera"),
    ("Edg", "Edge"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("OBS/", "OBS"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_words(user_agent: str) -> str:
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return ", ".join(part for part in (browser, system) if part) or _("Some browser")


def is_phone(user_agent: str) -> bool:
    return "iPhone" in user_agent or ("Android" in user_agent and "Mobile" in user_agent)
