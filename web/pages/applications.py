"""One's own applications, which ask streamers of this site for access. Their maker needs no page of their own.

GET  /dashboard/applications               the list, and the form for a new one
POST /dashboard/applications               register one
POST /dashboard/applications/new           its secret, for the copy button, while it is fresh
POST /dashboard/applications/<id>          its name, site and addresses
POST /dashboard/applications/<id>/secret   another secret, with the password
POST /dashboard/applications/<id>/delete   it is gone, and so is what it was allowed
"""

from dataclasses import dataclass, field

from quart import Blueprint, Response, jsonify, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import Gone, UnprocessableEntity

from domain import applications
from domain.applications import MAX_APPLICATIONS, REDIRECT_URI_MAX_LENGTH, Fields, OwnApplication
from domain.errors import InvalidInputError, NotAllowedError, NotFoundError
from domain.links import LINK_MAX_LENGTH
from domain.streamers import find_by_owner
from domain.text import NAME_MAX_LENGTH
from domain.users import has_password
from web import shown_once
from web.confirmation import not_confirmed
from web.context import parts
from web.field_words import too_long_words
from web.i18n import _, ngettext, when
from web.pages import desk
from web.pages.my_account import zone_of
from web.sessions import require_user

blueprint = Blueprint("applications", __name__)

COOKIE = "new-application"


@dataclass(frozen=True)
class Typed:
    """What stands in a form, and what is wrong with it. `of`: the application whose form it is; None: the new one's."""

    name: str = ""
    site_url: str = ""
    redirect_uris: str = ""
    kind: str = "confidential"
    of: int | None = None
    errors: dict[str, str] = field(default_factory=dict)


@blueprint.get("/dashboard/applications")
async def show() -> Response:
    return await _page()


@blueprint.post("/dashboard/applications")
async def create() -> ResponseReturnValue:
    user = await require_user()
    typed = await _read_form(None)
    if typed.kind not in ("confidential", "public"):
        raise UnprocessableEntity
    try:
        fields = _check(typed)
        async with parts().pool.acquire() as connection, connection.transaction():
            made = await applications.create_application(connection, user.id, fields, is_public=typed.kind == "public")
    except InvalidInputError as error:
        return await _page(_with_error(typed, error))
    except NotAllowedError:
        return await _page(Typed(**{**vars(typed), "errors": {"name": _too_many_words()}}))
    if made.secret is not None:
        shown_once.keep(COOKIE, made.id, made.secret)
    return desk.go_to("applications.show", said="application-made", _anchor=f"application-{made.id}")


@blueprint.post("/dashboard/applications/new")
async def give_secret() -> Response:
    """A POST, so that no link shows it; only to the browser that made it, and only while it is fresh."""
    user = await require_user()
    async with parts().pool.acquire() as connection:
        own = await applications.list_applications(connection, user.id)
    fresh = _fresh_secret(own)
    if fresh is None:
        raise Gone
    return jsonify({"address": fresh[1]})


@blueprint.post("/dashboard/applications/<int(max=2147483647):application_id>")
async def change(application_id: int) -> ResponseReturnValue:
    user = await require_user()
    typed = await _read_form(application_id)
    try:
        fields = _check(typed)
    except InvalidInputError as error:
        return await _page(_with_error(typed, error))
    async with parts().pool.acquire() as connection, connection.transaction():
        await applications.change_application(connection, user.id, application_id, fields)
    return desk.go_to("applications.show", said="application-saved", _anchor=f"application-{application_id}")


@blueprint.post("/dashboard/applications/<int(max=2147483647):application_id>/secret")
async def replace_secret(application_id: int) -> ResponseReturnValue:
    user = await require_user()
    name = f"password-{application_id}"
    errors = await not_confirmed(user, (await request.form).get("password", ""), name)
    if errors:
        return await _page(Typed(of=application_id, errors=errors))
    async with parts().pool.acquire() as connection, connection.transaction():
        secret = await applications.replace_secret(connection, user.id, application_id)
    shown_once.keep(COOKIE, application_id, secret)
    return desk.go_to("applications.show", said="application-secret", _anchor=f"application-{application_id}")


@blueprint.post("/dashboard/applications/<int(max=2147483647):application_id>/delete")
async def delete(application_id: int) -> ResponseReturnValue:
    user = await require_user()
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await applications.delete_application(connection, user.id, application_id)
    except NotFoundError:
        return desk.go_to("applications.show", said="nothing-to-do")
    return desk.go_to("applications.show", said="application-deleted")


async def _read_form(of: int | None) -> Typed:
    form = await request.form
    return Typed(
        form.get("name", ""), form.get("site_url", ""), form.get("redirect_uris", ""), form.get("kind", ""), of
    )


def _check(typed: Typed) -> Fields:
    """Raises InvalidInputError."""
    return applications.check_fields(typed.name, typed.site_url, typed.redirect_uris.split())


def _with_error(typed: Typed, error: InvalidInputError) -> Typed:
    return Typed(**{**vars(typed), "errors": {error.field: error_words(error)}})


def _fresh_secret(own: list[OwnApplication]) -> tuple[int, str] | None:
    found = shown_once.find(COOKIE)
    return found if found is not None and any(one.id == found[0] for one in own) else None


async def _page(typed: Typed | None = None) -> Response:
    user = await require_user()
    async with parts().pool.acquire() as connection:
        streamer = await find_by_owner(connection, user.id)
        own = await applications.list_applications(connection, user.id)
        asks_password = await has_password(connection, user.id)
    return await desk.render(
        "pages/applications.html",
        streamer,
        current="applications.show" if streamer is None else "keys.show",
        status=422 if typed is not None else 200,
        applications=own,
        fresh=_fresh_secret(own),
        typed=typed or Typed(),
        asks_password=asks_password,
        site=parts().settings.web_url,
        name_max_length=NAME_MAX_LENGTH,
        link_max_length=LINK_MAX_LENGTH,
        time_zone=zone_of(streamer),
        when=when,
    )


def error_words(error: InvalidInputError) -> str:
    match error.field, error.code:
        case "name", "too_long":
            return too_long_words(error.data["over"], error.data["limit"])
        case "name", _code:
            return _("Give it a name: people see it when it asks them for access.")
        case "site_url", "not_https":
            return _("The address must begin with https://.")
        case "site_url", _code:
            return _("This is not the address of a site: it looks like https://example.org.")
        case "redirect_uris", "required":
            return _("Where does the answer go? At least one address is needed.")
        case "redirect_uris", "too_many":
            return ngettext("At most %(num)s address.", "At most %(num)s addresses.", error.data["limit"])
        case "redirect_uris", "not_https":
            return _(
                "%(address)s: only https://, http://127.0.0.1 for a program on one's own computer, or a scheme of its "
                "own with a dot, such as org.example.app:/back.",
                address=error.data["uri"],
            )
        case "redirect_uris", "too_long":
            return _("One of the addresses is longer than %(limit)s characters.", limit=REDIRECT_URI_MAX_LENGTH)
    return _("%(address)s: this is not an address that answers can be sent to.", address=error.data.get("uri", ""))


def _too_many_words() -> str:
    return ngettext(
        "There may be at most %(num)s application. Delete one that is not needed.",
        "There may be at most %(num)s applications. Delete those that are not needed.",
        MAX_APPLICATIONS,
    )
