"""Requisites and the legal pages made of them, the words kept with a donation, and the visible test mode."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from domain.streamers import Streamer
from domain.terminals import set_terminal
from infra.crypto import SecretBox
from tests.domain.test_requisites import GOOD
from tests.support.site import Site
from tests.web.conftest import signed_in
from web.donate_form import CONSENT_VERSION
from web.legal_texts import NAMES

RU = {"Accept-Language": "ru"}
EN = {"Accept-Language": "en"}
FORM = "/dashboard/requisites"


@pytest.fixture
def site(kept_site: Site) -> Site:
    return kept_site


@pytest.fixture
async def her(site: Site, streamer: Streamer) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(site, f"{streamer.slug}@example.org") as client:
        yield client


async def fill_in(her: httpx.AsyncClient, **changed: str) -> httpx.Response:
    answer = await her.post(FORM, data={**GOOD, **changed})
    assert answer.status_code == 303, answer.text
    return answer


async def wish(site: Site, **changed: str) -> httpx.Response:
    page = (await site.client.get("/donate/anna", headers=RU)).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    fields = {**hidden, "amount": "300", "name": "Аня", "message": "Привет", "consent": CONSENT_VERSION, **changed}
    return await site.client.post("/donate/anna", data=fields, headers=RU)


class TestPages:
    async def test_four_pages_in_two_languages(self, site: Site, her: httpx.AsyncClient) -> None:
        await fill_in(her)
        words = {
            "offer": ("Взамен ничего не передаётся", "Nothing is handed over"),
            "refunds": ("деньги вернут по его просьбе", "gets the money back on request"),
            "contacts": ("ОГРНИП: 304500116000157", "OGRNIP: 304500116000157"),
            "privacy": ("Рекламы и чужих счётчиков", "There is no advertising"),
        }
        for name in NAMES:
            for headers, expected in zip((RU, EN), words[name], strict=True):
                page = await site.client.get(f"/donate/anna/legal/{name}", headers=headers)
                assert page.status_code == 200
                assert expected in page.text
        offer = (await site.client.get("/donate/anna/legal/offer", headers=RU)).text
        for told in (GOOD["full_name"], GOOD["inn"], "+79161234567", GOOD["purpose"], f"{site.url}/donate/anna"):
            assert told in offer
        assert (await site.client.get("/donate/anna/legal/secrets")).status_code == 404
        assert (await site.client.get("/donate/nobody/legal/offer")).status_code == 404

    async def test_they_are_linked_from_the_donors_pages(self, site: Site, her: httpx.AsyncClient) -> None:
        form = (await site.client.get("/donate/anna")).text
        assert "/legal/" not in form
        await fill_in(her, age_mark="16+")
        donation = (await wish(site)).headers["Location"]
        for path in ("/donate/anna", donation, "/donate/anna/legal/offer"):
            page = (await site.client.get(path)).text
            for name in NAMES:
                assert f'href="/donate/anna/legal/{name}"' in page, path
            assert "16+" in page

    async def test_unfinished_tells_the_owner_what_and_strangers_little(
        self, site: Site, her: httpx.AsyncClient
    ) -> None:
        await fill_in(her, inn="", email="")
        hers = await her.get("/donate/anna/legal/offer")
        assert hers.status_code == 404
        for words in ("INN", "E-mail", f'href="{FORM}"'):
            assert words in hers.text
        assert "Full name" not in hers.text
        theirs = await site.client.get("/donate/anna/legal/offer", headers=EN)
        assert theirs.status_code == 404
        assert "This page is being prepared" in theirs.text
        assert "INN" not in theirs.text
        assert GOOD["full_name"] not in theirs.text
        await site.add_streamer("boris", "Борис")
        async with signed_in(site, "boris@example.org") as his:
            assert "This page is being prepared" in (await his.get("/donate/anna/legal/offer")).text

    async def test_badge_and_label(self, site: Site, her: httpx.AsyncClient) -> None:
        url, label = "https://www.gosuslugi.ru/snet/1a2b", "НАСТОЯЩИЙ МАТЕРИАЛ <b>"
        await fill_in(her, registry_url=url, registry_number="4815", foreign_agent_label=label)
        page = (await site.client.get("/donate/anna", headers=RU)).text
        assert f'href="{url}" target="_blank" rel="noopener nofollow"' in page
        assert "4815" in page
        assert "НАСТОЯЩИЙ" not in page
        await fill_in(her, is_foreign_agent="yes", foreign_agent_label=label)
        for path in ("/donate/anna", "/donate/anna/legal/offer"):
            page = (await site.client.get(path, headers=RU)).text
            assert "НАСТОЯЩИЙ МАТЕРИАЛ &lt;b&gt;" in page

    async def test_what_she_writes_is_text(self, site: Site, her: httpx.AsyncClient) -> None:
        evil = "<script>alert(1)</script>{{ 7*7 }} %(name)s %"
        await fill_in(her, full_name=evil, purpose=evil, postal_address=evil)
        for name in NAMES:
            page = (await site.client.get(f"/donate/anna/legal/{name}", headers=RU)).text
            assert "<script>alert" not in page
        assert "{{ 7*7 }} %(name)s %" in (await site.client.get("/donate/anna/legal/offer", headers=RU)).text


class TestForm:
    async def test_wrong_numbers_are_said_and_nothing_is_kept(self, site: Site, her: httpx.AsyncClient) -> None:
        bad = {"inn": "500100732258", "ogrn": "12", "phone": "звоните", "registry_url": "javascript:alert(1)"}
        answer = await her.post(FORM, data={**GOOD, **bad})
        assert answer.status_code == 422
        for words in (
            "the number does not add up", "OGRNIP has 15 digits", "country&#39;s code", "begins with https://",
        ):  # fmt: skip
            assert words in answer.text
        assert 'value="500100732258"' in answer.text
        assert f'value="{GOOD["email"]}"' in answer.text
        assert await site.rows("SELECT FROM requisites") == []

    @pytest.mark.parametrize("choice", [{"kind": "king"}, {"refund_rule": ""}, {"age_mark": "99+"}, {"kind": ""}])
    async def test_what_the_form_does_not_offer(self, her: httpx.AsyncClient, choice: dict[str, str]) -> None:
        assert (await her.post(FORM, data={**GOOD, **choice})).status_code == 422

    async def test_the_same_twice_and_changed(self, site: Site, her: httpx.AsyncClient) -> None:
        assert (await fill_in(her)).headers["Location"] == f"{FORM}?said=requisites-saved"
        await fill_in(her)
        assert (await fill_in(her, purpose="")).headers["Location"] == f"{FORM}?said=requisites-unfinished"
        assert len(await site.rows("SELECT FROM requisites")) == 1
        page = (await her.get(FORM)).text
        assert "once these are filled in" in page
        assert "What the money is for." in page

    async def test_rights(self, site: Site, her: httpx.AsyncClient) -> None:
        await fill_in(her)
        assert (await site.client.get(FORM)).headers["Location"].startswith("/sign-in")
        await site.add_streamer("boris", "Борис")
        async with signed_in(site, "boris@example.org") as his:
            assert (await his.get(f"{FORM}?streamer=anna")).status_code == 404
            assert (await his.post(f"{FORM}?streamer=anna", data=GOOD)).status_code == 404
            assert GOOD["full_name"] not in (await his.get(FORM)).text


class TestKeptWords:
    async def test_a_donation_shows_what_it_agreed_to_a_year_later(self, site: Site, her: httpx.AsyncClient) -> None:
        await fill_in(her)
        first = (await wish(site)).headers["Location"]
        second = (await wish(site)).headers["Location"]
        await fill_in(her, purpose="На новый компьютер", refund_rule="mistake")
        third = (await wish(site)).headers["Location"]
        terms = [row["terms_id"] for row in await site.rows("SELECT terms_id FROM donations ORDER BY id")]
        assert terms[0] == terms[1] != terms[2]
        assert first != second
        # In the words and the language of then, whatever is asked for now.
        old = (await site.client.get(f"{first}/terms", headers=EN)).text
        assert GOOD["purpose"] in old
        assert "деньги вернут по его просьбе" in old
        assert "Согласие на обработку персональных данных" in old
        assert "новый компьютер" not in old
        new = (await site.client.get(f"{third}/terms")).text
        assert "На новый компьютер" in new
        [version] = set(re.findall(r"Version ([0-9a-f]{12})", old))
        [kept] = await site.rows("SELECT encode(hash, 'hex') AS hash FROM terms WHERE id = $1", terms[0])
        assert kept["hash"].startswith(version)
        page = await her.get(f"/dashboard/donations/{first.removeprefix('/d/')}")
        assert f'href="{first}/terms"' in page.text

    async def test_without_requisites_the_consent_is_kept(self, site: Site, streamer: Streamer) -> None:
        donation = (await wish(site)).headers["Location"]
        page = (await site.client.get(f"{donation}/terms", headers=RU)).text
        assert streamer.display_name in page
        assert "Какие данные" in page
        assert "оферта" not in page

    async def test_words_that_changed_while_the_form_was_open(self, site: Site, her: httpx.AsyncClient) -> None:
        await fill_in(her)
        page = (await site.client.get("/donate/anna", headers=RU)).text
        shown = re.search(r'name="terms" value="([0-9a-f]+)"', page)
        assert shown is not None
        await fill_in(her, purpose="Совсем другое")
        answer = await wish(site, terms=shown[1])
        assert answer.status_code == 422
        assert "Текст согласия обновился" in answer.text
        assert await site.rows("SELECT FROM donations") == []
        for garbage in ("x", "0" * 12, "'; --", "f" * 5000):
            assert (await wish(site, terms=garbage)).status_code == 422

    @pytest.mark.usefixtures("streamer")
    async def test_the_other_language_is_no_change(self, site: Site) -> None:
        page = (await site.client.get("/donate/anna?lang=en")).text
        shown = re.search(r'name="terms" value="([0-9a-f]+)"', page)
        assert shown is not None
        donation = (await wish(site, terms=shown[1])).headers["Location"]
        assert "Which data" in (await site.client.get(f"{donation}/terms", headers=RU)).text

    @pytest.mark.usefixtures("streamer")
    async def test_a_form_from_before_agrees_to_no_words_of_ours(self, site: Site) -> None:
        donation = (await wish(site, terms="")).headers["Location"]
        assert await site.rows("SELECT terms_id FROM donations") == [{"terms_id": None}]
        answer = await site.client.get(f"{donation}/terms", headers=EN)
        assert answer.status_code == 404
        assert "There are no words kept" in answer.text
        assert (await site.client.get("/d/nothing-like-this/terms")).status_code == 404


class TestTestMode:
    async def connect(self, site: Site, streamer: Streamer, provider: str, key: str, secret: str) -> None:
        box = SecretBox(site.settings.secret_keys.get_secret_value())
        async with site.pool.acquire() as connection, connection.transaction():
            await set_terminal(connection, box, streamer.id, provider, key, secret)

    @pytest.mark.parametrize(
        ("provider", "key", "secret", "is_test"),
        [
            ("tbank", "1700000000000DEMO", "secret", True),
            ("tbank", "1700000000000", "secret", False),
            ("yookassa", "100500", "test_secret", True),
            ("yookassa", "100501", "live_secret", False),
        ],
    )
    async def test_it_is_said_everywhere_it_matters(
        self,
        site: Site,
        streamer: Streamer,
        her: httpx.AsyncClient,
        provider: str,
        key: str,
        secret: str,
        is_test: bool,
    ) -> None:
        await self.connect(site, streamer, provider, key, secret)
        donors = (await site.client.get("/donate/anna", headers=EN)).text
        bar = (await her.get("/dashboard/part/bar", headers={"HX-Request": "true"})).text
        steps = (await her.get("/dashboard/first-steps?step=money")).text
        assert ("no real money moves here" in donors) == is_test
        assert ("Test mode" in bar) == is_test
        assert ('href="/dashboard/payee"' in bar) == is_test
        assert ("Test mode" in steps) == is_test

    async def test_nothing_connected_is_test_mode_too(self, site: Site, her: httpx.AsyncClient) -> None:
        await site.pool.execute("UPDATE terminals SET retired_at = now()")
        assert "Test mode" in (await her.get("/dashboard")).text

    async def test_the_payee_page_has_the_three_cases(self, her: httpx.AsyncClient) -> None:
        page = (await her.get("/dashboard/payee")).text
        for words in ("An entrepreneur or a company", "Self-employed", "Nobody yet", "not legal advice", "DEMO key"):
            assert words in page
        await her.post("/dashboard/payee", data={"payee": "business"})
        page = (await her.get("/dashboard/payee?said=payee-chosen")).text
        assert re.search(r'<details class="card case case-chosen" id="business" open>', page)
        assert "Noted." in page
        assert 'value="entrepreneur" checked' in (await her.get(FORM)).text
