"""Signing in with an account at another site (Yandex ID, VK ID), and the way back from one that is linked.

    GET  /sign-in/with/<name>           away to the other site
    GET  /sign-in/with/<name>/back      back from it, with a code
    GET  /sign-in/new                   the other site has named somebody new: an account, with consent
    POST /sign-in/new

Linking begins on the account's page, with the password (my_account_sites.py).
An account here is never found by its e-mail alone: who has one links the other after signing in, so that nobody gets in
by an address that the other site got wrong.
"""

import hmac
import logging

from quart import Blueprint, Response, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from domain import identities
from domain.errors import InvalidInputError, NotAllowedError
from domain.letters import Kind
from domain.one_time_links import LinkPurpose, OneTimeLink, use_link
from domain.users import User, add_user, clean_email
from infra.addresses import address_key
from web import sessions
from web.context import parts
from web.i18n import _, current_locale
from web.identity import journey
from web.identity.client import IdentityError, find_person, start
from web.identity.journey import Away, Newcomer
from web.identity.providers import IdentityProvider, Person, configured
from web.letter_post import post_letter
from web.limits import Limit
from web.pages.account import first_page, same_site_path
from web.pages.links import find_given_link, forget_given_link
from web.registering import CONSENT_VERSION, may_register
from web.security import client_address

log = logging.getLogger(__name__)

blueprint = Blueprint("identities", __name__)

TRIES = Limit("identity-address", 120, 5 * 60)

# No password: none matches an empty hash.
NO_PASSWORD = ""


# Away and back.


@blueprint.get("/sign-in/with/<name>")
async def leave(name: str) -> ResponseReturnValue:
    provider = provider_or_404(name)
    if await sessions.current_user() is not None:
        return redirect(url_for("my_account.show"), 303)
    if not provider.signs_in:
        return redirect(url_for("account.sign_in", next=url_for("my_account.show")), 303)
    return redirect(await set_out(provider, same_site_path(request.args.get("next", "")), None), 303)


async def set_out(provider: IdentityProvider, back: str, user: User | None) -> str:
    """Remember in this browser that it is on its way; where to. `user`: an account is to be linked to hers."""
    await parts().limiter.take(TRIES, address_key(client_address()))
    begun = start(provider, _redirect_url(provider.name))
    journey.remember(Away(provider.name, begun.state, begun.verifier, back, None if user is None else user.id))
    return begun.url


@blueprint.get("/sign-in/with/<name>/back")
async def come_back(name: str) -> ResponseReturnValue:
    provider = provider_or_404(name)
    away = journey.recall_away()
    journey.forget()
    user = await sessions.current_user()
    user_id = None if user is None else user.id
    state = request.args.get("state", "")
    if away is None or away.provider != name or not hmac.compare_digest(away.state.encode(), state.encode()):
        return _trouble("identity-lost", user)
    if away.user_id != user_id:
        # Somebody signed in or out meanwhile: whose account would it be linked to?
        return _trouble("identity-lost", user)
    if "error" in request.args:
        return _trouble("identity-refused", user)
    try:
        person = await find_person(
            parts().http,
            provider,
            code=request.args.get("code", ""),
            device_id=request.args.get("device_id", ""),
            state=state,
            verifier=away.verifier,
            redirect_url=_redirect_url(name),
        )
    except IdentityError as error:
        log.warning("%s did not say who it is: %s", name, error)
        return _trouble("identity-refused" if error.is_refusal else "identity-away", user)
    if user is not None:
        return await _link(user, provider, person)
    return await _sign_in(provider, person, away.back)


async def _link(user: User, provider: IdentityProvider, person: Person) -> ResponseReturnValue:
    async with parts().pool.acquire() as connection, connection.transaction():
        linked = await identities.link(connection, user.id, provider.name, person.subject, person.name)
        if linked and provider.signs_in:
            # The site's name alone: a person's name there may say anything.
            await post_letter(connection, Kind.IDENTITY_LINKED, user, {"title": provider.title})
    parts().relay.wake()
    return redirect(url_for("my_account.show", said="identity-linked" if linked else "identity-taken"), 303)


