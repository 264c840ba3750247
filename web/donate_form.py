"""The donation form's fields: what people type, checked and turned into what the domain wants."""

import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from werkzeug.datastructures import MultiDict

from domain.streamers import Streamer
from domain.text import NAME_MAX_LENGTH, clean_message, clean_name
from web.field_words import too_long_words
from web.i18n import _, format_amount, format_money
from web.legal_row import PageTerms

CONSENT_VERSION = "2026-11-2"
"""Names the words of `_consent` in `web/legal_texts.py`; stored with each donation. New words, new version."""

SBP_MIN_AMOUNT_MINOR = 1000

AMOUNT_TEXT_MAX_LENGTH = 32
EMAIL_MAX_LENGTH = 64
"""As long as providers take one for a receipt."""

# "300", "300,50", "1 000", "300 ₽", "₽300", "300 руб.". A point or comma before three digits could mean thousands
# or a slip, so it is not guessed at.
_AMOUNT = re.compile(
    r"₽? ?(?P<rubles>[0-9]{1,9}|[0-9]{1,3}(?:[ '’][0-9]{3}){1,2})(?:[.,](?P<kopecks>[0-9]{0,2}))?"
    r" ?(?:₽|р\.?|руб\.?|рубл(?:ь|я|ей)|rub\.?)?",
    re.IGNORECASE,
)
# Something a receipt can be sent to: letters of any script are left to the registers, which refuse them.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,}")
_FORM_KEY = re.compile(r"[A-Za-z0-9_-]{22,64}")


def new_form_key() -> str:
    """192 random bits, one per response: what makes a doubled submit one donation (DESIGN 17)."""
    return secrets.token_urlsafe(24)


def parse_amount(text: str) -> int | None:
    """Kopecks of an amount as people type it; None when it cannot be understood for certain."""
    if len(text) > AMOUNT_TEXT_MAX_LENGTH:
        return None
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in text)
    match = _AMOUNT.fullmatch(spaced.strip())
    if match is None:
        return None
    rubles = int(re.sub("[^0-9]", "", match["rubles"]))
    return rubles * 100 + int((match["kopecks"] or "").ljust(2, "0"))


@dataclass(frozen=True)
class Rules:
    """What a form is checked by: the streamer's limits, whether a receipt needs an e-mail, the words to agree to."""

    streamer: Streamer
    asks_email: bool
    terms: PageTerms


