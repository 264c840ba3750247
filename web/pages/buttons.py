"""Buttons with addresses, for Stream Deck, Streamer.bot and hotkeys: made, shown, changed and revoked here.

GET  /dashboard/buttons               the list, the form for a new one, recipes
POST /dashboard/buttons               make one
POST /dashboard/buttons/<id>          its name and whether GET presses it
POST /dashboard/buttons/<id>/reveal   show its address for a while
POST /dashboard/buttons/<id>/address  the address, for the copy button
POST /dashboard/buttons/<id>/renew    another address
POST /dashboard/buttons/<id>/revoke   no address any more

Pressing them is in `button_press.py`.
"""

from typing import Any

from quart import Blueprint, Response, jsonify, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import buttons
from domain.buttons import MAX_BUTTONS, Control, NewButton
from domain.errors import InvalidInputError, NotAllowedError
from domain.streamers import Streamer
from domain.text import NAME_MAX_LENGTH
from web import reveals
from web.context import parts
from web.control_words import control_title
from web.field_words import given_name_words
from web.i18n import LANGUAGES, current_locale, ngettext, when
from web.pages.desk import go_to, render
from web.sessions import require_streamer

blueprint = Blueprint("buttons", __name__)


@blueprint.get("/dashboard/buttons")
async def show() -> ResponseReturnValue:
    return await _page(await require_streamer())


@blueprint.post("/dashboard/buttons")
async def create() -> ResponseReturnValue:
    streamer = await require_streamer()
    form = await request.form
    try:
        chosen = Control(form.get("control", ""))
    except ValueError:
        raise UnprocessableEntity from None
    locale = form.get("locale", current_locale())
    if locale not in LANGUAGES:
        raise UnprocessableEntity
    # A button without a name of its own is called by what it does.
    name = form.get("name", "").strip() or control_title(chosen)
    new = NewButton(name, chosen, allows_get=form.get("allows_get") == "yes", locale=locale)
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            button_id = await buttons.create_button(connection, parts().box, streamer.id, new)
    except InvalidInputError as error:
        return await _page(streamer, status=422, new=new, name_error=given_name_words(error))
    except NotAllowedError:
        return await _page(streamer, status=422, new=new, name_error=_too_many_words())
    return go_to("buttons.show", said="button-made", _anchor=f"button-{button_id}")


@blueprint.post("/dashboard/buttons/<int(max=2147483647):button_id>")
async def change(button_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    form = await request.form
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await buttons.change_button(
                connection,
                streamer.id,
                button_id,
                name=form.get("name", ""),
                allows_get=form.get("allows_get") == "yes",
            )
    except InvalidInputError as error:
        return await _page(streamer, status=422, changed_id=button_id, name_error=given_name_words(error))
    return go_to("buttons.show", said="button-saved", _anchor=f"button-{button_id}")


@blueprint.post("/dashboard/buttons/<int(max=2147483647):button_id>/reveal")
async def reveal(button_id: int) -> ResponseReturnValue:
    """A POST, so that no link shows it while she shares her screen."""
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        await _read_address(connection, streamer, button_id)
    given = reveals.give_pass(parts().box, streamer.id)
    return go_to("buttons.show", reveal=given, button=button_id, _anchor=f"button-{button_id}")


@blueprint.post("/dashboard/buttons/<int(max=2147483647):button_id>/address")
async def give_address(button_id: int) -> Response:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection:
        found = await _read_address(connection, streamer, button_id)
    return jsonify({"address": found})


@blueprint.post("/dashboard/buttons/<int(max=2147483647):button_id>/renew")
async def renew(button_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        await buttons.renew_address(connection, parts().box, streamer.id, button_id)
    return go_to("buttons.show", said="button-renewed", _anchor=f"button-{button_id}")


@blueprint.post("/dashboard/buttons/<int(max=2147483647):button_id>/revoke")
async def revoke(button_id: int) -> ResponseReturnValue:
    streamer = await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        await buttons.revoke_button(connection, streamer.id, button_id)
    return go_to("buttons.show", said="button-revoked")


async def _page(
    streamer: Streamer,
    *,
    status: int = 200,
    new: NewButton | None = None,
    changed_id: int | None = None,
    name_error: str = "",
) -> Response:
    """`new` is what was typed into the form for a new one; `changed_id` the button whose own form had the error."""
    shown_id = request.args.get("button", type=int)
    is_revealed = reveals.is_good(parts().box, request.args.get("reveal", ""), streamer.id)
    async with parts().pool.acquire() as connection:
        found = await buttons.list_buttons(connection, streamer.id)
        is_ours = any(button.id == shown_id for button in found)
        revealed = None
        if is_revealed and is_ours and shown_id is not None:
            revealed = await _read_address(connection, streamer, shown_id)
    return await render(
        "pages/buttons.html",
        streamer,
        current="buttons.show",
        status=status,
        buttons=found,
        shown_id=shown_id if revealed else None,
        revealed=revealed,
        base=f"{parts().settings.web_url}/button/",
        controls=[(choice.value, control_title(choice)) for choice in Control],
        control_title=control_title,
        languages=list(LANGUAGES.items()),
        new=new or NewButton("", Control.SKIP, allows_get=False, locale=current_locale()),
        changed_id=changed_id,
        name_error=name_error,
        name_max_length=NAME_MAX_LENGTH,
        when=when,
    )


async def _read_address(connection: Any, streamer: Streamer, button_id: int) -> str:
    """Raises NotFoundError("button")."""
    token = await buttons.reveal_token(connection, parts().box, streamer.id, button_id)
    return f"{parts().settings.web_url}/button/{token}"


def _too_many_words() -> str:
    return ngettext(
        "There may be at most %(num)s button. Revoke one that is not needed.",
        "There may be at most %(num)s buttons. Revoke those that are not needed.",
        MAX_BUTTONS,
    )
