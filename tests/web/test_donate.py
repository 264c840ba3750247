"""The donation form: what a donor sends becomes one donation, and what is wrong is said beside the field."""

import asyncio
import hashlib
import re
from html import unescape
from typing import Any

import httpx
import pytest

from domain.streamers import Streamer
from tests.support.site import Site
from web.donate_form import CONSENT_VERSION
from web.i18n import LANGUAGES

NBSP = "\N{NO-BREAK SPACE}"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def site(kept_site: Site) -> Site:
    return kept_site


def key_of(page: str) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


async def fields(site: Site, **changed: str) -> dict[str, str]:
    """What a donor's browser would send: a fresh form's key, and good values."""
    page = await site.client.get("/donate/anna")
    assert page.status_code == 200
    values = {
        "key": key_of(page.text),
        "amount": "300",
        "message": "Привет из Омска",
        "name": "Аня",
        "consent": CONSENT_VERSION,
    }
    return {**values, **changed}


async def send(site: Site, values: dict[str, str], **headers: str) -> httpx.Response:
    return await site.client.post("/donate/anna", data=values, headers=headers)


async def donations(site: Site) -> list[dict[str, Any]]:
    return await site.rows("SELECT * FROM donations ORDER BY id")


@pytest.mark.usefixtures("streamer")
class TestForm:
    async def test_the_page_has_everything_and_may_not_be_kept(self, site: Site) -> None:
        response = await site.client.get("/donate/anna")
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-store"
        assert '<html lang="ru">' in response.text
        for words in ("Анна", "Поддержать", "СБП или карта · без регистрации", f"От 10{NBSP}₽ до 15{NBSP}000{NBSP}₽"):
            assert words in response.text
        consent = re.search(r'<input type="checkbox" id="consent"[^>]*>', response.text)
        assert consent is not None
        assert "checked" not in consent[0]
        assert key_of(response.text) != key_of((await site.client.get("/donate/anna")).text)

    async def test_english(self, site: Site) -> None:
        page = (await site.client.get("/donate/anna", headers={"Accept-Language": "en"})).text
        assert '<html lang="en">' in page
        assert "SBP or card · no sign-up" in page
        assert not re.search("[А-Яа-я]", re.sub("Анна|Русский|>А<", "", page))

    @pytest.mark.parametrize(
        ("query", "value"),
        [
            ("?a=300&from=qr", "300"),
            ("?a=99.5", "99,50"),
            ("?a=-1", ""),
            ("?a=%00", ""),
            ("?a=%22%3E%3Cscript%3E", ""),
            ("", ""),
        ],
    )
    async def test_a_link_may_choose_the_amount(self, site: Site, query: str, value: str) -> None:
        page = (await site.client.get("/donate/anna" + query)).text
        found = re.search(r'<input id="amount"[^>]* value="([^"]*)"', page)
        assert found is not None
        assert found[1] == value

    @pytest.mark.parametrize(
        ("query", "value", "words"),
        [
            ("?a=1000000", "1\xa0000\xa0000", "Стример принимает до 15\xa0000\xa0₽."),
            ("?a=5", "5", "Минимум 10\xa0₽: меньше СБП не принимает."),
        ],
    )
    async def test_a_link_with_an_amount_that_cannot_be_paid_says_so(
        self, site: Site, query: str, value: str, words: str
    ) -> None:
        response = await site.client.get("/donate/anna" + query)
        assert response.status_code == 200
        assert re.search(rf'<input id="amount"[^>]* value="{value}"[^>]*aria-invalid="true"', response.text)
        assert f'<p class="error" id="amount-error">{words}</p>' in response.text
        assert "consent-error" not in response.text

    async def test_the_form_becomes_a_donation_and_its_page(self, site: Site, streamer: Streamer) -> None:
        response = await send(site, await fields(site))
        assert response.status_code == 303
        [donation] = await donations(site)
        assert response.headers["Location"] == f"/d/{donation['public_id']}"
        assert donation["amount_minor"] == 30000
        assert donation["donor_name"] == donation["public_donor_name"] == "Аня"
        assert donation["message"] == donation["public_message"] == "Привет из Омска"
        assert donation["streamer_id"] == streamer.id
        assert donation["locale"] == "ru"
        assert donation["consent_version"] == CONSENT_VERSION
        assert donation["consented_at"] is not None
        [event] = await site.rows("SELECT name, data FROM outbox")
        assert event["name"] == "donation.created"
        [payment] = await site.rows("SELECT * FROM payments")
        assert (payment["status"], payment["amount_minor"]) == ("new", 30000)

    async def test_with_htmx_the_waiting_piece_comes_at_once(self, site: Site) -> None:
        response = await send(site, await fields(site), **HTMX)
        assert response.status_code == 200
        [donation] = await donations(site)
        assert response.headers["HX-Push-Url"] == f"/d/{donation['public_id']}"
        assert response.text.lstrip().startswith('<section id="donate"')
        assert "<html" not in response.text
        assert f'hx-get="/d/{donation["public_id"]}/state?version=' in response.text

    @pytest.mark.parametrize("at_once", [True, False])
    async def test_a_doubled_submit_is_one_donation(self, site: Site, at_once: bool) -> None:
        values = await fields(site)
        if at_once:
            answers = await asyncio.gather(*(send(site, values) for _ in range(5)))
        else:
            answers = [await send(site, values) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {303}
        assert len({answer.headers["Location"] for answer in answers}) == 1
        assert len(await donations(site)) == 1
        assert len(await site.rows("SELECT FROM payments")) == 1

    async def test_changed_fields_are_another_donation(self, site: Site) -> None:
        values = await fields(site)
        first = await send(site, values)
        second = await send(site, {**values, "amount": "301"})
        assert first.headers["Location"] != second.headers["Location"]
        assert [donation["amount_minor"] for donation in await donations(site)] == [30000, 30100]

    @pytest.mark.parametrize(
        "values", [{"name": ""}, {"name": "   "}, {"name": "Аня", "anonymous": "1"}, {"name": "\u200b"}]
    )
    async def test_anonymous(self, site: Site, values: dict[str, str]) -> None:
        assert (await send(site, await fields(site, **values))).status_code == 303
        [donation] = await donations(site)
        assert donation["donor_name"] is None

    async def test_a_preset_without_scripts_keeps_what_was_typed(self, site: Site) -> None:
        response = await send(site, {"set_amount": f"1{NBSP}000", "message": "<b>ещё нет", "name": "Аня"})
        assert response.status_code == 200
        assert f'value="1{NBSP}000"' in response.text
        assert "&lt;b&gt;ещё нет</textarea>" in response.text
        assert 'value="Аня"' in response.text
        assert 'aria-invalid="true"' not in response.text
        assert await donations(site) == []


@pytest.mark.usefixtures("streamer")
class TestErrors:
    @pytest.mark.parametrize(
        ("changed", "field", "words"),
        [
            ({"amount": "9"}, "amount", f"Минимум 10{NBSP}₽: меньше СБП не принимает."),
            ({"amount": "0"}, "amount", f"Минимум 10{NBSP}₽: меньше СБП не принимает."),
            ({"amount": "15001"}, "amount", f"Стример принимает до 15{NBSP}000{NBSP}₽."),
            ({"amount": "999999999"}, "amount", f"Стример принимает до 15{NBSP}000{NBSP}₽."),
            ({"amount": ""}, "amount", "Выберите или введите сумму."),
            ({"amount": "-300"}, "amount", "Не получается прочитать сумму"),
            ({"amount": "1e9"}, "amount", "Не получается прочитать сумму"),
            ({"amount": "NaN"}, "amount", "Не получается прочитать сумму"),
            ({"amount": "1,500"}, "amount", "Не получается прочитать сумму"),
            ({"amount": "9" * 5000}, "amount", "Не получается прочитать сумму"),
            ({"amount": "\0"}, "amount", "Не получается прочитать сумму"),
            ({"amount": "300; DROP TABLE donations"}, "amount", "Не получается прочитать сумму"),
            ({"message": "я" * 312}, "message", "Длиннее 300 символов: уберите 12."),
            ({"message": "👩‍🚀" * 101}, "message", "Длиннее 300 символов: уберите 3."),
            ({"name": "я" * 61}, "name", "Длиннее 60 символов: уберите 1."),
            ({"consent": ""}, "consent", "Отметьте согласие"),
            ({"consent": "2020-01-1"}, "consent", "Текст согласия обновился"),
        ],
    )  # fmt: skip
    async def test_a_wrong_field_is_said_beside_it(
        self, site: Site, changed: dict[str, str], field: str, words: str
    ) -> None:
        values = await fields(site, **changed)
        page = await send(site, values)
        partial = await send(site, values, **HTMX)
        for response in (page, partial):
            assert response.status_code == 422
            assert f'id="{field}-error">{words}' in response.text
            assert f'aria-describedby="{field}-error' in response.text
            assert response.text.count("autofocus") == 1
            assert response.headers["Cache-Control"] == "no-store"
        assert "<html" in page.text
        assert partial.text.lstrip().startswith('<form id="donate"')
        without_key = re.compile(r'name="key" value="[^"]+"')
        assert without_key.sub("", partial.text.strip()) in without_key.sub("", page.text)
        assert await donations(site) == []

    async def test_several_errors_have_a_summary_with_links(self, site: Site) -> None:
        response = await send(site, await fields(site, amount="1", consent=""))
        assert response.status_code == 422
        summary = response.text.partition('class="summary"')[2].partition("</div>")[0]
        assert re.findall('href="#([a-z]+)">([^<]+)</a>:', summary) == [("amount", "Сумма"), ("consent", "Согласие")]
        assert response.text.count("autofocus") == 1

    async def test_what_was_typed_stays(self, site: Site) -> None:
        typed = await fields(site, amount="1", name='"><script>alert(1)</script>', message="</textarea><b>")
        response = await send(site, typed)
        assert "<script>alert" not in response.text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in response.text
        assert "&lt;/textarea&gt;&lt;b&gt;</textarea>" in response.text
        assert 'name="consent" value="' + CONSENT_VERSION + '" required checked' in response.text

    async def test_an_unknown_key_asks_to_press_again(self, site: Site) -> None:
        response = await send(site, await fields(site, key="x"))
        assert response.status_code == 422
        assert "Страница устарела" in response.text
        again = await send(site, {**await fields(site), "key": key_of(response.text)})
        assert again.status_code == 303

    async def test_an_empty_form(self, site: Site) -> None:
        response = await site.client.post("/donate/anna")
        assert response.status_code == 422

    async def test_a_streamers_own_limits(self, site: Site, streamer: Streamer) -> None:
        await site.pool.execute(
            "UPDATE streamers SET min_amount_minor = 5000, message_max_length = 0, preset_amounts_minor = '{}'"
            " WHERE id = $1",
            streamer.id,
        )
        response = await send(site, await fields(site, amount="49,99"))
        assert f"Стример принимает от 50{NBSP}₽." in response.text
        assert "<textarea" not in response.text
        assert 'class="chips"' not in response.text
        assert (await send(site, await fields(site, amount="50"))).status_code == 303
        [donation] = await donations(site)
        assert donation["message"] == ""


@pytest.mark.usefixtures("streamer")
class TestStrangeInput:
    async def test_text_stays_text(self, site: Site) -> None:
        message = "'; DROP TABLE donations; -- <script>alert(1)</script> {{ 7*7 }} %s %(x)s"
        response = await send(site, await fields(site, message=message, name="<b>Аня</b> %"))
        assert response.status_code == 303
        [donation] = await donations(site)
        assert donation["message"] == message
        page = await site.client.get(response.headers["Location"])
        assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }} %s %(x)s" in page.text
        assert "&lt;b&gt;Аня&lt;/b&gt; %" in page.text

    async def test_what_hides_or_misleads_is_left_out(self, site: Site) -> None:
        values = await fields(site, name="А\u202eня\0\u200b", message="раз\r\n\r\n\r\n  два\u2066\x07 👨‍👩‍👧 🏳️‍🌈")
        assert (await send(site, values)).status_code == 303
        [donation] = await donations(site)
        assert donation["donor_name"] == "Аня"
        assert donation["message"] == "раз\nдва 👨‍👩‍👧 🏳️‍🌈"

    @pytest.mark.parametrize(
        ("content", "content_type", "statuses"),
        [
            (b"amount=%ff%fe&name=%c3%28", "application/x-www-form-urlencoded", {422}),
            (b'{"amount": 300}', "application/json", {422}),
            (b"\xff" * 1000, "text/plain", {422}),
            (b"--x\r\nbroken", "multipart/form-data; boundary=x", {400, 422}),
            (b"amount=300&amount=400&key[]=1", "application/x-www-form-urlencoded", {422}),
            (b"&".join(b"a%d=1" % number for number in range(5000)), "application/x-www-form-urlencoded", {413, 422}),
        ],
    )
    async def test_garbage_is_refused_politely(
        self, site: Site, content: bytes, content_type: str, statuses: set[int]
    ) -> None:
        response = await site.client.post("/donate/anna", content=content, headers={"Content-Type": content_type})
        assert response.status_code in statuses
        assert await donations(site) == []

    async def test_a_long_body_is_too_much(self, site: Site) -> None:
        response = await send(site, await fields(site, message="я" * 20_000))
        assert response.status_code == 413
        assert await donations(site) == []

    async def test_ten_megabytes_are_too_many(self, site: Site) -> None:
        values = await fields(site, message="я" * 2_000_000)
        try:
            assert (await send(site, values)).status_code == 413
        except httpx.TransportError:
            pass  # The server hung up before all of it was sent.
        assert await donations(site) == []
        assert (await site.client.get("/donate/anna")).status_code == 200

    @pytest.mark.parametrize("address", ["/d/x", "/d/%00aaaaaaaaaaaaaaaaaaaaaaaa", "/d/" + "a" * 22, "/d/" + "а" * 22])
    async def test_an_unknown_donation(self, site: Site, address: str) -> None:
        assert (await site.client.get(address)).status_code == 404
        assert (await site.client.get(address + "/state")).status_code == 404
        assert (await site.client.post(address + "/retry")).status_code == 404

    async def test_another_site_may_not_send_the_form(self, site: Site) -> None:
        response = await send(site, await fields(site), Origin="https://evil.example")
        assert response.status_code == 403
        assert await donations(site) == []

    async def test_the_same_form_too_often(self, site: Site) -> None:
        values = await fields(site)
        answers = [await send(site, values) for _ in range(21)]
        assert [answer.status_code for answer in answers] == [303] * 20 + [429]
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert len(await donations(site)) == 1

    async def test_two_hundred_donors_behind_one_address_all_get_through(self, site: Site) -> None:
        page = await site.client.get("/donate/anna")
        base = {"amount": "100", "consent": CONSENT_VERSION}
        for number in range(200):
            response = await send(site, {**base, "key": f"{key_of(page.text)[:24]}{number:04}"})
            assert response.status_code == 303
        assert len(await donations(site)) == 200


