"""Where a streamer's money goes: own terminals at T-Bank, YooKassa and whatever else there is (DESIGN 6, 16).

    GET  /dashboard/terminals                    what is connected, how it does, and how to connect
    POST /dashboard/terminals/connect/<provider> a key and its secret, tried at the provider before they are kept
    POST /dashboard/terminals/check              try what is connected once more
    POST /dashboard/terminals/choose             the next payments go through this one
    POST /dashboard/terminals/retire             no new payments; the open ones go on

A secret comes in and never goes out again: not into the form after an error, not into a log.
"""

import asyncio
import logging
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from quart import Blueprint, Response, render_template, request, url_for
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound, UnprocessableEntity

from domain import receipts, terminals
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.letters import Kind
from domain.streamers import Streamer
from domain.terminal_health import Health, Refusal, read_health, read_refusal
from domain.terminals import Terminal, clean_secret, clean_terminal_key
from domain.users import get_user, has_password
from infra.redis import publish
from providers.outcomes import ProviderError, ProviderPermanentError, RefusalReason
from providers.provider import Credentials, Provider
from web.bank_state import credentials_of, is_standing, is_test_account
from web.confirmation import not_confirmed, signed_in_just_now
from web.context import parts
from web.i18n import _, use_locale, when
from web.letter_post import post_letter
from web.limits import Limit
from web.pages.desk import address, go_to, render
from web.provider_words import refusal_words
from web.sessions import require_streamer, require_user
from web.terminal_words import ProviderWords, trial_pair, words_of

log = logging.getLogger(__name__)
blueprint = Blueprint("terminals", __name__)

CHECKS = Limit("terminal-check", 20, 10 * 60)
"""Calls to a provider that a streamer may cause by hand."""
CHECK_SECONDS = 12.0
"""She waits for the page, so less than a provider may take otherwise."""

# What may stand in the form again after an error. Who swaps the two fields has typed the secret into this one.
_SURELY_A_KEY = re.compile(r"[0-9]{4,}(DEMO)?")


class Checked(StrEnum):
    GOOD = "good"
    WRONG = "wrong"
    REFUSED = "refused"
    """Key and secret fit, and the provider serves this account no more."""
    AWAY = "away"


@dataclass(frozen=True)
class Row:
    """A terminal as its card shows it."""

    terminal: Terminal
    words: ProviderWords
    is_test: bool
    is_readable: bool
    health: Health
    refusal: Refusal | None

    @property
    def refusal_stands(self) -> bool:
        return is_standing(self.refusal)


@dataclass(frozen=True)
class ConnectForm:
    """A provider's form as it stands on the page."""

    name: str
    words: ProviderWords
    key_max_length: int
    notification_url: str
    trial: tuple[str, str] | None = None
    """In development: key and secret that the simulator takes from this streamer."""
    key: str = ""
    key_error: str = ""
    secret_error: str = ""
    password_error: str = ""
    asks_password: bool = False
    problem: str = ""
    offers_unchecked: bool = False

    @property
    def has_error(self) -> bool:
        return bool(self.key_error or self.secret_error or self.password_error or self.problem)


@blueprint.get("/dashboard/terminals")
async def show() -> ResponseReturnValue:
    return await _page(await require_streamer())


