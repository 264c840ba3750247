"""What applications ask without a person: tokens for a code, the next ones, their end, and where all this is.

POST /oauth/token
POST /oauth/revoke
GET  /.well-known/oauth-authorization-server

No cookie is read here: a secret, or a code with its verifier, is all the authority there is. Answers are JSON as RFC
6749 and 7009 have them; pages of other sites may ask if the operator named them (`CORS_ORIGINS`).
"""

from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, OAuth2Error
from quart import Blueprint, Response, jsonify, request
from werkzeug.datastructures import MultiDict

from domain import applications, grants
from domain.access_tokens import read_scopes
from domain.grants import Tokens
from infra.addresses import address_key
from web.context import parts
from web.limits import Limit
from web.oauth.server import (
    AUTH_METHODS,
    Answer,
    Request,
    Server,
    answer_error,
    client_id_of,
    metadata,
    refuse_repeats,
)
from web.security import client_address

blueprint = Blueprint("oauth_tokens", __name__)

# An application on a server asks for all its users from one address, each once an hour.
REQUESTS = Limit("oauth-tokens", 600, 60)
TOKEN_MAX_LENGTH = 1_000


@blueprint.post("/oauth/token")
async def give_tokens() -> Response:
    form = await _read_form()
    try:
        refuse_repeats(form)
        async with parts().pool.acquire() as connection, connection.transaction():
            return _respond(await _exchange(connection, form))
    except OAuth2Error as error:
        return _respond(answer_error(error))


async def _exchange(connection: Any, form: MultiDict[str, str]) -> Answer:
    """Look up, let the core check, write. An error is an answer, not an exception: what it revoked is to stay so."""
    server = Server(
        await _find_application(connection, form),
        code=await grants.find_code(connection, _short(form, "code")),
        refresh_token=await grants.find_refresh_token(connection, _short(form, "refresh_token")),
    )
    answer: Answer = server.create_token_response(Request("POST", form, request.headers))
    if server.replayed_grant_id is not None:
        await grants.revoke(connection, server.replayed_grant_id)
    if answer.status != 200:
        return answer
    tokens: Tokens | None
    if form["grant_type"] == "authorization_code":
        assert server.code is not None, "the core found it good"
        tokens = await grants.exchange(connection, server.code)
    else:
        assert server.refresh_token is not None, "the core found it good"
        scopes = read_scopes(answer.body["scope"].split())
        tokens = await grants.refresh(connection, parts().box, server.refresh_token, form["refresh_token"], scopes)
    if tokens is None:
        return answer_error(InvalidGrantError("It was used before"))
    return Answer(200, {**answer.body, "access_token": tokens.access, "refresh_token": tokens.refresh}, answer.headers)


@blueprint.post("/oauth/revoke")
async def revoke() -> Response:
    form = await _read_form()
    try:
        refuse_repeats(form)
        async with parts().pool.acquire() as connection, connection.transaction():
            application = await _find_application(connection, form)
            client = Server(application).authenticate_client(
                Request("POST", form, request.headers), AUTH_METHODS, "revocation"
            )
            token = _short(form, "token")
            if not token:
                raise InvalidRequestError("Missing 'token'")
            await grants.revoke_token(connection, client.application.id, token)
    except OAuth2Error as error:
        return _respond(answer_error(error))
    # The same for a token that never was one: who guesses learns nothing.
    return _respond(Answer(200, {}, []))


@blueprint.get("/.well-known/oauth-authorization-server")
async def describe() -> Response:
    response = jsonify(metadata(parts().settings.web_url))
    # Nothing secret, and a program in a browser cannot begin without it.
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


async def _read_form() -> MultiDict[str, str]:
    await parts().limiter.take(REQUESTS, address_key(client_address()))
    return await request.form


async def _find_application(connection: Any, form: MultiDict[str, str]) -> applications.Application | None:
    client_id = client_id_of(form, request.headers)
    return None if client_id is None else await applications.find_application(connection, client_id)


def _short(form: MultiDict[str, str], name: str) -> str:
    """What is much longer than any of ours is none of them."""
    return form.get(name, "")[:TOKEN_MAX_LENGTH]


def _respond(answer: Answer) -> Response:
    response = jsonify(answer.body or {})
    response.status_code = answer.status
    for name, value in answer.headers:
        response.headers[name] = value
    return response
