"""`/admin/users`: the operator's list of accounts, and what superusers may do to one, with their own password.

GET  /admin/users              the list; ?q= searches, ?before= goes on
POST /admin/users/<id>/<act>   promote, demote, block, unblock
"""

from collections.abc import Awaitable, Callable
from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from domain import operators
from domain.errors import NotAllowedError, NotFoundError
from domain.streamers import find_by_owner
from domain.users import User, get_user, verify_password
from web.account_limits import take_password
from web.context import parts
from web.i18n import _
from web.pages import desk
from web.sessions import require_superuser

blueprint = Blueprint("admin_users", __name__)

ROWS = 50
LOG_ROWS = 20
TIME_ZONE = "Europe/Moscow"

ACTS: dict[str, Callable[[Any, int, int], Awaitable[bool]]] = {
    "promote": operators.promote,
    "demote": operators.demote,
    "block": operators.block,
    "unblock": operators.unblock,
}


@blueprint.get("/admin/users")
async def show() -> ResponseReturnValue:
    return await _page(await require_superuser())


@blueprint.post("/admin/users/<int:user_id>/<act>")
async def do_act(user_id: int, act: str) -> ResponseReturnValue:
    superuser = await require_superuser()
    if act not in ACTS:
        raise NotFound
    if user_id >= 2**31:
        raise NotFoundError("user")
    await take_password(superuser.id)
    async with parts().pool.acquire() as connection:
        target = await get_user(connection, user_id)
        if target is None:
            raise NotFoundError("user")
        password = (await request.form).get("password", "")
        confirmed = await verify_password(connection, superuser.email, password)
    if confirmed is None or confirmed.id != superuser.id:
        return await _page(superuser, error=_("This is not your password: nothing was changed."), status=422)
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            done = await ACTS[act](connection, user_id, superuser.id)
    except NotAllowedError:
        words = _("This is the only superuser: make somebody else one first.")
        return await _page(superuser, error=words, status=409)
    return desk.go_to("admin_users.show", said=f"user-{act}" if done else "nothing-to-do")


async def _page(superuser: User, *, error: str = "", status: int = 200) -> Response:
    text = request.args.get("q", "").strip()[:100]
    before_id = max(0, min(request.args.get("before", 0, type=int), 2**31 - 1))
    async with parts().pool.acquire() as connection:
        found = await operators.list_accounts(connection, text, before_id=before_id, limit=ROWS + 1)
        log = await operators.list_log(connection, limit=LOG_ROWS)
        streamer = await find_by_owner(connection, superuser.id)
        is_last = await operators.is_last_superuser(connection, superuser.id)
    return await desk.render(
        "pages/admin_users.html",
        streamer,
        current="admin_users.show",
        status=status,
        text=text,
        accounts=found[:ROWS],
        older_than=found[ROWS - 1].id if len(found) > ROWS else 0,
        is_first_page=before_id == 0,
        log=[(line, log_words(line.action)) for line in log],
        error=error,
        me=superuser,
        kept_id=superuser.id if is_last else 0,
        time_zone=TIME_ZONE,
    )


def log_words(action: str) -> str:
    return {
        "account_made": _("made by an operator"),
        "email_changed": _("got another e-mail"),
        "superuser_made": _("made a superuser"),
        "superuser_unmade": _("no longer a superuser"),
        "blocked": _("blocked"),
        "unblocked": _("unblocked"),
        "deletion_wished": _("wants to be deleted"),
        "deletion_withdrawn": _("stays after all"),
        "deletion_refused": _("stays: the only superuser"),
        "erased": _("deleted"),
        "key_made": _("made a key of the API"),
        "key_revoked": _("a key of the API was revoked"),
        "keys_revoked": _("all keys of the API were revoked"),
        "application_allowed": _("allowed an application"),
        "application_revoked": _("an application may act for them no more"),
        "applications_revoked": _("no application may act for them any more"),
        "application_made": _("registered an application"),
        "application_secret": _("their application has another secret"),
        "application_deleted": _("deleted their application"),
        "application_off": _("their application was switched off"),
        "application_on": _("their application was switched on"),
    }.get(action, action)
