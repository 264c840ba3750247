"""Who receives a streamer's money, as the law and banks want it said: names, numbers, addresses, and rules of refunds.

Every field may stay empty while it is being filled in; what is there is right. The words made of it are in
`web/legal_texts.py`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from domain.errors import InvalidInputError
from domain.text import clean_message, clean_name
from domain.users import clean_email
from infra import queries

FULL_NAME_MAX_LENGTH = 200
ADDRESS_MAX_LENGTH = 300
PURPOSE_MAX_LENGTH = 300
REGISTRY_NUMBER_MAX_LENGTH = 40
URL_MAX_LENGTH = 300
LABEL_MAX_LENGTH = 500
REFUND_DAYS_MAX = 30
AGE_MARKS = ("", "0+", "6+", "12+", "16+", "18+")


class Kind(StrEnum):
    NPD = "npd"
    """A self-employed person."""
    ENTREPRENEUR = "entrepreneur"
    COMPANY = "company"


class RefundRule(StrEnum):
    REQUEST = "request"
    """Whoever asks gets the money back."""
    MISTAKE = "mistake"
    """Mistakes: paid twice, another sum, a child without the parents knowing, somebody else's card."""


@dataclass(frozen=True)
class Requisites:
    kind: Kind = Kind.NPD
    full_name: str = ""
    inn: str = ""
    ogrn: str = ""
    """ОГРН of a company, ОГРНИП of an entrepreneur; nobody else has one."""
    postal_address: str = ""
    email: str = ""
    phone: str = ""
    """`+` and digits."""
    refund_rule: RefundRule = RefundRule.REQUEST
    refund_days: int = 10
    """Within how many days a request is answered."""
    purpose: str = ""
    """What the money is for, in the streamer's words."""
    age_mark: str = ""
    registry_number: str = ""
    registry_url: str = ""
    """The entry in Roskomnadzor's list of pages with more than 10,000 followers."""
    is_foreign_agent: bool = False
    foreign_agent_label: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields without which the pages cannot be shown, in the order of the form."""
        needed = ["full_name", "inn", "email", "purpose"]
        if self.kind is not Kind.NPD:
            needed[2:2] = ["ogrn", "postal_address"]
        return tuple(name for name in needed if not getattr(self, name))

    @property
    def is_complete(self) -> bool:
        return not self.missing


# Rules.


def has_good_inn_checksum(inn: str) -> bool:
    """Ten digits of a company with one check digit, twelve of a person with two."""
    digits = [int(digit) for digit in inn]
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)

    def check(length: int) -> bool:
        weighted = zip(weights[len(weights) - length :], digits, strict=False)
        return sum(weight * digit for weight, digit in weighted) % 11 % 10 == digits[length]

    return check(9) if len(digits) == 10 else check(10) and check(11)


def has_good_ogrn_checksum(ogrn: str) -> bool:
    """Thirteen digits: the rest of division by 11; fifteen: by 13. The last digit of the rest is the last digit."""
    divisor = 11 if len(ogrn) == 13 else 13
    return int(ogrn[:-1]) % divisor % 10 == int(ogrn[-1])


_INN_LENGTHS = {Kind.NPD: 12, Kind.ENTREPRENEUR: 12, Kind.COMPANY: 10}
_OGRN_LENGTHS = {Kind.ENTREPRENEUR: 15, Kind.COMPANY: 13}


def clean_inn(text: str, kind: Kind) -> str:
    """Raises InvalidInputError("inn", "length" | "checksum")."""
    return _clean_number("inn", text, _INN_LENGTHS[kind], has_good_inn_checksum)


def clean_ogrn(text: str, kind: Kind) -> str:
    """ "" of the self-employed, who have none. Raises InvalidInputError("ogrn", "length" | "checksum")."""
    if kind is Kind.NPD:
        return ""
    return _clean_number("ogrn", text, _OGRN_LENGTHS[kind], has_good_ogrn_checksum)


def _clean_number(field: str, text: str, length: int, is_good: Callable[[str], bool]) -> str:
    number = re.sub(r"[\s-]", "", text)
    if not number:
        return ""
    if not re.fullmatch(rf"[0-9]{{{length}}}", number):
        raise InvalidInputError(field, "length", length=length)
    if not is_good(number) or not int(number):
        raise InvalidInputError(field, "checksum")
    return number


def clean_phone(text: str) -> str:
    """`8 (916) 123-45-67` → `+79161234567`. Raises InvalidInputError("phone", "malformed")."""
    given = re.sub(r"[\s().-]", "", text)
    if not given:
        return ""
    if re.fullmatch(r"8[0-9]{10}", given):
        given = "+7" + given[1:]
    elif not given.startswith("+"):
        given = "+" + given
    if not re.fullmatch(r"\+[0-9]{10,15}", given):
        raise InvalidInputError("phone", "malformed")
    return given


def clean_registry_url(text: str) -> str:
    """An https address, in ASCII. Raises InvalidInputError("registry_url", "malformed")."""
    url = text.strip()
    if not url:
        return ""
    try:
        split = urlsplit(url)
        is_good = split.scheme == "https" and "." in (split.hostname or "") and split.username is None
    except ValueError:
        is_good = False
    # The scheme in small letters, for the database looks at it too.
    if (
        not is_good
        or len(url) > URL_MAX_LENGTH
        or not re.fullmatch(r"https://[!-~]+", url)
        or re.search(r'[<>"\\]', url)
    ):
        raise InvalidInputError("registry_url", "malformed")
    return url


def _clean_line(field: str, text: str, limit: int) -> str:
    return _within(field, clean_name(text), limit)


def _within(field: str, text: str, limit: int) -> str:
    if len(text) > limit:
        raise InvalidInputError(field, "too_long", limit=limit, over=len(text) - limit)
    return text


def _clean_days(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text.strip()) or not 1 <= int(text) <= REFUND_DAYS_MAX:
        raise InvalidInputError("refund_days", "range", limit=REFUND_DAYS_MAX)
    return int(text)


def clean_requisites(fields: Mapping[str, str]) -> tuple[Requisites, dict[str, InvalidInputError]]:
    """What a form says, and what is wrong with it, by field; a field that is wrong stands in the result as empty.

    Raises InvalidInputError for a choice that the form does not offer.
    """
    kind, rule = _choices(fields)
    is_foreign_agent = "is_foreign_agent" in fields

    def label(text: str) -> str:
        cleaned = _within("foreign_agent_label", clean_message(text), LABEL_MAX_LENGTH)
        if is_foreign_agent and not cleaned:
            raise InvalidInputError("foreign_agent_label", "required")
        return cleaned

    def email(text: str) -> str:
        return clean_email(text) if text.strip() else ""

    cleaners: dict[str, Callable[[str], Any]] = {
        "full_name": lambda text: _clean_line("full_name", text, FULL_NAME_MAX_LENGTH),
        "inn": lambda text: clean_inn(text, kind),
        "ogrn": lambda text: clean_ogrn(text, kind),
        "postal_address": lambda text: _clean_line("postal_address", text, ADDRESS_MAX_LENGTH),
        "email": email,
        "phone": clean_phone,
        "refund_days": _clean_days,
        "purpose": lambda text: _clean_line("purpose", text, PURPOSE_MAX_LENGTH),
        "registry_number": lambda text: _clean_line("registry_number", text, REGISTRY_NUMBER_MAX_LENGTH),
        "registry_url": clean_registry_url,
        "foreign_agent_label": label,
    }
    values: dict[str, Any] = {}
    errors: dict[str, InvalidInputError] = {}
    for name, clean in cleaners.items():
        try:
            values[name] = clean(fields.get(name, ""))
        except InvalidInputError as error:
            errors[name] = error
    if values.get("registry_number") and not values.get("registry_url") and "registry_url" not in errors:
        errors["registry_url"] = InvalidInputError("registry_url", "required")
    found = Requisites(
        kind=kind, refund_rule=rule, age_mark=fields.get("age_mark", ""), is_foreign_agent=is_foreign_agent, **values
    )
    return found, errors


def _choices(fields: Mapping[str, str]) -> tuple[Kind, RefundRule]:
    try:
        kind, rule = Kind(fields.get("kind", "")), RefundRule(fields.get("refund_rule", ""))
    except ValueError:
        raise InvalidInputError("kind", "unknown") from None
    if fields.get("age_mark", "") not in AGE_MARKS:
        raise InvalidInputError("age_mark", "unknown")
    return kind, rule


# Rows.


async def get_requisites(connection: Any, streamer_id: int) -> Requisites | None:
    row = await queries.requisites.get_requisites(connection, streamer_id=streamer_id)
    if row is None:
        return None
    return Requisites(**{**row, "kind": Kind(row["kind"]), "refund_rule": RefundRule(row["refund_rule"])})


async def save_requisites(connection: Any, streamer_id: int, requisites: Requisites) -> None:
    """Requisites that `clean_requisites` found nothing wrong with."""
    values = {name: getattr(requisites, name) for name in requisites.__dataclass_fields__}
    await queries.requisites.save_requisites(connection, streamer_id=streamer_id, **values)