@blueprint.post("/dashboard/terminals/connect/<name>")
async def connect(name: str) -> ResponseReturnValue:
    """Check first, keep afterwards. With `unchecked` a pair is kept even though the provider could not be asked.

    Who did not sign in just now is asked for the password: whoever finds her browser open could have the money go
    elsewhere.
    """
    user, streamer = await require_user(), await require_streamer()
    provider = parts().providers.get(name)
    if provider is None:
        raise NotFound
    fields = await request.form
    errors: dict[str, str] = {}
    try:
        key = clean_terminal_key(fields.get("key", ""), limit=provider.key_max_length)
    except InvalidInputError as error:
        errors["key_error"] = _("1 to %(limit)s Latin letters and digits without spaces.", **error.data)
    try:
        secret = clean_secret(fields.get("secret", ""))
    except InvalidInputError as error:
        is_missing = error.code == "required"
        errors["secret_error"] = _("Enter it.") if is_missing else _("Latin letters, digits and signs without spaces.")
    if not errors and key == secret:
        errors["secret_error"] = _("This is the same as above. The two are different in the provider's cabinet.")
    if not errors and not await signed_in_just_now():
        # A try at the password is counted, so what else is wrong is said first.
        errors = await not_confirmed(user, fields.get("password", ""), "password_error")
    if errors:
        return await _form_again(streamer, provider, key=fields.get("key", ""), **errors)

    await parts().limiter.take(CHECKS, str(streamer.id))
    checked, reason = await _check(provider, Credentials(key, secret))
    if checked is not Checked.GOOD and (checked is Checked.WRONG or "unchecked" not in fields):
        return await _form_again(
            streamer,
            provider,
            key=key,
            problem=await _problem(streamer, provider, checked, reason),
            offers_unchecked=checked is not Checked.WRONG,
        )
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            former = await terminals.get_active_terminal(connection, streamer.id)
            is_test = is_test_account(parts().settings, provider, Credentials(key, secret))
            terminal = await terminals.set_terminal(
                connection, parts().box, streamer.id, name, key, secret, is_test=is_test
            )
            if former is None or former.id != terminal.id:
                await _tell_owner(connection, streamer, provider, key)
            if checked is Checked.GOOD:
                await terminals.note_checked(connection, terminal.id)
    except NotAllowedError:
        taken = _("This key is connected on another page of this site. If it is yours, ask the site's owner.")
        return await _form_again(streamer, provider, key=key, key_error=taken)
    log.info("streamer %d uses terminal %d (%s, %s)", streamer.id, terminal.id, name, checked)
    parts().relay.wake()
    await _tell_dashboards(streamer)
    return _done("connected" if checked is Checked.GOOD else "connected-unchecked")


@blueprint.post("/dashboard/terminals/check")
async def check_again() -> ResponseReturnValue:
    streamer = await require_streamer()
    terminal = await _asked_for(streamer)
    credentials = credentials_of(terminal)
    if credentials is None:
        return _done("check-unreadable")
    await parts().limiter.take(CHECKS, str(streamer.id))
    checked, _reason = await _check(parts().providers[terminal.provider], credentials)
    if checked is Checked.GOOD:
        async with parts().pool.acquire() as connection:
            await terminals.note_checked(connection, terminal.id)
    return _done(f"check-{checked}")


@blueprint.post("/dashboard/terminals/choose")
async def choose() -> ResponseReturnValue:
    streamer = await require_streamer()
    terminal = await _asked_for(streamer)
    async with parts().pool.acquire() as connection, connection.transaction():
        chosen = await terminals.choose_terminal(connection, streamer.id, terminal.id)
    await _tell_dashboards(streamer)
    return _done("chosen" if chosen else "too-late")


@blueprint.post("/dashboard/terminals/retire")
async def retire() -> ResponseReturnValue:
    streamer = await require_streamer()
    terminal = await _asked_for(streamer)
    async with parts().pool.acquire() as connection, connection.transaction():
        retired = await terminals.retire_terminal(connection, streamer.id, terminal.id)
    if retired:
        log.info("streamer %d disconnects terminal %d", streamer.id, terminal.id)
    await _tell_dashboards(streamer)
    return _done("retired" if retired else "too-late")


# Asking the provider.


