"""The pages for developers: a payment's story and its buttons, faults, shops with their registries."""

import re
from datetime import datetime
from typing import Any

import httpx
import pytest

from providers.tbank.signing import verify
from simulator.registry import MOSCOW
from tests.simulator.conftest import OpenPayment
from tests.simulator.support import Clock, Shop, Simulator, call


class Developer:
    """Opens a page and presses what is on it."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.page = ""

    async def open(self, path: str) -> str:
        answer = await self._simulator.http.get(f"{self._simulator.url}{path}")
        assert answer.status_code == 200, answer.text
        self.page = answer.text
        return self.page

    def forms(self) -> list[str]:
        return re.findall(r'<form method="post"[^>]* action="([^"]+)"', self.page)

    async def press(self, action_end: str, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
        """The only form of the page whose address ends so; then the page it leads to."""
        [action] = [action for action in self.forms() if re.search(action_end + r"(\?.*)?$", action)]
        answer = await self._simulator.http.post(
            f"{self._simulator.url}{action}", data=fields, headers=headers, follow_redirects=True
        )
        self.page = answer.text
        return answer


@pytest.fixture
def developer(simulator: Simulator) -> Developer:
    return Developer(simulator)


async def test_the_list_leads_to_a_payments_story(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop, developer: Developer
) -> None:
    opened = await open_payment(order_id="don-1")
    await call(simulator, "GetQr", {"PaymentId": opened.provider_payment_id})
    shop.answers = [(503, b"<busy>")]
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/decline")
    [link] = re.findall(r'href="(/payments/\d+)"', await developer.open("/"))
    page = await developer.open(link)
    pay_path = opened.payment_url.removeprefix(simulator.url)
    for expected in ("don-1", "REJECTED", "AUTHORIZING", "GetQr", "1051", "&lt;busy&gt;", "/qr/AS", pay_path):
        assert expected in page
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


async def test_a_payment_goes_through_its_life_by_buttons(
    simulator: Simulator, open_payment: OpenPayment, developer: Developer
) -> None:
    payment_id = (await open_payment()).provider_payment_id
    await developer.open(f"/payments/{payment_id}?lang=en")
    await developer.press("/decline")
    assert "REJECTED" in developer.page
    await developer.press("/pay")
    await developer.press("/refund", amount="50,5")
    assert "100\N{NO-BREAK SPACE}₽" in developer.page
    await developer.press("/chargeback", amount="")
    assert not [action for action in developer.forms() if action.partition("?")[0].endswith("/refund")]
    await developer.press("/chargeback-reversal")
    await developer.press("/refund", amount="")
    assert 'lang="en"' in developer.page
    payment = await simulator.payment(payment_id)
    assert (payment["status"], payment["remaining_minor"]) == ("REFUNDED", 0)
    assert [one["amount_minor"] for one in payment["operations"]] == [15050, 5050, 10000, 10000, 10000]
    await developer.press("/twin")
    assert f"/payments/{payment_id}" in developer.page
    assert "CONFIRMED" in developer.page


@pytest.mark.parametrize("amount", ["151", "-1", "0,001", "many", "1e3"])
async def test_a_sum_that_cannot_be_is_refused(
    simulator: Simulator, open_payment: OpenPayment, developer: Developer, amount: str
) -> None:
    payment_id = (await open_payment()).provider_payment_id
    await simulator.control("POST", f"payments/{payment_id}/pay")
    await developer.open(f"/payments/{payment_id}")
    await developer.press("/refund", amount=amount)
    assert "Из этого состояния платёж так не может" in developer.page
    assert (await simulator.payment(payment_id))["status"] == "CONFIRMED"


async def test_a_refund_through_sbp_by_buttons(
    simulator: Simulator, open_payment: OpenPayment, developer: Developer
) -> None:
    payment_id = (await open_payment()).provider_payment_id
    await developer.open(f"/payments/{payment_id}")
    await developer.press("/pay-sbp")
    await developer.press("/refund", amount="")
    await developer.press("/refuse-refund")
    assert "CONFIRMED" in developer.page
    await developer.press("/refund", amount="")
    await developer.press("/finish-refund")
    assert (await simulator.payment(payment_id))["status"] == "REFUNDED"


async def test_an_expired_payment_may_be_paid_all_the_same(
    simulator: Simulator, open_payment: OpenPayment, developer: Developer
) -> None:
    payment_id = (await open_payment()).provider_payment_id
    await developer.open(f"/payments/{payment_id}")
    await developer.press("/expire")
    await developer.press("/pay-anyway")
    assert (await simulator.payment(payment_id))["status"] == "CONFIRMED"


@pytest.mark.parametrize("status", ["NEW", "AUTHORIZED", "CONFIRMED", "REJECTED", "DEADLINE_EXPIRED", "REFUNDED"])
async def test_every_button_that_is_shown_works(
    simulator: Simulator, open_payment: OpenPayment, developer: Developer, status: str
) -> None:
    acts = {
        "NEW": (), "AUTHORIZED": ("authorize",), "CONFIRMED": ("pay",), "REJECTED": ("decline",),
        "DEADLINE_EXPIRED": ("expire",), "REFUNDED": ("pay", "refund"),
    }  # fmt: skip
    payment_id = ""

    async def bring_there() -> None:
        nonlocal payment_id
        payment_id = (await open_payment()).provider_payment_id
        for act in acts[status]:
            await simulator.control("POST", f"payments/{payment_id}/{act}")
        await developer.open(f"/payments/{payment_id}")

    await bring_there()
    shown = [action.rsplit("/", 1)[1] for action in developer.forms() if re.fullmatch(r"/payments/\d+/[^/]+", action)]
    assert "twin" in shown
    for act in shown:
        await bring_there()
        answer = await developer.press(f"{payment_id}/{act}")
        assert (answer.status_code, "refused" in str(answer.url)) == (200, False)


async def test_notifications_by_buttons(
    simulator: Simulator, open_payment: OpenPayment, shop: Shop, developer: Developer
) -> None:
    payment_id = (await open_payment()).provider_payment_id
    await developer.open(f"/payments/{payment_id}")
    await developer.press("/notifications/forged")
    assert not verify(shop.received[0], "TinkoffBankTest")
    assert "поддельное" in developer.page
    await developer.press("/next/doubled")
    assert "<code>doubled</code>" in developer.page
    await developer.press("/decline")
    assert shop.statuses == ["CONFIRMED", "REJECTED", "REJECTED"]
    genuine = (await simulator.payment(payment_id))["notifications"][-1]
    await developer.press(f"/notifications/{genuine['id']}/again")
    assert shop.statuses[-1] == "REJECTED"
    assert len(shop.bodies) == 4


async def test_faults_by_page(simulator: Simulator, developer: Developer) -> None:
    await developer.open("/faults")
    await developer.press("/faults", method="Init", kind="reset", times="2", percent="")
    await developer.press("/faults", method="Notification", kind="late", percent="3,5", seed="7", seconds="5")
    first, second = (await simulator.control("GET", "faults"))["faults"]
    assert (first["method"], first["kind"], first["times"], first["probability"]) == ("Init", "reset", 2, None)
    assert (second["probability"], second["seed"], second["seconds"]) == (0.035, 7, 5)
    assert "3.5&nbsp;%" in developer.page
    await simulator.http.post(f"{simulator.url}/v2/GetState", json={})
    await developer.press(f"/faults/{first['id']}/clear")
    assert [fault["id"] for fault in (await simulator.control("GET", "faults"))["faults"]] == [second["id"]]
    await developer.press("/faults/clear")
    assert (await simulator.control("GET", "faults"))["faults"] == []


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("times", {"kind": "reset", "times": "no"}),
        ("percent", {"kind": "reset", "percent": "130"}),
        ("percent", {"kind": "reset", "percent": "often"}),
        ("kind", {"kind": "forged", "method": "Init"}),
    ],
)
async def test_a_fault_that_does_not_fit_is_marked(
    simulator: Simulator, developer: Developer, field: str, fields: dict[str, Any]
) -> None:
    await developer.open("/faults")
    answer = await developer.press("/faults", **{"method": "*", **fields})
    assert answer.status_code == 422
    assert re.search(rf'name="{field}"[^>]* aria-invalid="true"', developer.page)
    assert (await simulator.control("GET", "faults"))["faults"] == []


async def test_shops_have_switches_and_registries(
    simulator: Simulator, open_payment: OpenPayment, developer: Developer, clock: Clock
) -> None:
    assert "Деньги ещё не двигались" in await developer.open("/terminals")
    await developer.press("/TinkoffBankTest/sbp")
    await developer.press("/TinkoffBankTest/cash_register")
    [terminal] = (await simulator.control("GET", "terminals"))["terminals"]
    assert (terminal["sbp"], terminal["cash_register"], terminal["refund_limits"]) == (False, True, False)
    await developer.press("/TinkoffBankTest/cash_register")
    opened = await open_payment()
    await simulator.control("POST", f"payments/{opened.provider_payment_id}/pay")
    await developer.open("/terminals")
    [link] = re.findall(r'href="(/_sim/registry[^"]+)"', developer.page)
    assert f"{datetime.fromtimestamp(clock(), MOSCOW):%Y-%m-%d}" in link
    answer = await simulator.http.get(f"{simulator.url}{link.replace('&amp;', '&')}")
    assert "Debit" in answer.content.decode("cp1251")


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_a_strange_page_presses_no_button(
    simulator: Simulator, open_payment: OpenPayment, developer: Developer, origin: str
) -> None:
    payment_id = (await open_payment()).provider_payment_id
    await developer.open(f"/payments/{payment_id}")
    assert (await developer.press("/pay", headers={"Origin": origin})).status_code == 403
    assert (await simulator.payment(payment_id))["status"] == "NEW"
    await developer.open(f"/payments/{payment_id}")
    assert (await developer.press("/pay", headers={"Origin": simulator.url})).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/payments/1/pay", "/terminals/Nobody/sbp", "/terminals/TinkoffBankTest/password"],
)
async def test_what_is_not_there_is_not_found(simulator: Simulator, path: str) -> None:
    assert (await simulator.http.post(f"{simulator.url}{path}")).status_code == 404
    assert (await simulator.http.get(f"{simulator.url}/payments/1")).status_code == 404
