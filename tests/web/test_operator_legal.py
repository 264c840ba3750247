"""The operator's legal pages: from files of a folder, in two languages, and nothing else of the disk."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.site import Site, open_site
from web import legal_files
from web.legal_files import MAX_BYTES, find_page, list_pages, render_page

RU = {"Accept-Language": "ru"}
EN = {"Accept-Language": "en"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "legal"
    folder.mkdir()
    (tmp_path / "secret.ru.md").write_text("# Секрет")
    return folder


@pytest.fixture(autouse=True)
def _looks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legal_files, "LOOK_SECONDS", -1.0)


@pytest.fixture
async def site(fresh_database_url: str, redis_url: str, folder: Path) -> AsyncIterator[Site]:
    async with open_site(fresh_database_url, redis_url, legal_dir=folder) as site:
        yield site


async def test_pages_links_and_languages(site: Site, folder: Path) -> None:
    assert "/legal/" not in (await site.client.get("/")).text
    (folder / "privacy.ru.md").write_text("# Политика\n\n- раз\n- два\n\n| а | б |\n|---|---|\n| 1 | 2 |\n")
    (folder / "privacy.en.md").write_text("# Policy\n\nWords, [a link](https://example.org/x).")
    (folder / "rules.ru.md").write_text("# Правила **сайта**\n")
    await site.add_streamer()
    for path in ("/", "/sign-in", "/donate/anna"):
        page = (await site.client.get(path, headers=RU)).text
        assert '<a href="/legal/privacy">Политика</a>' in page, path
        assert '<a href="/legal/rules">' in page, path
        assert '<a href="/legal/privacy">Policy</a>' in (await site.client.get(path, headers=EN)).text, path
    page = (await site.client.get("/legal/privacy", headers=RU)).text
    assert "<h1>Политика</h1>" in page
    assert "<li>раз</li>" in page
    assert "<td>1</td>" in page
    assert '<a href="https://example.org/x">a link</a>' in (await site.client.get("/legal/privacy", headers=EN)).text
    # A language that is missing falls back, and says which one it is.
    fallen = (await site.client.get("/legal/rules", headers=EN)).text
    assert '<article class="card text" lang="ru">' in fallen
    (folder / "rules.ru.md").unlink()
    assert (await site.client.get("/legal/rules")).status_code == 404


async def test_nothing_beside_the_folder_can_be_asked_for(site: Site, folder: Path) -> None:
    (folder / "privacy.ru.md").write_text("# Политика")
    (folder / ".hidden.ru.md").write_text("# Скрытое")
    (folder / "Upper.ru.md").write_text("# Большие")
    (folder / "no-language.md").write_text("# Без языка")
    (folder / "notes.ru.txt").write_text("# Заметки")
    (folder / "folder.ru.md").mkdir()
    for name in (
        "../secret", "..%2Fsecret", "%2e%2e%2fsecret", "....//secret", "secret", "privacy.ru.md", "privacy%00",
        ".hidden", "Upper", "upper", "no-language", "notes", "folder", "PRIVACY", "privacy/../../secret", "x" * 3000,
        "%ff",
    ):  # fmt: skip
        answer = await site.client.get(f"/legal/{name}")
        assert answer.status_code == 404, name
        assert "Секрет" not in answer.text
    assert (await site.client.get("/legal/privacy")).status_code == 200


HOSTILE = """# <img src=x onerror=alert(1)>

<script>alert(1)</script>

<iframe src="https://evil.example"></iframe>

[one](javascript:alert(1)) [two](JaVaScRiPt:alert(1)) [three](data:text/html,x) [four](vbscript:x) <javascript:alert(1)>

[five](https://example.org/"onclick="alert(1)) ![six](javascript:alert(1)) ![x" onerror="alert(1)](a.png)

<!-- --><svg/onload=alert(1)> &lt;script&gt; {{ 7 * 7 }} {% raw %}
"""


async def test_hostile_markdown_is_text(site: Site, folder: Path) -> None:
    (folder / "evil.ru.md").write_text(HOSTILE)
    page = (await site.client.get("/legal/evil", headers=RU)).text
    article = page.partition("<article")[2].partition("</article>")[0]
    for tag in (
        "<script",
        "<iframe",
        "<svg",
        "<img src=x",
        'href="javascript',
        'href="JaVa',
        'href="data:',
        'src="java',
    ):
        assert tag not in article, tag
    assert ' onclick="' not in article
    assert ' onerror="' not in article
    assert "{{ 7 * 7 }}" in article
    footer = page.partition("<footer")[2]
    assert "<img" not in footer
    assert "&lt;img src=x" in footer


def test_what_is_too_large_or_no_text_is_left_out(folder: Path) -> None:
    (folder / "large.ru.md").write_bytes(b"#" * (MAX_BYTES + 1))
    (folder / "fits.ru.md").write_bytes(b"x" * MAX_BYTES)
    (folder / "bytes.ru.md").write_bytes(b"\xef\xbb\xbf# \xff\x00\xfe")
    assert [page.name for page in list_pages(folder, "ru")] == ["bytes", "fits"]
    page = find_page(folder, "bytes", "en")
    assert page is not None
    assert "\0" not in (render_page(page) or "")
    page.path.unlink()
    assert render_page(page) is None
    assert list_pages(folder / "nowhere", "ru") == []
