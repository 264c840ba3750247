"""The sites whose accounts sign people in or are linked: Yandex ID, VK ID, Twitch, YouTube, at /identity/<name>/….

    GET  /identity/<name>/authorize     the page where one says who one is, and allows it or not
    POST /identity/<name>/authorize
    POST /identity/<name>/token         the code for a token: PKCE, the client and the address must be the same
    GET  /identity/<name>/person        who it is, in the words of that site (VK ID: POST, the token in a form)

Codes and tokens live as long as this process. Any client id is a known one, unless it begins with `unknown`.
"""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from quart import Blueprint, abort, current_app, jsonify, redirect, request
from quart.typing import ResponseReturnValue

from simulator.rendering import asked_language, render

blueprint = Blueprint("identity", __name__)

TITLES = {"yandex": "Яндекс ID", "vk": "VK ID", "twitch": "Twitch", "youtube": "YouTube"}
CODE_SECONDS = 600
ASKED = ("client_id", "redirect_uri", "state", "scope", "code_challenge", "code_challenge_method")


@dataclass(frozen=True)
class Grant:
    provider: str
    client_id: str
    redirect_uri: str
    challenge: str
    device_id: str
    person: dict[str, str]
    until: float


@dataclass
class Identities:
    codes: dict[str, Grant] = field(default_factory=dict)
    tokens: dict[str, Grant] = field(default_factory=dict)


def _kept() -> Identities:
    found = current_app.extensions.setdefault("identities", Identities())
    assert isinstance(found, Identities)
    return found


@blueprint.before_request
async def only_known_sites() -> None:
    if (request.view_args or {}).get("name") not in TITLES:
        abort(404)


@blueprint.get("/identity/<name>/authorize")
async def ask(name: str) -> ResponseReturnValue:
    asked = {key: request.args.get(key, "") for key in ASKED}
    if trouble := _trouble(asked):
        return trouble, 400
    return await render("simulator/identity.html", asked_language(), title=TITLES[name], asked=asked)


@blueprint.post("/identity/<name>/authorize")
async def allow(name: str) -> ResponseReturnValue:
    form = await request.form
    asked = {key: form.get(key, "") for key in ASKED}
    if trouble := _trouble(asked):
        return trouble, 400
    if "refuse" in form:
        return _back(asked, error="access_denied")
    code = secrets.token_urlsafe(24)
    device_id = secrets.token_urlsafe(12) if name == "vk" else ""
    person = {key: form.get(key, "").strip() for key in ("id", "login", "name", "email")}
    _kept().codes[code] = Grant(
        name, asked["client_id"], asked["redirect_uri"], asked["code_challenge"], device_id, person,
        time.time() + CODE_SECONDS,
    )  # fmt: skip
    return _back(asked, code=code, **({"device_id": device_id} if device_id else {}))


@blueprint.post("/identity/<name>/token")
async def give_token(name: str) -> ResponseReturnValue:
    form = await request.form
    grant = _kept().codes.pop(form.get("code", ""), None)
    is_right = (
        grant is not None
        and form.get("grant_type") == "authorization_code"
        and grant.provider == name
        and grant.until > time.time()
        and grant.client_id == form.get("client_id")
        and grant.redirect_uri == form.get("redirect_uri")
        and grant.device_id == form.get("device_id", "")
        and grant.challenge == create_s256_code_challenge(form.get("code_verifier", ""))
    )
    if not is_right or grant is None:
        return jsonify({"error": "invalid_grant", "error_description": "the code does not fit"}), 400
    token = secrets.token_urlsafe(24)
    _kept().tokens[token] = grant
    return jsonify({"access_token": token, "token_type": "bearer", "expires_in": 3600, "scope": ""})


@blueprint.route("/identity/<name>/person", methods=["GET", "POST"])
async def tell(name: str) -> ResponseReturnValue:
    if name == "vk":
        token = (await request.form).get("access_token", "") if request.method == "POST" else ""
    else:
        token = _header_token("OAuth" if name == "yandex" else "Bearer")
    grant = _kept().tokens.get(token)
    if grant is None or grant.provider != name:
        return jsonify({"error": "invalid_token"}), 401
    return jsonify(_person(name, grant.person))


def _person(name: str, person: dict[str, str]) -> dict[str, Any]:
    if name == "yandex":
        return {"id": person["id"], "login": person["login"], "default_email": person["email"], "psuid": "1.AA"}
    if name == "vk":
        first, _space, last = person["name"].partition(" ")
        user = {"user_id": person["id"], "first_name": first, "last_name": last, "email": person["email"]}
        return {"user": {key: value for key, value in user.items() if value}}
    if name == "twitch":
        return {"sub": person["id"], "preferred_username": person["login"], "iss": "simulator"}
    return {"sub": person["id"], "name": person["name"]}


def _header_token(scheme: str) -> str:
    given, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token if given == scheme else ""


def _trouble(asked: dict[str, str]) -> str:
    """What a site must say, or the browser would be sent nowhere."""
    if not asked["client_id"] or asked["client_id"].startswith("unknown"):
        return "unknown client_id"
    if urlsplit(asked["redirect_uri"]).scheme not in ("http", "https"):
        return "redirect_uri is no web address"
    if not asked["code_challenge"] or asked["code_challenge_method"] != "S256":
        return "PKCE with S256 is wanted"
    return ""


def _back(asked: dict[str, str], **answer: str) -> ResponseReturnValue:
    query = urlencode({**answer, "state": asked["state"]})
    separator = "&" if urlsplit(asked["redirect_uri"]).query else "?"
    return redirect(f"{asked['redirect_uri']}{separator}{query}", 303)
