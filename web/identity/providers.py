"""The other sites, one line each: where they are, what they are asked for, and how they tell who somebody is.

Russian sites sign people in; Twitch and YouTube are only ever linked to an account (149-ФЗ). Each is off until the
operator enters what the site gave for this one: a client id, and a secret where there is one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from infra.settings import Settings

ID_MAX_LENGTH = 128
NAME_MAX_LENGTH = 100


@dataclass(frozen=True)
class Person:
    """Who somebody is at the other site. `subject` never changes there; the name is only for reading."""

    subject: str
    name: str
    email: str | None
    """Proved by the other site to be this person's; None: not given, or not proved."""


@dataclass(frozen=True)
class IdentityProvider:
    name: str
    title: str
    authorize_url: str
    token_url: str
    person_url: str
    scope: str
    signs_in: bool
    """False: an account there can only be linked to an account here."""
    asks_by: Literal["bearer", "oauth", "form"]
    """How `person_url` wants the access token: in the header as Bearer or as Yandex's OAuth, or in a form."""
    read_person: Callable[[Mapping[str, Any]], Person]
    """Raises KeyError, TypeError or ValueError for an answer that says of nobody who it is."""
    client_id: str = ""
    client_secret: str = ""


def _text(value: Any, limit: int) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("no text where one must be")
    return value.strip()[:limit]


def _person(subject: Any, names: list[Any], email: Any) -> Person:
    if len(str(subject)) > ID_MAX_LENGTH:
        raise ValueError("an id too long")
    subject = _text(subject, ID_MAX_LENGTH)
    name = " ".join(part.strip() for part in names if isinstance(part, str) and part.strip() and part.isprintable())
    return Person(subject, name[:NAME_MAX_LENGTH] or subject, email if isinstance(email, str) and email else None)


def _yandex(answer: Mapping[str, Any]) -> Person:
    # https://yandex.ru/dev/id/doc/ru/user-information: default_email is an address of the account itself.
    return _person(answer["id"], [answer.get("login")], answer.get("default_email"))


def _vk(answer: Mapping[str, Any]) -> Person:
    # https://id.vk.com/about/business/go/docs/ru/vkid/latest/vk-id/connection/api-integration/api-description
    user = answer["user"]
    return _person(user["user_id"], [user.get("first_name"), user.get("last_name")], user.get("email"))


def _twitch(answer: Mapping[str, Any]) -> Person:
    # https://dev.twitch.tv/docs/authentication/getting-tokens-oidc/#getting-claims-information-from-an-access-token
    return _person(answer["sub"], [answer.get("preferred_username")], None)


def _youtube(answer: Mapping[str, Any]) -> Person:
    # https://developers.google.com/identity/openid-connect/openid-connect#obtaininguserprofileinformation
    return _person(answer["sub"], [answer.get("name")], None)


KNOWN = (
    IdentityProvider(
        "yandex", "Яндекс ID", "https://oauth.yandex.ru/authorize", "https://oauth.yandex.ru/token",
        "https://login.yandex.ru/info?format=json", "login:email login:info", True, "oauth", _yandex,
    ),
    IdentityProvider(
        "vk", "VK ID", "https://id.vk.com/authorize", "https://id.vk.com/oauth2/auth",
        "https://id.vk.com/oauth2/user_info", "vkid.personal_info email", True, "form", _vk,
    ),
    IdentityProvider(
        "twitch", "Twitch", "https://id.twitch.tv/oauth2/authorize", "https://id.twitch.tv/oauth2/token",
        "https://id.twitch.tv/oauth2/userinfo", "openid", False, "bearer", _twitch,
    ),
    IdentityProvider(
        "youtube", "YouTube", "https://accounts.google.com/o/oauth2/v2/auth", "https://oauth2.googleapis.com/token",
        "https://openidconnect.googleapis.com/v1/userinfo", "openid profile", False, "bearer", _youtube,
    ),
)  # fmt: skip
"""In the order shown."""


def configured(settings: Settings) -> dict[str, IdentityProvider]:
    """Those that are switched on, by name; at the addresses of `IDENTITY_URLS` where it names them."""
    found = {}
    for provider in KNOWN:
        client = settings.identity_clients.get(provider.name)
        if client is None:
            continue
        secret = client.client_secret.get_secret_value() if client.client_secret is not None else ""
        ready = replace(provider, client_id=client.client_id, client_secret=secret)
        base = settings.identity_urls.get(provider.name)
        if base is not None:
            ready = replace(
                ready, authorize_url=f"{base}/authorize", token_url=f"{base}/token", person_url=f"{base}/person"
            )
        found[provider.name] = ready
    return found
