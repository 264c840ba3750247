"""The payment page, as a payer without JavaScript meets it."""

import re

import pytest
from babel.messages.pofile import read_po

from providers.provider import OpenedPayment
from simulator.language import CATALOGUE, rubles
from tests.simulator.conftest import OpenPayment
from tests.simulator.support import Clock, Shop, Simulator


async def press(simulator: Simulator, opened: OpenedPayment, button: str) -> str:
    """Press a button that the page really has, and return where it leads."""
    page = await simulator.http.get(opened.payment_url)
    assert page.status_code == 200
    forms = re.findall(r'<form method="post" action="([^"]+)">', page.text)
    [action] = [action for action in forms if action.endswith(f"/{button}")]
    answer = await simulator.http.post(f"{simulator.url}{action}")
    assert answer.status_code == 303
    return str(answer.headers["Location"])


async def test_opening_the_page_shows_the_form(simulator: Simulator, open_payment: OpenPayment) -> None:
    opened = await open_payment()
    page = await simulator.http.get(opened.payment_url)
    assert "150,50\N{NO-BREAK SPACE}₽" in page.text
    assert "Донат для «Кота» 🎉" in page.text
    assert "<script" not in page.text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    assert (await simulator.payment(opened.provider_payment_id))["status"] == "FORM_SHOWED"


@pytest.mark.parametrize("button", ["card", "sbp"])
async def test_paying_returns_to_the_shop_after_it_was_told(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop, button: str
) -> None:
    opened = await open_payment(order_id="don-1")
    assert await press(simulator, opened, button) == "https://example.org/done?order=don-1&ok=true"
    assert sorted(shop.statuses) == ["AUTHORIZED", "CONFIRMED"]
    page = await simulator.http.get(opened.payment_url)
    assert "Оплачено" in page.text
    assert "<form" not in page.text


async def test_a_second_press_pays_nothing_twice(simulator: Simulator, open_payment: OpenPayment, shop: Shop) -> None:
    opened = await open_payment()
    await press(simulator, opened, "card")
    again = await simulator.http.post(f"{opened.payment_url}/card")
    assert again.headers["Location"].startswith("https://example.org/done")
    assert len(shop.received) == 2


async def test_declined_then_paid_on_the_same_page(simulator: Simulator, open_payment: OpenPayment, shop: Shop) -> None:
    opened = await open_payment()
    back = await press(simulator, opened, "decline")
    page = await simulator.http.get(f"{simulator.url}{back}")
    assert "Оплата не прошла" in page.text
    assert (await press(simulator, opened, "card")).startswith("https://example.org/done")
    assert sorted(shop.statuses) == ["AUTHORIZED", "CONFIRMED", "REJECTED"]


@pytest.mark.parametrize(
    ("decline", "words"),
    [
        ({}, "There is not enough money on the card."),
        ({"code": "101", "status": "AUTH_FAIL"}, "The 3-D Secure check was not passed."),
        ({"code": "116"}, "The bank&#39;s code is 116."),
    ],
    ids=repr,
)
async def test_an_english_page_declines_in_english(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop, decline: dict[str, str], words: str
) -> None:
    opened = await open_payment(language="en", description="Donation")
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/decline", **decline)
    page = (await simulator.http.get(opened.payment_url)).text
    assert words in page
    assert not re.search("[а-яё]", page.replace("Русский", ""), re.IGNORECASE)
    if shop.received:
        assert shop.received[0]["Message"] == "Недостаточно средств на карте", "the shop hears what the bank says"


async def test_a_russian_page_says_what_the_bank_says(simulator: Simulator, open_payment: OpenPayment) -> None:
    opened = await open_payment()
    path = f"payments/{opened.provider_payment_id}/decline"
    await simulator.control("POST", path, code="116", message="Банк против")
    assert "Банк против. Деньги не списаны" in (await simulator.http.get(opened.payment_url)).text


