"""Accounts at other sites, linked to one's own and unlinked from it (docs/decisions/0032, 0035).

POST /account/identities/link     with the password: a page that leads away to the other site
POST /account/identities/unlink
"""

from quart import Blueprint, render_template, request
from quart.typing import ResponseReturnValue

from domain import identities
from domain.identities import Unlinked
from domain.users import has_password
from web import sessions
from web.confirmation import wrong_password
from web.context import parts
from web.identity.providers import configured
from web.pages.desk import go_to
from web.pages.identities import provider_or_404, set_out
from web.pages.my_account import account_page

blueprint = Blueprint("my_account_sites", __name__)


@blueprint.post("/account/identities/link")
async def link() -> ResponseReturnValue:
    """What is linked signs in for good, so a minute at an open browser must not be enough."""
    user = await sessions.require_user()
    fields = await request.form
    provider = provider_or_404(fields.get("provider", ""))
    async with parts().pool.acquire() as connection:
        knows_password = await has_password(connection, user.id)
    if knows_password:
        field = f"{provider.name}_password"
        errors = await wrong_password(user, fields.get(field, ""), field)
        if errors:
            return await account_page(user, errors=errors)
    else:
        session = await sessions.current_session()
        assert session is not None, "the user has one"
        if session.age_seconds > sessions.FRESH_SECONDS:
            return go_to("my_account.show", said="identity-sign-in-anew")
    # A page, not a redirect: a form of ours may lead to no other site (form-action), nor may what that redirects to.
    url = await set_out(provider, "", user)
    return await render_template("pages/identity_leave.html", title=provider.title, url=url)


@blueprint.post("/account/identities/unlink")
async def unlink() -> ResponseReturnValue:
    user = await sessions.require_user()
    name = (await request.form).get("provider", "")
    signing_in = {one.name for one in configured(parts().settings).values() if one.signs_in}
    async with parts().pool.acquire() as connection, connection.transaction():
        unlinked = await identities.unlink(
            connection,
            user.id,
            name,
            has_password=await has_password(connection, user.id),
            signing_in=signing_in,
        )
    said = {
        Unlinked.DONE: "identity-unlinked",
        Unlinked.NOTHING: "too-late",
        Unlinked.ONLY_WAY_IN: "identity-only-way-in",
    }[unlinked]
    return go_to("my_account.show", said=said)