class DonateForm(BaseModel):
    """A donor's wish within a streamer's `Rules`, which validation gets as its context."""

    model_config = ConfigDict(frozen=True)

    key: str
    amount_minor: int = Field(alias="amount")
    message: str = ""
    donor_name: str | None = Field(alias="name", default=None)
    """None is anonymous."""
    donor_email: str | None = Field(alias="email", default=None, validate_default=True, repr=False)
    """None where nobody asks for it, whatever was sent."""
    terms: str = ""
    """The version of the words beside the form; "" of a form from before there were any."""
    consent: str = Field(default="", validate_default=True)

    @field_validator("key", mode="before")
    @classmethod
    def _check_key(cls, value: str) -> str:
        if not _FORM_KEY.fullmatch(value):
            raise PydanticCustomError("key", "not one of our keys")
        return value

    @field_validator("amount_minor", mode="before")
    @classmethod
    def _check_amount(cls, value: str, info: ValidationInfo) -> int:
        streamer = _rules(info).streamer
        if not value.strip():
            raise PydanticCustomError("amount_missing", "no amount")
        amount_minor = parse_amount(value)
        if amount_minor is None:
            raise PydanticCustomError("amount_unclear", "not an amount")
        if amount_minor < streamer.min_amount_minor:
            raise PydanticCustomError("amount_small", "below the least", {"limit": streamer.min_amount_minor})
        if amount_minor > streamer.max_amount_minor:
            raise PydanticCustomError("amount_large", "above the most", {"limit": streamer.max_amount_minor})
        return amount_minor

    @field_validator("message", mode="before")
    @classmethod
    def _clean_message(cls, value: str, info: ValidationInfo) -> str:
        limit = _rules(info).streamer.message_max_length
        message = clean_message(value) if limit else ""
        if len(message) > limit:
            raise PydanticCustomError("too_long", "too long", {"limit": limit, "over": len(message) - limit})
        return message

    @field_validator("donor_name", mode="before")
    @classmethod
    def _clean_name(cls, value: str) -> str | None:
        name = clean_name(value)
        if len(name) > NAME_MAX_LENGTH:
            over = len(name) - NAME_MAX_LENGTH
            raise PydanticCustomError("too_long", "too long", {"limit": NAME_MAX_LENGTH, "over": over})
        return name or None

    @field_validator("donor_email", mode="before")
    @classmethod
    def _check_email(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not _rules(info).asks_email:
            return None
        email = (value or "").strip()
        if not email:
            raise PydanticCustomError("email_missing", "no e-mail")
        if len(email) > EMAIL_MAX_LENGTH or ".." in email or not _EMAIL.fullmatch(email):
            raise PydanticCustomError("email_unclear", "not an e-mail")
        return email

    @field_validator("consent", mode="before")
    @classmethod
    def _check_consent(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            raise PydanticCustomError("consent_missing", "not agreed")
        terms, shown = _rules(info).terms, info.data.get("terms")
        if value != CONSENT_VERSION or (shown and shown not in terms.documents):
            raise PydanticCustomError("consent_old", "agreed to other words")
        return value


def _rules(info: ValidationInfo) -> Rules:
    rules = info.context
    assert isinstance(rules, Rules)
    return rules


# The form as it stands on the page.


@dataclass(frozen=True)
class Typed:
    """What stands in the fields, as typed."""

    amount: str = ""
    message: str = ""
    name: str = ""
    email: str = ""
    anonymous: bool = False
    consent: bool = False


def typed_from(fields: MultiDict[str, str]) -> Typed:
    return Typed(
        amount=fields.get("set_amount") or fields.get("amount", ""),
        message=fields.get("message", ""),
        name=fields.get("name", ""),
        email=fields.get("email", ""),
        anonymous="anonymous" in fields,
        consent=fields.get("consent") == CONSENT_VERSION,
    )


def preselected(rules: Rules, amount_text: str) -> tuple[Typed, dict[str, str]]:
    """The form of a link like `?a=300`, and what is wrong with an amount that could not be paid.

    What is no amount at all is left out: a broken link is not the donor's mistake.
    """
    amount_minor = parse_amount(amount_text)
    if amount_minor is None:
        return Typed(), {}
    amount = format_amount(amount_minor)
    checked = check_form(MultiDict({"amount": amount}), rules)
    errors = checked if isinstance(checked, dict) else {}
    return Typed(amount=amount), {field: words for field, words in errors.items() if field == "amount"}


def check_form(fields: MultiDict[str, str], rules: Rules) -> DonateForm | dict[str, str]:
    """The checked form, or the words to stand beside each field that is not right, in the order of the page."""
    values = {name: fields.get(name, "") for name in ("key", "amount", "message", "name", "email", "terms", "consent")}
    if "anonymous" in fields:
        values["name"] = ""
    try:
        return DonateForm.model_validate(values, context=rules)
    except ValidationError as error:
        return {str(found["loc"][0]): _words(found["type"], found.get("ctx", {})) for found in error.errors()}


def _words(code: str, data: dict[str, Any]) -> str:
    match code:
        case "key":
            return _("This page has grown old. Everything you wrote is still here: press the button once more.")
        case "amount_missing":
            return _("Choose or type an amount.")
        case "amount_unclear":
            return _("We can't read this amount. Type it in digits, for example 300 or 300.50.")
        case "amount_small" if data["limit"] == SBP_MIN_AMOUNT_MINOR:
            return _("At least %(amount)s: SBP takes no less.", amount=format_money(data["limit"]))
        case "amount_small":
            return _("The streamer accepts %(amount)s or more.", amount=format_money(data["limit"]))
        case "amount_large":
            return _("The streamer accepts up to %(amount)s.", amount=format_money(data["limit"]))
        case "too_long":
            return too_long_words(data["over"], data["limit"])
        case "email_missing":
            return _("An e-mail is needed: the law wants the receipt sent to you.")
        case "email_unclear":
            return _("This does not look like an e-mail. It should be like anna@mail.ru.")
        case "consent_missing":
            return _("Please tick this box: we can't take the donation without it.")
        case "consent_old":
            return _("The words of the consent have changed. Please read them and tick the box again.")
    raise AssertionError(f"no words for {code}")
