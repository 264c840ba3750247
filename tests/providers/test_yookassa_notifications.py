"""Reading what anybody may POST in YooKassa's name: nothing in it is a fact, and nothing in it may hurt."""

import json
from ipaddress import ip_address, ip_network
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.payment_status import NewsStatus
from providers.json_body import MAX_BODY_BYTES
from providers.provider import MalformedNotification
from providers.yookassa.notifications import NETWORKS, parse, read
from providers.yookassa.provider import create
from tests.providers.yookassa_answers import (
    CANCELED,
    ORDER_ID,
    PAYMENT_ID,
    REFUND,
    REFUND_ID,
    SUCCEEDED,
    notification,
)


def test_a_paid_payment() -> None:
    raw = notification("payment.succeeded", SUCCEEDED)
    incoming = read(raw)
    assert incoming.account_key is None
    assert incoming.dedup_key == f"payment.succeeded:{PAYMENT_ID}"
    assert (incoming.order_id, incoming.provider_payment_id) == (ORDER_ID, PAYMENT_ID)
    said = parse(raw)
    assert (said.order_id, said.provider_payment_id, said.amount_minor) == (ORDER_ID, PAYMENT_ID, 15050)
    assert (said.status, said.provider_status, said.is_about_payment) == (NewsStatus.CONFIRMED, "succeeded", True)


def test_a_declined_payment_says_why() -> None:
    said = parse(notification("payment.canceled", CANCELED))
    assert (said.status, said.error_code) == (NewsStatus.CANCELLED, "insufficient_funds")
    assert "payment_network" in said.error_message


def test_a_held_payment() -> None:
    held = {**SUCCEEDED, "status": "waiting_for_capture"}
    assert parse(notification("payment.waiting_for_capture", held)).status is NewsStatus.AUTHORIZED


def test_a_refund_names_its_payment_and_no_sum_of_it() -> None:
    raw = notification("refund.succeeded", REFUND)
    incoming = read(raw)
    assert incoming.dedup_key == f"refund.succeeded:{REFUND_ID}"
    assert (incoming.order_id, incoming.provider_payment_id) == (None, PAYMENT_ID)
    said = parse(raw)
    assert (said.status, said.amount_minor, said.provider_payment_id) == (NewsStatus.REFUNDING, None, PAYMENT_ID)


def test_two_refunds_of_one_payment_are_two_messages() -> None:
    first, second = (
        read(notification("refund.succeeded", {**REFUND, "id": refund_id})) for refund_id in (REFUND_ID, PAYMENT_ID)
    )
    assert first.dedup_key != second.dedup_key


def test_nothing_proves_who_sent_it() -> None:
    incoming = read(notification("payment.succeeded", SUCCEEDED))
    provider = create(httpx.AsyncClient(), "http://127.0.0.1/v3", 1, 1)
    assert not provider.verify(incoming, "the secret key")
    assert not provider.verify(incoming, "")


def test_a_status_nobody_heard_of_means_nothing() -> None:
    said = parse(notification("payment.succeeded", {**SUCCEEDED, "status": "teleported"}))
    assert (said.status, said.provider_status) == (NewsStatus.UNKNOWN, "teleported")


def test_a_payment_of_another_program_in_the_same_shop_is_read() -> None:
    foreign = {**SUCCEEDED, "metadata": {"cart": "9"}, "amount": {"value": "1.00", "currency": "USD"}}
    incoming = read(notification("payment.succeeded", foreign))
    assert (incoming.order_id, incoming.provider_payment_id) == (None, PAYMENT_ID)
    with pytest.raises(MalformedNotification, match="rubles"):
        parse(notification("payment.succeeded", foreign))


