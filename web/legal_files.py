"""The operator's legal pages: Markdown files in a folder, `<name>.<language>.md`, at most 256 KB each.

Only what a look into the folder has listed can be asked for, so no address leads out of it. HTML inside a file is shown
as text.
"""

import logging
import re
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markdown_it import MarkdownIt

from web.i18n import DEFAULT_LOCALE, LANGUAGES

log = logging.getLogger(__name__)

MAX_BYTES = 256 * 1024
MAX_FILES = 40
LOOK_SECONDS = 5.0
"""How old the list of files may be: every page has links to them at its foot."""

_FILE = re.compile(rf"(?P<name>[a-z0-9](?:[a-z0-9-]{{0,38}}[a-z0-9])?)\.(?P<locale>{'|'.join(LANGUAGES)})\.md")
_TITLE = re.compile(r"^#\s+(?P<title>\S.{0,119}?)\s*#*\s*$", re.MULTILINE)

_markdown = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class LegalFile:
    name: str
    locale: str
    title: str
    """Its first heading, else its name."""
    path: Path


@dataclass
class _Looked:
    at: float
    files: dict[str, dict[str, LegalFile]]


_looked: dict[Path, _Looked] = {}


def list_pages(folder: Path, locale: str) -> list[LegalFile]:
    """One file of each name, by name: in this language, else in the default one, else in any."""
    return [_in_language(found, locale) for _name, found in sorted(_look(folder).items())]


def find_page(folder: Path, name: str, locale: str) -> LegalFile | None:
    found = _look(folder).get(name)
    return None if found is None else _in_language(found, locale)


def _in_language(found: dict[str, LegalFile], locale: str) -> LegalFile:
    return found.get(locale) or found.get(DEFAULT_LOCALE) or next(iter(found.values()))


def render_page(page: LegalFile) -> str | None:
    """Its HTML, safe to be shown as it is; None when the file has gone meanwhile."""
    text = _read(page.path)
    return None if text is None else _render(text)


@lru_cache(maxsize=64)
def _render(text: str) -> str:
    return str(_markdown.render(text))


def _look(folder: Path) -> dict[str, dict[str, LegalFile]]:
    known = _looked.get(folder)
    if known is not None and time.monotonic() - known.at < LOOK_SECONDS:
        return known.files
    files: dict[str, dict[str, LegalFile]] = {}
    for path in _list(folder):
        match = _FILE.fullmatch(path.name)
        text = _read(path) if match else None
        if match is None or text is None:
            continue
        title = _TITLE.search(text)
        name, locale = match["name"], match["locale"]
        files.setdefault(name, {})[locale] = LegalFile(name, locale, title["title"] if title else name, path)
    _looked[folder] = _Looked(time.monotonic(), files)
    return files


def _list(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())[:MAX_FILES]
    except OSError:
        # Most sites have no such folder.
        return []


def _read(path: Path) -> str | None:
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        log.warning("The legal page %s cannot be read: %s", path.name, error)
        return None
    if len(raw) > MAX_BYTES:
        log.warning("The legal page %s is larger than %s bytes and is left out", path.name, MAX_BYTES)
        return None
    return raw.decode("utf-8-sig", errors="replace").replace("\0", "")
