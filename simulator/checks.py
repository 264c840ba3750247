"""What the bank looks at before it does anything: the requests' limits, with the bank's codes."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from providers.tbank.signing import verify
from simulator import states
from simulator.records import Payment, Terminal
from simulator.store import Store

LEAST_AMOUNT_MINOR = 100
LEAST_SBP_AMOUNT_MINOR = 1000
MOST_SBP_AMOUNT_MINOR = 100_000_000
DEFAULT_LINK_HOURS = 24
TRIAL_KEY, TRIAL_PASSWORD = re.compile(r"1000000[0-9]{6}DEMO"), "simulator-trial"
"""Terminals that are there as soon as somebody names one; the site's form offers them in development."""


class RefusedError(Exception):
    """The bank says no: HTTP 200 with Success false and this code."""

    def __init__(self, code: str, details: str) -> None:
        super().__init__(code, details)
        self.code = code
        self.details = details


def require_terminal(store: Store, fields: Mapping[str, Any]) -> Terminal:
    """The terminal that signed this request; one for trying out is made at its first. Raises RefusedError."""
    if "Password" in fields:
        # A real SDK leaks it like this. The bank may not mind; we do.
        raise RefusedError("1", "Password не должен передаваться в запросе: он только подписывает")
    terminal_key = _required(fields, "TerminalKey")
    require(isinstance(terminal_key, str), "1", "TerminalKey должен быть строкой")
    require(1 <= len(terminal_key) <= 20, "210", "Длина TerminalKey должна быть от 1 до 20")
    terminal = store.find_terminal(terminal_key)
    if terminal is None and TRIAL_KEY.fullmatch(terminal_key):
        terminal = Terminal(terminal_key, TRIAL_PASSWORD, None)
        store.save_terminal(terminal)
    if terminal is None:
        raise RefusedError("205", "Терминал не найден")
    require(verify(fields, terminal.password), "204", "Неверный токен. Проверьте пару TerminalKey/SecretKey.")
    return terminal


def require_payment(store: Store, terminal: Terminal, fields: Mapping[str, Any]) -> Payment:
    """This terminal's payment with the request's PaymentId, given as text or number. Raises RefusedError."""
    value = _required(fields, "PaymentId")
    digits = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    require(digits.isascii() and digits.isdigit() and len(digits) <= 20, "217", "PaymentId должен быть числом")
    payment = store.find_payment(int(digits)) if int(digits) < 2**63 else None
    if payment is None or payment.terminal_key != terminal.terminal_key:
        raise RefusedError("255", "Платёж не найден")
    return payment


def require_order_id(fields: Mapping[str, Any]) -> str:
    """Raises RefusedError."""
    order_id = _required(fields, "OrderId")
    require(isinstance(order_id, str), "1", "OrderId должен быть строкой")
    require(1 <= len(order_id) <= 36, "212", "Длина OrderId должна быть от 1 до 36")
    return str(order_id)


def optional_amount(fields: Mapping[str, Any]) -> int | None:
    """Kopecks. Raises RefusedError."""
    amount = fields.get("Amount")
    if amount is None:
        return None
    require(
        isinstance(amount, int) and not isinstance(amount, bool),
        "247",
        "Amount должен быть целым числом копеек",
    )
    require(0 <= amount < 10**10, "240", "Amount должен быть не длиннее 10 цифр")
    require(amount >= LEAST_AMOUNT_MINOR, "251", f"Сумма должна быть не меньше {LEAST_AMOUNT_MINOR} копеек")
    return int(amount)


def read_init(store: Store, terminal: Terminal, fields: Mapping[str, Any], now: float) -> dict[str, Any]:
    """The payment that Init wishes for, as columns of the store. Raises RefusedError."""
    _required(fields, "Amount")
    amount_minor = optional_amount(fields)
    order_id = require_order_id(fields)
    _check_texts(fields)
    _check_data(fields.get("DATA"))
    earlier = store.list_payments_of_order(terminal.terminal_key, order_id)
    if any(payment.status in states.SUCCEEDED for payment in earlier):
        raise RefusedError("623", "По этому заказу уже есть успешный платёж")
    return {
        "order_id": order_id,
        "amount_minor": amount_minor,
        "description": fields.get("Description") or "",
        "pay_type": fields.get("PayType") or "O",
        "language": fields.get("Language") or "ru",
        "notification_url": fields.get("NotificationURL"),
        "success_url": fields.get("SuccessURL"),
        "fail_url": fields.get("FailURL"),
        "due_at": _due_at(fields.get("RedirectDueDate"), now),
        "data": json.dumps(fields.get("DATA") or {}, ensure_ascii=False),
    }


def _due_at(value: Any, now: float) -> float:
    if value is None:
        return now + timedelta(hours=DEFAULT_LINK_HOURS).total_seconds()
    try:
        due = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z")
    except (TypeError, ValueError):
        raise RefusedError("12", "RedirectDueDate должен иметь вид ГГГГ-ММ-ДДTчч:мм:сс+чч:мм") from None
    ahead = due.timestamp() - now
    # Requests carry whole seconds and travel a while: one second of grace.
    require(
        59 <= ahead <= timedelta(days=90).total_seconds() + 1,
        "12",
        "RedirectDueDate должен быть от 1 минуты до 90 дней в будущем",
    )
    return due.timestamp()


def _check_texts(fields: Mapping[str, Any]) -> None:
    for name, code, limit in (
        ("Description", "213", 140),
        ("CustomerKey", "216", 36),
        ("NotificationURL", "1", 250),
        ("SuccessURL", "1", 250),
        ("FailURL", "1", 250),
    ):
        value = fields.get(name)
        if value is None:
            continue
        require(isinstance(value, str), "1", f"{name} должен быть строкой")
        require(len(value) <= limit, code, f"Длина {name} должна быть не больше {limit}")
        if name.endswith("URL"):
            require(_is_web_address(value), "1", f"{name} должен быть адресом http или https")
    for name, allowed in (("PayType", ("O", "T")), ("Language", ("ru", "en")), ("Recurrent", ("Y",))):
        require(fields.get(name) in (None, *allowed), "1", f"{name} может быть только {' или '.join(allowed)}")
    if fields.get("Recurrent") == "Y":
        _required(fields, "CustomerKey")


def _check_data(data: Any) -> None:
    if data is None:
        return
    require(isinstance(data, dict), "250", "DATA должен быть объектом")
    require(len(data) <= 20, "207", "В DATA может быть не больше 20 пар")
    for key, value in data.items():
        require(len(key) <= 20, "208", "Ключ в DATA должен быть не длиннее 20")
        require(len(str(value)) <= 100, "209", "Значение в DATA должно быть не длиннее 100")


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _required(fields: Mapping[str, Any], name: str) -> Any:
    value = fields.get(name)
    require(value is not None and value != "", "201", f"Поле {name} не должно быть пустым")
    return value


def require(condition: bool, code: str, details: str) -> None:
    """Raise RefusedError unless it is so."""
    if not condition:
        raise RefusedError(code, details)