GARBAGE: list[bytes] = [
    b"",
    b"OK",
    b"[]",
    b"{}",
    b"\x00",
    b"\xff\xfe",
    b'{"type":"notification","event":"payment.succeeded","event":"payment.canceled","object":{"id":"a"}}',
    b'{"type":"notification","event":"payment.succeeded","object":{"id":"a","id":"b"}}',
    b'{"type":"notification","event":"payment.succeeded","object":{"id":"a","note":"\\u0000"}}',
    b'{"type":"notification","event":"payment.succeeded","object":{"id":"a","note":"\\ud800"}}',
    b'{"type":"notification","event":"payment.succeeded","object":{"id":"a","sum":NaN}}',
    b'{"type":"notification","event":"payment.succeeded","object":{"id":"a","deep":' + b"[" * 100_000,
    b'{"type":"notification","event":"payment.succeeded","object":{"id":"a","deep":'
    + b"[" * 50_000
    + b"]" * 50_000
    + b"}}",
    b" " * (MAX_BODY_BYTES + 1),
    notification("payment.succeeded", None),
    notification("payment.succeeded", [SUCCEEDED]),
    notification("payment.succeeded", {**SUCCEEDED, "id": None}),
    notification("payment.succeeded", {**SUCCEEDED, "id": 7}),
    notification("payment.succeeded", {**SUCCEEDED, "id": "../me"}),
    notification("payment.succeeded", {**SUCCEEDED, "id": "a" * 51}),
    notification("refund.succeeded", {**REFUND, "payment_id": None}),
    notification("refund.succeeded", {**REFUND, "payment_id": "a:b"}),
    notification("payout.succeeded", {"id": "po-285ec15d-0003-5000-a000-08d1bec7dade"}),
    notification("payment.teleported", SUCCEEDED),
    notification("x" * 1000, SUCCEEDED),
    json.dumps({"type": "notice", "event": "payment.succeeded", "object": SUCCEEDED}).encode(),
    json.dumps({"type": "notification", "event": ["payment.succeeded"], "object": SUCCEEDED}).encode(),
]


@pytest.mark.parametrize("raw", GARBAGE, ids=lambda raw: repr(raw[-60:]))
def test_what_yookassa_never_sends_is_malformed(raw: bytes) -> None:
    for understand in (read, parse):
        with pytest.raises(MalformedNotification, match=r".+"):
            understand(raw)


@pytest.mark.parametrize(
    "change",
    [{"status": None}, {"amount": 1}, {"amount": {"value": "1.5", "currency": "RUB"}}, {"payment_method": []}],
    ids=repr,
)
def test_wrong_types_do_not_hide_whose_it_is(change: dict[str, Any]) -> None:
    raw = notification("payment.succeeded", {**SUCCEEDED, **change})
    assert read(raw).provider_payment_id == PAYMENT_ID
    with pytest.raises(MalformedNotification, match="object: "):
        parse(raw)
    with pytest.raises(MalformedNotification, match="status is missing"):
        parse(notification("payment.succeeded", {"id": PAYMENT_ID}))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(["payment.succeeded", "payment.canceled", "refund.succeeded"]),
    st.dictionaries(st.sampled_from([*SUCCEEDED, "payment_id", "cancellation_details"]), json_values),
)
def test_any_json_is_read_or_malformed(event: str, fields: dict[str, Any]) -> None:
    body = {"type": "notification", "event": event, "object": {**SUCCEEDED, "payment_id": PAYMENT_ID, **fields}}
    try:
        said = parse(json.dumps(body).encode("utf-8", "surrogatepass"))
    except MalformedNotification:
        return
    assert said.provider_payment_id
    assert said.amount_minor is None or 0 <= said.amount_minor < 10**10


@given(st.binary(max_size=300))
def test_any_bytes_are_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedNotification):
        read(raw)


def test_the_networks_are_yookassas() -> None:
    networks = [ip_network(network) for network in NETWORKS]
    for ours in ("185.71.76.10", "77.75.156.11", "77.75.154.200", "2a02:5180:0:1509::1"):
        assert any(ip_address(ours) in network for network in networks)
    assert not any(ip_address("77.75.154.1") in network for network in networks)
