"""The page on which a streamer allows an application what it asks for, or refuses (docs/decisions/0041).

GET  /oauth/authorize   who asks, for what
POST /oauth/authorize   the decision; the browser goes back to the application with a code or with an error

A request that is not right gets a page here, from which one may go back: nobody is led anywhere without a press, since
anybody may register an application and its address.
"""

from urllib.parse import urlencode, urlsplit

from authlib.oauth2.rfc6749 import AccessDeniedError, OAuth2Error
from quart import Blueprint, Response, g, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnprocessableEntity

from domain import applications, grants
from domain.applications import Application
from domain.letters import Kind
from domain.links import link_title
from domain.scopes import Scope
from domain.streamers import Streamer, find_by_owner
from domain.users import User
from web.context import parts
from web.letter_post import post_letter
from web.limits import Limit
from web.oauth.server import Asked, address_back, check_authorization, client_id_of, error_back
from web.scope_words import scope_words
from web.security import CONTENT_SECURITY_POLICY
from web.sessions import require_user

blueprint = Blueprint("oauth", __name__)

DECISIONS = Limit("oauth-decisions", 30, 10 * 60)
PASSED_ON = ("response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")
"""What the form says again of the request it decides about."""


@blueprint.get("/oauth/authorize")
async def ask() -> ResponseReturnValue:
    try:
        asked = await _check(request.args)
    except OAuth2Error as error:
        return await _refused(error)
    return await _consent_page(await require_user(), asked, request.args)


@blueprint.post("/oauth/authorize")
async def decide() -> ResponseReturnValue:
    form = await request.form
    given = MultiDict((name, value) for name in PASSED_ON for value in form.getlist(name))
    # Who was signed out meanwhile comes back to the question: the application waits for its answer.
    user = await require_user(back=f"{url_for('oauth.ask')}?{urlencode(list(given.items(multi=True)))}")
    try:
        asked = await _check(given)
    except OAuth2Error as error:
        return await _refused(error)
    if form.get("user") != str(user.id):
        # Somebody else signed in meanwhile, in another tab: whose page would it be?
        return await _consent_page(user, asked, given)
    issuer = parts().settings.web_url
    match form.get("decision"):
        case "refuse":
            refusal = AccessDeniedError(redirect_uri=asked.redirect_uri, state=asked.state)
            return redirect(str(error_back(refusal, issuer)), 303)
        case "allow":
            await parts().limiter.take(DECISIONS, str(user.id))
            return await _allow(user, asked, given)
    raise UnprocessableEntity


async def _allow(user: User, asked: Asked, given: MultiDict[str, str]) -> ResponseReturnValue:
    async with parts().pool.acquire() as connection, connection.transaction():
        streamer = await find_by_owner(connection, user.id)
        if streamer is None:
            return await _consent_page(user, asked, given)
        code = await grants.allow(
            connection,
            asked.application.id,
            user.id,
            streamer.id,
            scopes=asked.scopes,
            challenge=asked.challenge,
            redirect_uri=asked.redirect_uri,
        )
        # Its site alone: a name may say anything.
        data = {"site_of": host_of(asked.application.site_url)}
        await post_letter(connection, Kind.APPLICATION_ALLOWED, user, data)
    parts().relay.wake()
    values = [("code", code)] + ([] if asked.state is None else [("state", asked.state)])
    return redirect(address_back(asked.redirect_uri, parts().settings.web_url, values), 303)


async def _check(parameters: MultiDict[str, str]) -> Asked:
    """Raises OAuth2Error."""
    client_id = client_id_of(parameters)
    application: Application | None = None
    if client_id is not None:
        async with parts().pool.acquire() as connection:
            application = await applications.find_application(connection, client_id)
    return check_authorization(application, parameters)


async def _consent_page(user: User, asked: Asked, given: MultiDict[str, str]) -> Response:
    """`given`: the request's parameters, which its form says again."""
    async with parts().pool.acquire() as connection:
        streamer: Streamer | None = await find_by_owner(connection, user.id)
    words = scope_words(asked.scopes)
    _let_form_lead_away()
    html = await render_template(
        "pages/oauth_consent.html",
        user=user,
        streamer=streamer,
        application=asked.application,
        site=link_title(asked.application.site_url),
        back_to=place_of(asked.redirect_uri),
        reads=[one for one in words if not one.changes],
        changes=[one for one in words if one.changes],
        reads_originals=Scope.DONATIONS_ORIGINAL in asked.scopes,
        fields=[(name, value) for name in PASSED_ON for value in given.getlist(name)],
        refresh_days=grants.REFRESH_DAYS,
    )
    return Response(html, content_type="text/html; charset=utf-8")


def _let_form_lead_away() -> None:
    """The form answers with a redirect to the application, which may redirect on: browsers hold both against
    `form-action`. The page has one form, and every text in it is escaped."""
    policy = dict(CONTENT_SECURITY_POLICY)
    del policy["form-action"]
    g.csp = policy


async def _refused(error: OAuth2Error) -> Response:
    html = await render_template(
        "pages/oauth_refused.html",
        code=error.error,
        description=error.get_error_description(),
        back=error_back(error, parts().settings.web_url),
        back_to=place_of(error.redirect_uri or ""),
    )
    return Response(html, 400, content_type="text/html; charset=utf-8")


def host_of(address: str) -> str:
    return urlsplit(address).hostname or ""


def place_of(redirect_uri: str) -> str:
    """Where one goes back to, in words: a host, this machine (""), or a program of its own."""
    split = urlsplit(redirect_uri)
    if split.scheme == "http":
        return ""
    return split.hostname or split.scheme