async def test_giving_up_leaves_the_payment_open(simulator: Simulator, open_payment: OpenPayment) -> None:
    opened = await open_payment()
    await press(simulator, opened, "decline")
    page = await simulator.http.get(opened.payment_url)
    [leave] = re.findall(r'href="(/pay/[^"]+/leave)"', page.text)
    answer = await simulator.http.get(f"{simulator.url}{leave}")
    why = "%D0%9D%D0%B5%D0%B4%D0%BE%D1%81%D1%82%D0%B0%D1%82%D0%BE%D1%87%D0%BD%D0%BE"
    assert answer.headers["Location"].startswith(f"https://example.org/failed?code=1051&why={why}")
    assert (await simulator.payment(opened.provider_payment_id))["status"] == "REJECTED"


@pytest.mark.parametrize("is_by_hand", [True, False])
async def test_an_expired_link_offers_only_the_way_back(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop, clock: Clock, is_by_hand: bool
) -> None:
    opened = await open_payment()
    if is_by_hand:
        await press(simulator, opened, "expire")
    else:
        clock.ahead_seconds = 31 * 60
    page = await simulator.http.get(opened.payment_url)
    assert "Срок ссылки истёк" in page.text
    assert "<form" not in page.text
    assert "https://example.org/failed" in page.text
    assert shop.received == []


@pytest.mark.parametrize("amount_minor", [999, 100_000_001])
async def test_sbp_takes_ten_rubles_to_a_million(
    simulator: Simulator, open_payment: OpenPayment, amount_minor: int
) -> None:
    opened = await open_payment(amount_minor=amount_minor)
    page = await simulator.http.get(opened.payment_url)
    assert 'data-attempt="sbp" disabled' in page.text


async def test_what_a_shop_wrote_is_text(simulator: Simulator, open_payment: OpenPayment) -> None:
    opened = await open_payment(description="<script>alert(1)</script>")
    for url in (opened.payment_url, simulator.url):
        page = await simulator.http.get(url)
        assert "<script>" not in page.text
        assert "&lt;script&gt;" in page.text


async def test_the_page_speaks_the_language_of_init(simulator: Simulator, open_payment: OpenPayment) -> None:
    opened = await open_payment(language="en")
    assert "Pay by card" in (await simulator.http.get(opened.payment_url)).text
    assert "Оплатить картой" in (await simulator.http.get(f"{opened.payment_url}?lang=ru")).text


async def test_an_unknown_page_is_not_found(simulator: Simulator, open_payment: OpenPayment) -> None:
    opened = await open_payment()
    assert (await simulator.http.get(f"{simulator.url}/pay/nothing")).status_code == 404
    assert (await simulator.http.post(f"{simulator.url}/pay/nothing/card")).status_code == 404
    assert (await simulator.http.post(f"{opened.payment_url}/steal")).status_code == 404


async def test_the_first_page_lists_payments(simulator: Simulator, open_payment: OpenPayment) -> None:
    assert "Платежей пока нет" in (await simulator.http.get(simulator.url)).text
    opened = await open_payment(order_id="don-1")
    page = await simulator.http.get(simulator.url)
    assert "don-1" in page.text
    assert opened.payment_url.removeprefix(simulator.url) in page.text


def test_every_word_is_translated() -> None:
    with CATALOGUE.open("rb") as source:
        catalogue = read_po(source, locale="ru")
    templates = CATALOGUE.parents[3] / "templates" / "simulator"
    used = {
        word for file in templates.glob("*.html") for _, word in re.findall(r"\b_\(([\"'])(.+?)\1", file.read_text())
    }
    known = {message.id: message.string for message in catalogue if message.id}
    assert used == set(known)
    assert all(known.values())


@pytest.mark.parametrize(
    ("amount_minor", "text"), [(100, "1 ₽"), (15050, "150,50 ₽"), (1234500, "12 345 ₽"), (5, "0,05 ₽")]
)
def test_rubles(amount_minor: int, text: str) -> None:
    assert rubles(amount_minor) == text.replace(" ", "\N{NO-BREAK SPACE}")
