"""Errors as people and programs see them: a page, a notice for HTMX, or JSON for `/api/`."""

import contextlib
import logging

import asyncpg
from quart import Quart, Response, has_websocket_context, render_template, request
from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
    RequestTimeout,
    ServiceUnavailable,
    TooManyRequests,
    UnprocessableEntity,
)

from domain.errors import DomainError, InvalidInputError, NotAllowedError, NotFoundError
from infra.database import DATABASE_AWAY
from infra.logs import without_secrets
from web.api import errors as api_errors
from web.api.blueprints import in_api
from web.i18n import _, asked_locale, use_locale
from web.limits import wait_words
from web.security import SAFE_METHODS, CrossSiteError

log = logging.getLogger(__name__)

RETRY_SECONDS = 5
"""When a browser or the bank may ask again while the database is away."""

KEPT_HEADERS = ("Allow", "Retry-After")

# What says beyond doubt that PostgreSQL is away. Anything else in DATABASE_AWAY may be our own bug, so its
# traceback is logged.
_CERTAINLY_AWAY = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)


def setup_errors(app: Quart) -> None:
    app.register_error_handler(HTTPException, _answer_http_exception)
    app.register_error_handler(api_errors.Refused, _answer_refused)
    app.register_error_handler(NotFoundError, _answer_not_found)
    app.register_error_handler(NotAllowedError, _answer_not_allowed)
    app.register_error_handler(InvalidInputError, _answer_invalid_input)
    app.register_error_handler(asyncpg.CharacterNotInRepertoireError, _answer_nul_character)
    for away in DATABASE_AWAY:
        assert issubclass(away, Exception)
        app.register_error_handler(away, _answer_database_away)
    app.register_error_handler(Exception, _answer_bug)


async def _answer_http_exception(error: HTTPException) -> Response:
    headers = {name: value for name, value in error.get_headers() if name in KEPT_HEADERS}
    status = error.code or 500
    if status < 400:
        # A redirect, or a page of its own, that somebody raised.
        assert isinstance(error.response, Response)
        return error.response
    if in_api() and (told := api_errors.answer_http_exception(error)) is not None:
        return told
    return await _answer(status, headers, error)


async def _answer_refused(error: api_errors.Refused) -> Response:
    return api_errors.answer_refused(error)


async def _answer_not_found(error: NotFoundError) -> Response:
    return await _answer_domain_error(error, 404, NotFound())


async def _answer_not_allowed(error: NotAllowedError) -> Response:
    return await _answer_domain_error(error, 403, Forbidden())


async def _answer_invalid_input(error: InvalidInputError) -> Response:
    return await _answer_domain_error(error, 422, UnprocessableEntity())


async def _answer_domain_error(error: DomainError, status: int, like: HTTPException) -> Response:
    return api_errors.answer_domain_error(error) if in_api() else await _answer(status, {}, like)


async def _answer_nul_character(_error: Exception) -> Response:
    """Somebody sent a NUL, which no text in PostgreSQL may hold and no person types."""
    return await _answer(422, {}, UnprocessableEntity())


async def _answer_database_away(error: Exception) -> Response:
    if isinstance(error, ValueError):
        # asyncpg counts a value of ours that does not fit its column among the errors of its interface.
        return await _answer_bug(error)
    log.warning(
        "The database is away: %s: %s",
        type(error).__name__,
        error,
        exc_info=None if isinstance(error, _CERTAINLY_AWAY) else error,
    )
    return await _answer(503, {"Retry-After": str(RETRY_SECONDS)}, ServiceUnavailable())


async def _answer_bug(error: Exception) -> Response:
    # A button's address is its key, and so is a one-time link's.
    log.error("%s %s failed", request.method, without_secrets(request.path), exc_info=error)
    return await _answer(500, {}, error)


async def _answer(status: int, headers: dict[str, str], error: Exception) -> Response:
    if has_websocket_context():
        # Nobody opens one here: it is closed without a word.
        return Response("", status)
    # What else the API says is English.
    with use_locale(asked_locale() or "en") if in_api() else contextlib.nullcontext():
        title, text = _words(status, headers, error)
    if in_api():
        response = api_errors.answer(status, text)
    elif request.path.startswith("/button/"):
        response = Response(f"{title}. {text}\n", content_type="text/plain; charset=utf-8")
    elif request.headers.get("HX-Request") == "true":
        response = Response(await render_template("partials/notice.html", title=title, text=text))
        # Beside what was asked for, not instead of it: a form keeps what was typed.
        response.headers["HX-Retarget"] = "#notice"
        response.headers["HX-Reswap"] = "innerHTML"
    else:
        response = Response(await render_template("pages/error.html", status=status, title=title, text=text))
    response.status_code = status
    response.headers.update(headers)
    return response


def _words(status: int, headers: dict[str, str], error: Exception) -> tuple[str, str]:
    if isinstance(error, CrossSiteError):
        return _("This came from another site"), _("Open the page anew and try again.")
    match status:
        case BadRequest.code:
            return _("The request could not be understood"), _("Go back, reload the page and try again.")
        case Forbidden.code:
            return _("This is not allowed"), _("Perhaps things changed meanwhile. Reload the page.")
        case NotFound.code if request.method not in SAFE_METHODS and not in_api():
            # A form of ours spoke of it a moment ago.
            return _("This is not here any more"), _("Perhaps it was deleted in another tab. Open the page anew.")
        case NotFound.code:
            return _("There is no such page"), _("Check the address: perhaps a letter is missing.")
        case MethodNotAllowed.code if in_api():
            return _("This page cannot be used that way"), _(
                "Not with this method: the Allow header names those that work."
            )
        case MethodNotAllowed.code:
            return _("This page cannot be used that way"), _("Go back, reload the page and try again.")
        case RequestTimeout.code:
            return _("The request took too long"), _("Check the connection and try again.")
        case RequestEntityTooLarge.code:
            return _("Too much data"), _("What was sent is larger than we accept.")
        case UnprocessableEntity.code:
            return _("Some field is not right"), _("Go back, correct it and try again.")
        case TooManyRequests.code:
            return _("Too many attempts"), wait_words(headers)
        case ServiceUnavailable.code:
            return (
                _("We will be back in a moment"),
                _("Nothing is lost. Reload the page in a few seconds."),
            )
    if status < 500:
        return _("The request could not be understood"), _("Go back, reload the page and try again.")
    return _("Something broke on our side"), _("We have written it down. Try again in a minute.")
