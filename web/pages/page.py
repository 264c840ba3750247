"""The donation page's settings: who is supported, under which address, with which amounts and in which colour.

    GET  /dashboard/page            the form, and beside it the page as donors see it
    POST /dashboard/page            save; `preview` only shows, `remove` takes a picture away
    POST /dashboard/page/preview    the preview alone, as HTMX asks for it while she types
    POST /dashboard/page/pictures   a picture chosen or removed: kept at once, everything typed stays

A picture is kept as soon as it has come, even when some text is not right: a browser does not send a file twice.
"""

from dataclasses import replace
from typing import Any

import asyncpg
from quart import Blueprint, Response, render_template, request
from quart.typing import ResponseReturnValue

from domain import media
from domain.colours import accent_of
from domain.errors import InvalidInputError
from domain.goals import get_shown_goal
from domain.links import link_title
from domain.media import Picture
from domain.profiles import (
    ABOUT_MAX_LENGTH,
    MESSAGE_MAX_LENGTH,
    THANKS_MAX_LENGTH,
    Look,
    Profile,
    lock_profile,
    read_profile,
    save_profile,
)
from domain.receipts import asks_email
from domain.streamers import (
    DISPLAY_NAME_MAX_LENGTH,
    Streamer,
    change_slug,
    check_new_slug,
    get_streamer,
    list_former_slugs,
)
from infra.pictures import PictureError, reencode_apart
from web import donate_form
from web.context import parts
from web.i18n import _
from web.legal_row import read_page_terms
from web.limits import Limit
from web.pages import desk
from web.pages.page_form import Typed, check, typed_from, typed_of, with_profile, words, zone_options
from web.pages.page_versions import differences, version_of
from web.sessions import require_streamer
from web.uploads import PICTURE_BYTES, fits

blueprint = Blueprint("page", __name__)

# Reading a picture costs a second of a processor.
PICTURES = Limit("page-picture", 30, 10 * 60)
LINKS_SHOWN = 3
"""How many fields for links stand open; those with something in them do anyway."""


@blueprint.get("/dashboard/page")
async def show() -> Response:
    streamer = await require_streamer()
    profile, look = await _read(streamer)
    return await _page(streamer, profile, look, typed_of(profile, streamer.slug), {})


@blueprint.post("/dashboard/page")
async def save() -> ResponseReturnValue:
    streamer = await require_streamer()
    if not await fits():
        return await _too_large(streamer)
    errors = await _keep_pictures(streamer)
    typed = typed_from(await request.form)
    saved, look = await _read(streamer)
    profile, found = check(typed, saved)
    only_shows = bool((await request.form).keys() & {"preview", "remove"})
    if only_shows:
        # Looking at it is no mistake: what is not right is said when she saves.
        return await _page(streamer, profile, look, typed, errors, is_unsaved=True)
    errors |= found
    try:
        errors |= await _save(streamer, profile, typed.slug, may_write=not errors, read_at=await _read_at(""))
    except _ChangedMeanwhileError as changed:
        differing = differences(typed, profile, changed.saved, changed.slug)
        if differing:
            now = version_of(changed.saved, changed.slug)
            # As it would be kept, without gaps between links: that is what was compared.
            typed = typed if errors else typed_of(profile, typed.slug)
            return await _page(
                streamer, profile, look, typed, differing | errors, is_unsaved=True, version=now, is_changed=True
            )
    if errors:
        return await _page(streamer, profile, look, typed, errors, is_unsaved=True)
    async with parts().pool.acquire() as connection:
        slug = (await get_streamer(connection, streamer.id)).slug
    stays = {"streamer": slug} if "streamer" in request.args else {}
    return desk.go_to("page.show", said="page-saved" if slug == streamer.slug else "page-moved", **stays)


class _ChangedMeanwhileError(Exception):
    """Another save came after this form was read; `saved` and `slug` are what it left."""

    def __init__(self, saved: Profile, slug: str) -> None:
        super().__init__()
        self.saved = saved
        self.slug = slug


async def _read_at(otherwise: str) -> str:
    """The version of what was saved when this form was read; a form that does not say (a script's) is the newest."""
    return str((await request.form).get("version", otherwise))


async def _save(streamer: Streamer, profile: Profile, slug: str, *, may_write: bool, read_at: str) -> dict[str, str]:
    """All of it or nothing. Returns what is wrong with the address, which only the database knows.

    Raises _ChangedMeanwhileError, having written nothing."""
    try:
        async with parts().pool.acquire() as connection, connection.transaction():
            await lock_profile(connection, streamer.id)
            streamer = await get_streamer(connection, streamer.id)
            saved, _look = await read_profile(connection, streamer)
            if read_at and read_at != version_of(saved, streamer.slug):
                raise _ChangedMeanwhileError(saved, streamer.slug)
            slug = await check_new_slug(connection, streamer, slug)
            if may_write:
                await save_profile(connection, streamer.id, profile)
                await change_slug(connection, streamer, slug)
    except InvalidInputError as error:
        return {"slug": words(error)}
    except asyncpg.UniqueViolationError:
        return {"slug": words(InvalidInputError("slug", "taken"))}
    return {}


@blueprint.post("/dashboard/page/preview")
async def preview() -> str:
    streamer = await require_streamer()
    saved, look = await _read(streamer)
    profile, _errors = check(typed_from(await request.form), saved)
    return await render_template(
        "partials/page/preview.html",
        link_title=link_title,
        shown=await _shown(streamer, profile, look),
        is_beside=False,
    )


