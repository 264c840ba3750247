"""The operator's legal pages, from Markdown files: `/legal/<name>`, and the links to them at the foot of every page."""

from dataclasses import dataclass

from markupsafe import Markup
from quart import Blueprint, render_template, url_for
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from web.context import parts
from web.i18n import current_locale
from web.legal_files import find_page, list_pages, render_page

blueprint = Blueprint("operator_legal", __name__)


@dataclass(frozen=True)
class PageLink:
    title: str
    address: str


def operator_pages() -> list[PageLink]:
    """For templates; none where the operator has written none."""
    pages = list_pages(parts().settings.legal_folder, current_locale())
    return [PageLink(page.title, url_for("operator_legal.show", name=page.name)) for page in pages]


@blueprint.get("/legal/<name>")
async def show(name: str) -> ResponseReturnValue:
    page = find_page(parts().settings.legal_folder, name, current_locale())
    html = None if page is None else render_page(page)
    if page is None or html is None:
        raise NotFound
    # Written by the operator, rendered with HTML switched off.
    return await render_template("pages/operator_legal.html", page=page, text=Markup(html))  # noqa: S704
