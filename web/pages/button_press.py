"""A button's address: `POST /button/<token>` presses its control and answers one line of plain text.

Made for Stream Deck, Streamer.bot and hotkeys: the token is the authority, no cookie is read or set, and pages of any
origin may ask, for what they could do with the address they could do without a browser too. GET presses nothing unless
that was switched on for the button, HEAD and a browser's looking ahead never do.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from quart import Blueprint, Response, request

from domain import buttons, control
from domain.buttons import Button, Control
from domain.control import Pressed
from domain.events import WAKE_CHANNEL, Topic, Wake
from domain.missed import Answer
from domain.pressers import Presser, PresserKind
from infra.addresses import address_key
from infra.redis import publish
from web.context import parts
from web.control_words import example_words, line
from web.i18n import _, use_locale
from web.limits import Limit
from web.pages.dashboard import TEST_AMOUNTS_MINOR
from web.security import client_address

blueprint = Blueprint("button_press", __name__)

PRESSES = Limit("button", 60, 60)
"""Of one button. A held key that repeats is cut off; a person is not."""
GUESSES = Limit("button-guess", 60, 60)
"""Of one address, with tokens that are none."""

Press = Callable[[Any, Button, Presser], Awaitable[Pressed]]


@blueprint.route("/button/<token>", methods=["GET", "HEAD", "POST", "OPTIONS"], provide_automatic_options=False)
async def press(token: str) -> Response:
    if request.method == "OPTIONS":
        # The same for every address: a browser asks before it sends a header that we do not need.
        return _answer(204, "")
    async with parts().pool.acquire() as connection:
        button = await buttons.find_button(connection, token)
    if button is None:
        await parts().limiter.take(GUESSES, address_key(client_address()))
        return _answer(404, _("There is no such button"))
    with use_locale(button.locale):
        if request.method == "HEAD" or (request.method == "GET" and not (button.allows_get and _is_meant())):
            return _answer(405, _("This button is pressed with POST"), allow="POST")
        await parts().limiter.take(PRESSES, str(button.id))
        async with parts().pool.acquire() as connection, connection.transaction():
            if not await buttons.count_use(connection, button, token):
                return _answer(404, _("There is no such button"))
            pressed = await _PRESS[button.control](
                connection, button, Presser(PresserKind.BUTTON, button.id, button.name)
            )
        wake = Wake(button.streamer_id, frozenset({Topic.CONTROLS, Topic.ALERTS}))
        await publish(parts().redis, WAKE_CHANNEL, [wake.encode()])
        return _answer(200, line(pressed))


def _is_meant() -> bool:
    """Whether somebody opened the address, rather than a browser that looked ahead."""
    purposes = [request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")]
    return not any("prefetch" in purpose or "preview" in purpose for purpose in purposes)


def _answer(status: int, text: str, *, allow: str = "") -> Response:
    answer = Response(text + "\n" if text else "", status, content_type="text/plain; charset=utf-8")
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Access-Control-Allow-Methods"] = "GET, POST"
    answer.headers["Access-Control-Allow-Headers"] = "*"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if allow:
        answer.headers["Allow"] = allow
    return answer


# What each control does.


async def _skip(connection: Any, button: Button, by: Presser) -> Pressed:
    return await control.skip_playing(connection, button.streamer_id, by)


async def _replay(connection: Any, button: Button, by: Presser) -> Pressed:
    return await control.replay_last(connection, button.streamer_id, by)


async def _clear(connection: Any, button: Button, by: Presser) -> Pressed:
    return await control.clear_queue(connection, button.streamer_id, by)


async def _test(connection: Any, button: Button, by: Presser) -> Pressed:
    return await control.test(
        connection,
        button.streamer_id,
        by,
        amount_minor=TEST_AMOUNTS_MINOR[1],
        **example_words(),
    )


def _pause(wanted: bool | None) -> Press:
    async def press_pause(connection: Any, button: Button, by: Presser) -> Pressed:
        return await control.pause(connection, button.streamer_id, by, wanted)

    return press_pause


def _mute(wanted: bool | None) -> Press:
    async def press_mute(connection: Any, button: Button, by: Presser) -> Pressed:
        return await control.mute(connection, button.streamer_id, by, wanted)

    return press_mute


def _missed(answer: Answer) -> Press:
    async def press_missed(connection: Any, button: Button, by: Presser) -> Pressed:
        return await control.answer_missed(connection, button.streamer_id, by, answer)

    return press_missed


_PRESS: dict[Control, Press] = {
    Control.SKIP: _skip,
    Control.PAUSE: _pause(True),
    Control.RESUME: _pause(False),
    Control.TOGGLE_PAUSE: _pause(None),
    Control.MUTE: _mute(True),
    Control.UNMUTE: _mute(False),
    Control.TOGGLE_MUTE: _mute(None),
    Control.REPLAY: _replay,
    Control.TEST: _test,
    Control.CLEAR: _clear,
    Control.MISSED_PLAY: _missed(Answer.PLAY),
    Control.MISSED_SUMMARY: _missed(Answer.SUMMARY),
    Control.MISSED_DROP: _missed(Answer.DROP),
}