@blueprint.post("/dashboard/page/pictures")
async def keep_pictures() -> ResponseReturnValue:
    streamer = await require_streamer()
    if not await fits():
        return await _too_large(streamer)
    errors = await _keep_pictures(streamer)
    typed = typed_from(await request.form)
    saved, look = await _read(streamer)
    profile, _errors = check(typed, saved)
    if "HX-Request" not in request.headers:
        return await _page(streamer, profile, look, typed, errors, is_unsaved=True)
    html = await render_template(
        "partials/page/pictures_answer.html",
        address=desk.address,
        look=look,
        errors=errors,
        link_title=link_title,
        shown=await _shown(streamer, profile, look),
        is_beside=True,
        **_sizes(),
    )
    return html, 422 if errors else 200


# Pictures.


async def _too_large(streamer: Streamer) -> ResponseReturnValue:
    """Nothing of the form came, not even its texts: what is in the browser stays there if HTMX asked."""
    saved, look = await _read(streamer)
    if "HX-Request" not in request.headers:
        errors: dict[str, str] = {
            Picture.AVATAR: _("Too heavy, so nothing of the form has come: each picture may have 5 MB.")
        }
        version = version_of(saved, streamer.slug)
        return await _page(streamer, saved, look, typed_of(saved, streamer.slug), errors, version=version)
    # "input#banner"
    chosen = request.headers.get("HX-Source", "").rpartition("#")[2]
    picture = Picture.BANNER if chosen == Picture.BANNER else Picture.AVATAR
    errors = {str(picture): words(InvalidInputError(picture, "too_heavy"))}
    html = await render_template(
        "partials/page/pictures.html", address=desk.address, look=look, errors=errors, **_sizes()
    )
    return html, 422


def _sizes() -> dict[str, Any]:
    return {"picture_bytes": PICTURE_BYTES, "too_heavy": words(InvalidInputError(Picture.AVATAR, "too_heavy"))}


async def _keep_pictures(streamer: Streamer) -> dict[str, str]:
    """Store those that came and take away the one to be removed. Returns what is wrong, by field."""
    form, files = await request.form, await request.files
    errors: dict[str, str] = {}
    for picture in Picture:
        if form.get("remove") == picture:
            async with parts().pool.acquire() as connection, connection.transaction():
                await media.remove_picture(connection, streamer.id, picture)
            continue
        file = files.get(picture)
        if file is None or not file.filename:
            continue
        try:
            content = await _read_picture(streamer, picture, file.read(PICTURE_BYTES + 1))
        except InvalidInputError as error:
            errors[picture] = words(error)
            continue
        async with parts().pool.acquire() as connection, connection.transaction():
            await media.set_picture(connection, streamer.id, picture, content)
    return errors


async def _read_picture(streamer: Streamer, picture: Picture, raw: bytes) -> bytes:
    """Raises InvalidInputError(picture, …), and 429 TooManyRequests."""
    if not raw:
        raise InvalidInputError(picture, "empty")
    if len(raw) > PICTURE_BYTES:
        raise InvalidInputError(picture, "too_heavy")
    await parts().limiter.take(PICTURES, str(streamer.id))
    try:
        return await reencode_apart(raw, media.SIZES[picture])
    except PictureError as error:
        raise InvalidInputError(picture, error.code) from error


# The page.


async def _read(streamer: Streamer) -> tuple[Profile, Look]:
    async with parts().pool.acquire() as connection:
        return await read_profile(connection, streamer)


async def _page(
    streamer: Streamer,
    profile: Profile,
    look: Look,
    typed: Typed,
    errors: dict[str, str],
    *,
    is_unsaved: bool = False,
    is_changed: bool = False,
    version: str = "",
) -> Response:
    """`version`: of what the form was read at, when that is not what it says itself."""
    async with parts().pool.acquire() as connection:
        saved, _look = await read_profile(connection, streamer)
        former_slugs = await list_former_slugs(connection, streamer.id)
    return await desk.render(
        "pages/page.html",
        streamer,
        current="page.show",
        status=409 if is_changed else 422 if errors else 200,
        is_changed=is_changed,
        version=version or await _read_at(version_of(saved, streamer.slug)),
        look=look,
        typed=typed,
        errors=errors,
        is_unsaved=is_unsaved,
        links_shown=max(
            [
                LINKS_SHOWN,
                *(number for number, link in enumerate(typed.links, 1) if link.strip() or f"link-{number}" in errors),
            ]
        ),
        former_slugs=former_slugs,
        donate_base=f"{parts().settings.web_url}/donate/",
        zones=zone_options(streamer.time_zone),
        display_name_max=DISPLAY_NAME_MAX_LENGTH,
        about_max=ABOUT_MAX_LENGTH,
        thanks_max=THANKS_MAX_LENGTH,
        message_max=MESSAGE_MAX_LENGTH,
        link_title=link_title,
        shown=await _shown(streamer, profile, look),
        **_sizes(),
    )


async def _shown(streamer: Streamer, profile: Profile, look: Look) -> dict[str, Any]:
    """What the donation page's partials show with a profile that is not saved yet."""
    async with parts().pool.acquire() as connection:
        asks = await asks_email(connection, streamer.id)
        terms = await read_page_terms(connection, streamer, donate_form.CONSENT_VERSION)
        goal = await get_shown_goal(connection, streamer.id)
    return {
        "look": replace(
            look,
            display_name=profile.display_name,
            about=profile.about,
            links=profile.links,
            thanks=profile.thanks,
            accent=profile.accent,
        ),
        "streamer": with_profile(streamer, profile),
        "accent": accent_of(profile.accent) if profile.accent else None,
        "asks_email": asks,
        "terms": terms,
        "legal": terms.row,
        "goal": goal,
        "typed": donate_form.Typed(),
        "consent_version": donate_form.CONSENT_VERSION,
    }
