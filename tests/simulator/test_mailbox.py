"""The simulator's mailbox: letters come by SMTP and are shown as text, to people and to programs."""

from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest

from infra.embedded import free_port
from simulator.app import create_app


@pytest.fixture
async def port() -> int:
    return free_port()


@pytest.fixture
async def http(tmp_path: Path, port: int) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(tmp_path / "simulator.sqlite3", smtp_address=("127.0.0.1", port))
    async with (
        app.test_app(),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://simulator") as client,  # type: ignore[arg-type]
    ):
        yield client


async def mail(port: int, to: str, subject: str = "Привет", **options: str) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "site@example.org", to, subject
    letter.set_content("<script>alert(1)</script>\nТекст письма")
    await aiosmtplib.send(letter, hostname="127.0.0.1", port=port, start_tls=False, timeout=20, **options)  # type: ignore[arg-type]


async def test_letters_are_shown_newest_first_and_as_text(http: httpx.AsyncClient, port: int) -> None:
    await mail(port, "anna@example.org", "Первое")
    await mail(port, "bert@example.org", "Второе")
    page = (await http.get("/mailbox")).text
    assert page.index("Второе") < page.index("Первое")
    assert "<script>" not in page
    assert "Второе" not in (await http.get("/mailbox", params={"to": "anna@example.org"})).text
    listed = (await http.get("/_sim/mailbox", params={"to": "ANNA@example.org"})).json()["letters"]
    assert [(one["subject"], one["to"]) for one in listed] == [("Первое", ["anna@example.org"])]
    assert "Текст письма" in listed[0]["text"]


async def test_it_is_emptied_from_its_own_page_only(http: httpx.AsyncClient, port: int) -> None:
    await mail(port, "anna@example.org")
    assert (await http.post("/mailbox/empty", headers={"Origin": "http://evil.example"})).status_code == 403
    assert (await http.post("/mailbox/empty", headers={"Origin": "http://simulator"})).status_code == 303
    assert (await http.get("/_sim/mailbox")).json() == {"letters": []}
    await mail(port, "anna@example.org")
    assert (await http.delete("/_sim/mailbox")).status_code == 204
    assert "Писем пока нет" in (await http.get("/mailbox")).text


async def test_errors_of_real_servers_can_be_tried(http: httpx.AsyncClient, port: int) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await mail(port, "unknown@example.org")
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await mail(port, "busy@example.org")
    with pytest.raises(aiosmtplib.SMTPAuthenticationError):
        await mail(port, "anna@example.org", username="site", password="wrong")
    await mail(port, "anna@example.org", username="site", password="right")
    assert len((await http.get("/_sim/mailbox")).json()["letters"]) == 1
