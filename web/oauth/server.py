"""What the protocol demands of a request, checked by Authlib (RFC 6749, 7636, 8414).

Its core knows no `await`. So what a request names is looked up before, the core checks and answers, and what it decided
is written after; the tokens themselves are made while writing.
"""

import re
from dataclasses import dataclass
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidClientError, InvalidRequestError, OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6749.requests import OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.util import extract_basic_authorization, list_to_scope, scope_to_list
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from werkzeug.datastructures import Headers, MultiDict

from domain.access_tokens import read_scopes
from domain.applications import Application
from domain.grants import ACCESS_SECONDS, Code, RefreshToken
from domain.scopes import Scope

AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]
SCOPES = [scope.value for scope in Scope]
STATE_MAX_LENGTH = 2_000

_CLIENT_ID = re.compile(r"app_[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class Answer:
    """As the core gives it; `body` is a dictionary for JSON, or an empty text."""

    status: int
    body: Any
    headers: list[tuple[str, str]]


@dataclass(frozen=True)
class Asked:
    """An authorization request in which all is as it should be."""

    application: Application
    scopes: tuple[Scope, ...]
    redirect_uri: str
    challenge: str
    state: str | None


class Request(OAuth2Request):  # type: ignore[misc]
    def __init__(self, method: str, parameters: MultiDict[str, str], headers: Headers) -> None:
        # TLS ends in front of this program, and on a developer's machine there is none: the scheme is not ours to see.
        super().__init__(method, "https://localhost/", headers=headers)
        self.payload = _Payload(parameters)
        self._parameters = parameters

    @property
    def args(self) -> MultiDict[str, str]:
        return self._parameters

    @property
    def form(self) -> MultiDict[str, str]:
        return self._parameters


class _Payload(OAuth2Payload):  # type: ignore[misc]
    def __init__(self, parameters: MultiDict[str, str]) -> None:
        self._parameters = parameters

    @property
    def data(self) -> MultiDict[str, str]:
        return self._parameters

    @property
    def datalist(self) -> dict[str, list[str]]:
        return dict(self._parameters.lists())


@dataclass(frozen=True)
class _Client:
    """An application as the core asks about it."""

    application: Application

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        return (method == "none") is self.application.is_public

    def check_client_secret(self, secret: str) -> bool:
        return self.application.has_secret(secret)

    def check_redirect_uri(self, uri: str) -> bool:
        return self.application.takes_answers_at(uri)

    def get_default_redirect_uri(self) -> None:
        """None: it must be in the request, so that nothing is left to guess."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """There is no default: who asks says for what."""
        return list_to_scope(scope_to_list(scope)) or None if scope else None

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token")


@dataclass(frozen=True)
class _StoredCode:
    code: Code
    code_challenge_method: str = "S256"

    @property
    def code_challenge(self) -> str:
        return self.code.challenge

    def get_redirect_uri(self) -> str:
        return self.code.redirect_uri

    def get_scope(self) -> Any:
        return list_to_scope(self.code.scopes)


@dataclass(frozen=True)
class _StoredRefreshToken:
    token: RefreshToken

    def check_client(self, client: _Client) -> bool:
        return self.token.application_id == client.application.id

    def get_scope(self) -> Any:
        return list_to_scope(self.token.scopes)


class _Challenge(CodeChallenge):  # type: ignore[misc]
    """Everybody's code is bound to its receiver, by S256 alone."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        super().validate_code_challenge(grant, redirect_uri)
        data = grant.request.payload.data
        if not data.get("code_challenge"):
            raise InvalidRequestError("Missing 'code_challenge': PKCE is required")
        if data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("'code_challenge_method' must be 'S256'")


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    @staticmethod
    def validate_authorization_redirect_uri(request: Request, client: _Client) -> str:
        """The library repeats the address in its words, which may hold characters that its errors refuse."""
        uri: str = request.payload.redirect_uri or ""
        if not client.check_redirect_uri(uri):
            raise InvalidRequestError("'redirect_uri' is not one of those registered")
        return uri

    def query_authorization_code(self, _code: str, client: _Client) -> _StoredCode | None:
        stored: Code | None = self.server.code
        if stored is None or stored.application_id != client.application.id:
            return None
        if stored.is_exchanged:
            self.server.replayed_grant_id = stored.grant_id
        return _StoredCode(stored) if stored.is_good else None

    def authenticate_user(self, authorization_code: _StoredCode) -> int:
        return authorization_code.code.user_id

    def delete_authorization_code(self, authorization_code: _StoredCode) -> None:
        """It is used up when the tokens are written."""


class _RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, _refresh_token: str) -> _StoredRefreshToken | None:
        stored: RefreshToken | None = self.server.refresh_token
        return _StoredRefreshToken(stored) if stored is not None and stored.is_good else None

    def authenticate_user(self, refresh_token: _StoredRefreshToken) -> int:
        return refresh_token.token.user_id

    def revoke_old_credential(self, refresh_token: _StoredRefreshToken) -> None:
        """It is used up when the next one is written."""


