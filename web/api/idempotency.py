"""Writes that may be sent twice: `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).

The same caller's same request with the same key gets the answer it got, for a day, and nothing is done again. A view
that writes does so in `writing()`: what it does and that it is done are one transaction, so this holds even if we die
in between. A caller who hangs up ends nothing: what was begun goes on, and its answer is there for the repeat.

A request may hold a password and an answer what we keep encrypted. So of the one there is a keyed hash, which nobody
without SECRET_KEYS can try passwords on, and the other is encrypted.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, TypeVar
from uuid import UUID

from quart import Quart, Response, current_app, g, request
from werkzeug.exceptions import TooManyRequests

from domain import idempotency
from domain.idempotency import ANSWER_MAX_BYTES, KEY_MAX_LENGTH, NAMES_A_DAY, Answer, Name, Turn
from infra.database import DATABASE_AWAY
from web.api.access import access_of, caller
from web.api.blueprints import is_api
from web.api.problems import problem
from web.context import parts
from web.limits import Limit, retry_after
from web.security import SAFE_METHODS

log = logging.getLogger(__name__)

View = TypeVar("View", bound=Callable[..., Any])

_UNNAMED = "_streamcash_unnamed"
HEADER = "Idempotency-Key"
NAMES = Limit("api-names", NAMES_A_DAY, 24 * 3600)
KEPT_HEADERS = ("Content-Type", "Link", "Location")


@dataclass(frozen=True)
class _Mine:
    name: Name
    attempt: UUID


def unnamed(view: View) -> View:
    """An operation that takes no name, though its method is one that changes things: it changes nothing, or the same
    again is the same."""
    setattr(view, _UNNAMED, True)
    return view


def takes_name(view: Any) -> bool:
    """Whether a request for this operation, which is no GET, may name itself. Answers to everybody may hold what signs
    a person in: nothing of that is kept."""
    return not access_of(view).is_public and not getattr(view, _UNNAMED, False)


def setup_idempotency(app: Quart) -> None:
    """After all views of the API and the access: whose name it is must be known."""
    writes = {rule.endpoint for rule in app.url_map.iter_rules() if (rule.methods or set()) - SAFE_METHODS}
    for endpoint, view in app.view_functions.items():
        if is_api(endpoint) and endpoint in writes and takes_name(view):
            app.view_functions[endpoint] = _once(view)


@asynccontextmanager
async def writing() -> AsyncIterator[Any]:
    """A connection in a transaction, for all that a request writes; it is committed when this ends well."""
    async with parts().pool.acquire() as connection, connection.transaction():
        yield connection
        mine: _Mine | None = g.get("api_attempt")
        if mine is not None and not await idempotency.mark_acted(connection, mine.name, mine.attempt):
            raise problem("idempotency-in-progress", headers={"Retry-After": "1"})


def _once(view: View) -> View:
    @wraps(view)
    async def asked(**arguments: Any) -> Any:
        name = _name()
        if name is None:
            return await view(**arguments)
        act = partial(_act_once, partial(view, **arguments), name, await _fingerprints())
        # Who hangs up has not taken back what was asked for: it is done and its answer kept, for the repeat.
        task = asyncio.create_task(_answer_of(act))
        current_app.background_tasks.add(task)
        task.add_done_callback(current_app.background_tasks.discard)
        return await asyncio.shield(task)

    return asked  # type: ignore[return-value]


async def _answer_of(act: Callable[[], Awaitable[Any]]) -> Response:
    """Also when it is an error."""
    try:
        result = await act()
    except Exception as error:
        result = await current_app.handle_user_exception(error)
    response = await current_app.make_response(result)
    assert isinstance(response, Response)
    return response


async def _act_once(act: Callable[[], Awaitable[Any]], name: Name, fingerprints: tuple[bytes, ...]) -> Response:
    """The answer, new or again. Raises Refused."""
    async with parts().pool.acquire() as connection, connection.transaction():
        begun = await idempotency.begin(connection, name, fingerprints)
    match begun.turn:
        case Turn.ANSWERED:
            assert begun.answer is not None
            return _again(begun.answer)
        case Turn.BUSY:
            raise problem("idempotency-in-progress", headers={"Retry-After": str(begun.wait_seconds)})
        case Turn.LOST:
            raise problem("idempotency-answer-lost")
        case Turn.ANOTHER:
            raise problem("idempotency-key-reused", field=HEADER, where="header")
    assert begun.attempt is not None
    g.api_attempt = mine = _Mine(name, begun.attempt)
    response = await _answer_of(partial(_act_within, act, name))
    await _keep(mine, response)
    return response


async def _act_within(act: Callable[[], Awaitable[Any]], name: Name) -> Any:
    """Raises Refused(429) beyond the names of a day; a repeat takes none."""
    try:
        await parts().limiter.take(NAMES, str(name.user_id))
    except TooManyRequests as refused:
        raise problem("too-many-names", headers=retry_after(refused)) from None
    return await act()


def _again(answer: Answer) -> Response:
    body = parts().box.try_decrypt(answer.body.decode("ascii", "replace"))
    if body is None:
        # It was too long to be kept, or its key is gone.
        raise problem("idempotency-answer-lost")
    response = Response(body.encode("latin-1"), answer.status, headers=answer.headers)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _name() -> Name | None:
    """None: the request does not name itself, or needs no name."""
    key = request.headers.get(HEADER)
    if key is None or request.method in SAFE_METHODS:
        return None
    if not 1 <= len(key) <= KEY_MAX_LENGTH or not key.isascii() or not key.isprintable():
        raise problem("idempotency-key", field=HEADER, where="header")
    who = caller()
    return Name(who.user.id, who.program_id or 0, key)


async def _fingerprints() -> tuple[bytes, ...]:
    asked = f"{request.method} {request.full_path}\n".encode()
    body = await request.get_data(as_text=False)
    assert isinstance(body, bytes)
    return parts().box.digests(hashlib.sha256(asked + body).hexdigest(), "request of the API")


async def _keep(mine: _Mine, response: Response) -> None:
    # A refusal did nothing: it may be asked for again with the same key, and so may what went wrong on our side.
    is_kept = response.status_code < 400
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            if is_kept:
                body = await response.get_data(as_text=False)
                headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
                # Any bytes are text in this encoding.
                is_short = len(body) <= ANSWER_MAX_BYTES
                encrypted = parts().box.encrypt(body.decode("latin-1")).encode() if is_short else b""
                answer = Answer(response.status_code, headers, encrypted)
                await idempotency.keep_answer(connection, mine.name, mine.attempt, answer)
            else:
                await idempotency.forget(connection, mine.name, mine.attempt)
    except DATABASE_AWAY as error:
        # What was done is committed and says so; a repeat finds that its answer is lost.
        log.warning("An answer could not be kept for a repeat: %s", type(error).__name__)
