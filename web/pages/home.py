"""The first page: what this site is, and the way in."""

from quart import Blueprint, render_template

from web.sessions import current_user

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
async def show() -> str:
    return await render_template("pages/home.html", user=await current_user())