async def _sign_in(provider: IdentityProvider, person: Person, back: str) -> ResponseReturnValue:
    async with parts().pool.acquire() as connection, connection.transaction():
        user = await identities.find_identity_user(connection, provider.name, person.subject, person.name)
    if user is not None and user.is_active:
        await sessions.sign_in(user)
        return redirect(back or await first_page(user), 303)
    try:
        email = clean_email(person.email or "")
    except InvalidInputError:
        email = ""
    if user is not None or not may_register(await _given_link(), is_proved=True):
        return _trouble("identity-unknown", None)
    if not email:
        return _trouble("identity-no-email", None)
    journey.remember(Newcomer(provider.name, person.subject, person.name, email, back))
    return redirect(url_for("identities.show_new"), 303)


def _trouble(said: str, user: User | None) -> ResponseReturnValue:
    """What went wrong, said where the way began."""
    return redirect(url_for("account.sign_in" if user is None else "my_account.show", said=said), 303)


# Somebody new.


@blueprint.get("/sign-in/new")
async def show_new() -> ResponseReturnValue:
    newcomer = journey.recall_newcomer()
    if newcomer is None:
        return redirect(url_for("account.sign_in"), 303)
    return await _new_page(newcomer, "")


@blueprint.post("/sign-in/new")
async def make_new() -> ResponseReturnValue:
    newcomer = journey.recall_newcomer()
    link = await _given_link()
    if newcomer is None or not may_register(link, is_proved=True):
        return _trouble("identity-lost", None)
    if (await request.form).get("consent") != CONSENT_VERSION:
        return await _new_page(newcomer, _("Without this consent we may not keep your e-mail."))
    await parts().limiter.take(TRIES, address_key(client_address()))
    try:
        user = await _add(newcomer, link)
    except NotAllowedError:
        return _trouble("identity-lost", None)
    journey.forget()
    if user is None:
        return _trouble("identity-email-taken", None)
    forget_given_link()
    await sessions.sign_in(user)
    return redirect(newcomer.back or f"{await first_page(user)}?said=welcome", 303)


async def _add(newcomer: Newcomer, link: OneTimeLink | None) -> User | None:
    """The account with its other site's. None: the address has an account. Raises NotAllowedError: somebody else was
    faster with the link, or with this very account."""
    async with parts().pool.acquire() as connection, connection.transaction():
        user = await add_user(
            connection,
            newcomer.email,
            NO_PASSWORD,
            is_superuser=link is not None and link.purpose is LinkPurpose.FIRST,
            locale=current_locale(),
            consent_version=CONSENT_VERSION,
            is_confirmed=True,
        )
        if user is None:
            return None
        if not await identities.link(connection, user.id, newcomer.provider, newcomer.subject, newcomer.name):
            raise NotAllowedError("identity_taken")
        if link is not None and not await use_link(connection, link.id):
            raise NotAllowedError("link_used")
        return user


async def _new_page(newcomer: Newcomer, error: str) -> Response:
    html = await render_template(
        "pages/identity_new.html",
        newcomer=newcomer,
        title=provider_or_404(newcomer.provider).title,
        consent_version=CONSENT_VERSION,
        error=error,
    )
    return Response(html, 422 if error else 200)


async def _given_link() -> OneTimeLink | None:
    return await find_given_link(LinkPurpose.FIRST, LinkPurpose.INVITE)


def provider_or_404(name: str) -> IdentityProvider:
    """Raises 404: no such site, or it is switched off."""
    provider = configured(parts().settings).get(name)
    if provider is None:
        raise NotFound
    return provider


def _redirect_url(name: str) -> str:
    return f"{parts().settings.web_url}{url_for('identities.come_back', name=name)}"
