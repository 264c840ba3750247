"""`/admin/mail`: how this site sends mail, a test letter, and what became of the latest letters.

GET  /admin/mail                the page; ?letter= is a test letter whose end it waits for
POST /admin/mail/test           a test letter to the superuser who asks
GET  /admin/mail/letter/<id>    what became of it: the part that asks again by itself until it is over
"""

from quart import Blueprint, Response, render_template, request
from quart.typing import ResponseReturnValue

from domain import letters
from domain.errors import NotFoundError
from domain.letters import Kind, LetterState
from domain.streamers import find_by_owner
from domain.users import User
from infra.mail import sender_of, smtp_port
from web import mail_words
from web.context import parts
from web.i18n import current_locale
from web.letter_post import post_letter
from web.limits import Limit
from web.pages import desk
from web.sessions import require_superuser

blueprint = Blueprint("admin_mail", __name__)

TEST_LETTERS = Limit("test-letters", 10, 10 * 60)
ROWS = 20
TIME_ZONE = "Europe/Moscow"


@blueprint.get("/admin/mail")
async def show() -> ResponseReturnValue:
    superuser = await require_superuser()
    settings = parts().settings
    async with parts().pool.acquire() as connection:
        latest = await letters.list_latest(connection, limit=ROWS)
        streamer = await find_by_owner(connection, superuser.id)
    return await desk.render(
        "pages/admin_mail.html",
        streamer,
        current="admin_mail.show",
        sends_mail=settings.sends_mail,
        settings=settings,
        port=smtp_port(settings),
        sender=sender_of(settings),
        latest=latest,
        letter=await _asked_letter(superuser),
        words=mail_words,
        time_zone=TIME_ZONE,
    )


@blueprint.post("/admin/mail/test")
async def send_test() -> ResponseReturnValue:
    superuser = await require_superuser()
    await parts().limiter.take(TEST_LETTERS, str(superuser.id))
    async with parts().pool.acquire() as connection, connection.transaction():
        letter_id = await post_letter(connection, Kind.TEST, superuser, locale=current_locale())
    parts().relay.wake()
    return desk.go_to("admin_mail.show", letter=letter_id, _anchor="test")


@blueprint.get("/admin/mail/letter/<int:letter_id>")
async def show_letter(letter_id: int) -> ResponseReturnValue:
    superuser = await require_superuser()
    letter = await _find(superuser, letter_id)
    if letter is None:
        raise NotFoundError("letter")
    return Response(await render_template("partials/mail_letter.html", letter=letter, words=mail_words))


async def _asked_letter(superuser: User) -> LetterState | None:
    letter_id = request.args.get("letter", type=int)
    return None if letter_id is None else await _find(superuser, letter_id)


async def _find(superuser: User, letter_id: int) -> LetterState | None:
    """A test letter of this superuser; another's is nobody's business."""
    if not 0 < letter_id < 2**31:
        return None
    async with parts().pool.acquire() as connection:
        letter = await letters.get_letter(connection, letter_id)
    is_theirs = letter is not None and letter.kind == Kind.TEST and letter.recipient == superuser.email
    return letter if is_theirs else None