async def _check(provider: Provider, credentials: Credentials) -> tuple[Checked, RefusalReason | None]:
    """A real call, outside any transaction, and what it means."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await provider.check_credentials(credentials)
    except ProviderPermanentError as error:
        log.info("%s refuses a key: %s", provider.name, error)
        is_wrong = error.reason is RefusalReason.CREDENTIALS
        return (Checked.WRONG if is_wrong else Checked.REFUSED), error.reason
    except (ProviderError, TimeoutError) as error:
        log.warning("%s could not be asked about a key: %r", provider.name, error)
        return Checked.AWAY, None
    return Checked.GOOD, None


async def _problem(streamer: Streamer, provider: Provider, checked: Checked, reason: RefusalReason | None) -> str:
    words = words_of(provider)
    match checked:
        case Checked.WRONG:
            async with parts().pool.acquire() as connection:
                has_terminal = await terminals.get_active_terminal(connection, streamer.id) is not None
            return " ".join([words.wrong, _("The old keys still work.")]) if has_terminal else words.wrong
        case Checked.REFUSED:
            return refusal_words(reason or RefusalReason.UNKNOWN, for_streamer=True)
    return words.away


async def _asked_for(streamer: Streamer) -> Terminal:
    """The form's terminal. Raises NotFoundError when it is not this streamer's."""
    terminal_id = (await request.form).get("terminal_id", type=int)
    if terminal_id is None or not 0 < terminal_id < 2**31:
        raise UnprocessableEntity
    async with parts().pool.acquire() as connection:
        for terminal in await terminals.list_terminals(connection, streamer.id):
            if terminal.id == terminal_id:
                return terminal
    raise NotFoundError("terminal")


# Answers.


async def _tell_owner(connection: Any, streamer: Streamer, provider: Provider, key: str) -> None:
    """By a letter, should somebody have done it who knows her password."""
    owner = await get_user(connection, streamer.owner_id)
    if owner is None:
        return
    with use_locale(owner.locale):
        data = {"provider": words_of(provider).title, "key_end": key[-4:], "page": streamer.slug}
    await post_letter(connection, Kind.TERMINAL_CONNECTED, owner, data)


async def _tell_dashboards(streamer: Streamer) -> None:
    wake = Wake(streamer.id, frozenset({Topic.CONTROLS}))
    await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])


def _done(said: str) -> ResponseReturnValue:
    if "HX-Request" in request.headers:
        return Response("", headers={"HX-Redirect": address("terminals.show", said=said)})
    return go_to("terminals.show", said=said)


async def _form_again(streamer: Streamer, provider: Provider, *, key: str, **values: Any) -> Response:
    """The form with what was wrong; the secret is never in it, nor what may be one."""
    key = key.strip()
    shown_key = key if _SURELY_A_KEY.fullmatch(key) else ""
    form = _form(provider, streamer, asks_password=await _asks_password(), key=shown_key, **values)
    if "HX-Request" in request.headers:
        html = await render_template("partials/terminals/connect.html", form=form, address=address, is_first=False)
        return Response(html, 422, content_type="text/html; charset=utf-8")
    return await _page(streamer, form)


async def _asks_password() -> bool:
    user = await require_user()
    if await signed_in_just_now():
        return False
    async with parts().pool.acquire() as connection:
        return await has_password(connection, user.id)


def _form(provider: Provider, streamer: Streamer, **values: Any) -> ConnectForm:
    return ConnectForm(
        provider.name,
        words_of(provider),
        provider.key_max_length,
        notification_url=parts().settings.notifications_base_url + url_for("notifications.receive", name=provider.name),
        trial=trial_pair(provider.name, streamer.id),
        **values,
    )


async def _page(streamer: Streamer, failed: ConnectForm | None = None) -> Response:
    async with parts().pool.acquire() as connection:
        rows = [
            await _row(connection, terminal) for terminal in await terminals.list_terminals(connection, streamer.id)
        ]
        receipt_settings = await receipts.get_settings(connection, streamer.id)
    asks_password = await _asks_password()
    forms = [_form(provider, streamer, asks_password=asks_password) for provider in parts().providers.values()]
    if failed is not None:
        forms = [failed if form.name == failed.name else form for form in forms]
    connected = [row for row in rows if row.terminal.retired_at is None]
    return await render(
        "pages/terminals.html",
        streamer,
        current="terminals.show",
        status=200 if failed is None else 422,
        used=connected[0] if connected else None,
        others=connected[1:],
        retired=[row for row in rows if row.terminal.retired_at is not None],
        forms=forms,
        receipt_settings=receipt_settings,
        refusal_words=refusal_words,
        when=when,
    )


async def _row(connection: Any, terminal: Terminal) -> Row:
    provider = parts().providers[terminal.provider]
    credentials = credentials_of(terminal)
    return Row(
        terminal,
        words_of(provider),
        is_test=credentials is not None and provider.is_test(credentials),
        is_readable=credentials is not None,
        health=await read_health(connection, terminal.provider),
        refusal=await read_refusal(connection, terminal.id),
    )