async def test_an_address_that_somebody_ended_with_a_slash(site: Site, streamer: Streamer) -> None:
    assert (await site.client.get(f"/donate/{streamer.slug}/")).status_code == 200


@pytest.mark.parametrize("slug", ["nobody", "%00", "x" * 500, "..%2f..", "Анна", "' OR 1=1"])
async def test_an_unknown_streamer(site: Site, slug: str) -> None:
    for response in (
        await site.client.get(f"/donate/{slug}"),
        await site.client.post(f"/donate/{slug}"),
        await site.client.get(f"/donate/{slug}/consent"),
    ):
        assert response.status_code == 404
    assert "Такого стримера здесь нет" in (await site.client.get("/donate/nobody")).text


async def test_a_streamer_who_takes_no_money_yet(site: Site) -> None:
    await site.add_streamer(terminal=False)
    page = await site.client.get("/donate/anna")
    assert page.status_code == 200
    assert "Донаты пока не открыты" in page.text
    assert "<button" not in page.text
    values = {"key": "k" * 32, "amount": "300", "consent": CONSENT_VERSION}
    for response in (await send(site, values), await send(site, values, **HTMX)):
        assert response.status_code == 409
        assert "Донаты пока не открыты" in response.text
    assert await donations(site) == []


async def test_the_consent_has_a_page_of_its_own(site: Site) -> None:
    await site.add_streamer()
    response = await site.client.get("/donate/anna/consent")
    assert response.status_code == 200
    assert CONSENT_VERSION in response.text
    assert "Анна" in response.text


async def test_other_words_of_the_consent_need_another_version(site: Site) -> None:
    """A donor's version must name the very words. They changed? Raise CONSENT_VERSION, then write both here."""
    await site.add_streamer()
    digest = hashlib.sha256()
    for locale in LANGUAGES:
        page = await site.client.get("/donate/anna/consent", headers={"Accept-Language": locale})
        article = re.sub(r"<[^>]+>|\s+", " ", page.text.partition("<article")[2].partition("</article>")[0])
        digest.update(unescape(" ".join(article.split())).encode())
    assert (CONSENT_VERSION, digest.hexdigest()[:16]) == ("2026-11-2", "6c9af4aa17d05aef")
