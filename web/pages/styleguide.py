"""What the pages are made of, on one page, in development: /styleguide shows every component of `templates/ui.html`."""

from quart import Blueprint, render_template

blueprint = Blueprint("styleguide", __name__)


@blueprint.get("/styleguide")
async def show() -> str:
    return await render_template("pages/styleguide.html")