class Server(AuthorizationServer):  # type: ignore[misc]
    """For one request."""

    def __init__(
        self,
        application: Application | None,
        *,
        code: Code | None = None,
        refresh_token: RefreshToken | None = None,
    ) -> None:
        super().__init__(scopes_supported=SCOPES)
        self.application = application
        self.code = code
        self.refresh_token = refresh_token
        self.replayed_grant_id: int | None = None
        """Whose code was shown a second time, by the application it was given to."""
        self.register_grant(_CodeGrant, [_Challenge()])
        self.register_grant(_RefreshGrant)
        self.register_token_generator("default", _token_to_be)

    def query_client(self, client_id: str) -> _Client | None:
        if self.application is None or self.application.client_id != client_id:
            return None
        return _Client(self.application)

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def get_authorization_grant(self, request: Request) -> Any:
        """The library's words for another kind of answer say it twice, in characters that its errors may refuse."""
        if not _CodeGrant.check_authorization_endpoint(request):
            client = self.query_client(request.payload.client_id or "")
            uri = request.payload.redirect_uri or ""
            is_told = client is not None and client.check_redirect_uri(uri)
            raise OAuth2Error(
                "'response_type' must be 'code'",
                error="unsupported_response_type",
                redirect_uri=uri if is_told else None,
            )
        return super().get_authorization_grant(request)

    def save_token(self, token: Any, request: Request) -> None:
        """Written by who called, in its transaction."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        return Answer(status, dict(body) if body else "", list(headers))


def _token_to_be(*, scope: str, **_more: Any) -> dict[str, Any]:
    """All but the tokens."""
    return {"token_type": "Bearer", "expires_in": int(ACCESS_SECONDS), "scope": scope}


# What a request names.


def client_id_of(parameters: MultiDict[str, str], headers: Headers | None = None) -> str | None:
    """The client id that may be looked up; None: it is none of ours. Raises OAuth2Error."""
    try:
        named, _secret = extract_basic_authorization({} if headers is None else headers)
    except ValueError as error:
        raise InvalidClientError(status_code=401, description="Malformed 'Authorization'") from error
    if named is not None and parameters.get("client_secret") is not None:
        raise InvalidRequestError("More than one way to authenticate")
    if named is not None and parameters.get("client_id", named) != named:
        raise InvalidRequestError("Two different client ids")
    client_id = named or parameters.get("client_id", "")
    return client_id if _CLIENT_ID.fullmatch(client_id) else None


def refuse_repeats(parameters: MultiDict[str, str]) -> None:
    """Raises OAuth2Error: which of two values would count? (RFC 6749, 3.1 and 3.2)"""
    if any(len(values) > 1 for _name, values in parameters.lists()):
        raise InvalidRequestError("A parameter is given more than once")


# The two endpoints.


def check_authorization(application: Application | None, parameters: MultiDict[str, str]) -> Asked:
    """Raises OAuth2Error; with a `redirect_uri`, if the application may be told."""
    server = Server(application)
    request = Request("GET", parameters, Headers())
    grant = server.get_consent_grant(request)
    assert application is not None, "the core knows no client else"
    state = parameters.get("state")
    if state is not None and len(state) > STATE_MAX_LENGTH:
        raise InvalidRequestError("'state' is too long", redirect_uri=grant.redirect_uri)
    return Asked(
        application,
        read_scopes(scope_to_list(request.scope)),
        grant.redirect_uri,
        parameters["code_challenge"],
        state,
    )


def address_back(redirect_uri: str, issuer: str, values: list[tuple[str, str]]) -> str:
    """Where the browser takes the answer; it names its sender (RFC 9207)."""
    return str(add_params_to_uri(redirect_uri, [*values, ("iss", issuer)]))


def error_back(error: OAuth2Error, issuer: str) -> str | None:
    """The same for an error. None: nobody may be told."""
    if not error.redirect_uri:
        return None
    return address_back(error.redirect_uri, issuer, list(error.get_body()))


def answer_error(error: OAuth2Error) -> Answer:
    status, body, headers = error()
    return Answer(status, dict(body), list(headers))


def metadata(issuer: str) -> dict[str, Any]:
    """RFC 8414, for programs that find the rest by themselves."""
    return dict(
        AuthorizationServerMetadata(
            issuer=issuer,
            authorization_endpoint=f"{issuer}/oauth/authorize",
            token_endpoint=f"{issuer}/oauth/token",
            revocation_endpoint=f"{issuer}/oauth/revoke",
            scopes_supported=SCOPES,
            response_types_supported=["code"],
            response_modes_supported=["query"],
            grant_types_supported=["authorization_code", "refresh_token"],
            token_endpoint_auth_methods_supported=AUTH_METHODS,
            revocation_endpoint_auth_methods_supported=AUTH_METHODS,
            code_challenge_methods_supported=["S256"],
            authorization_response_iss_parameter_supported=True,
            ui_locales_supported=["ru", "en"],
            service_documentation=f"{issuer}/docs/api",
        )
    )
