"""The provider's registry of operations: bringing a file, what became of it, and where it differs from our books.

GET  /dashboard/money/registry             files and differences; ?settled=yes for those somebody has settled
POST /dashboard/money/registry             a file (up to 5 MB, web/uploads.py)
POST /dashboard/money/registry/read        read a file once more
POST /dashboard/money/registry/settle      a difference is looked at, with a note; `undo` takes that back
"""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any

from quart import Blueprint, Response, request
from quart.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from domain import differences, registry
from domain.differences import Difference, DifferenceKind
from domain.errors import InvalidInputError
from domain.streamers import Streamer
from domain.terminals import Terminal, list_terminals
from providers.provider import MalformedRegistry, Provider
from web.context import parts
from web.i18n import _
from web.limits import Limit
from web.pages import desk
from web.pages.money import day_name
from web.sessions import require_streamer, require_user
from web.uploads import REGISTRY_BYTES, fits

blueprint = Blueprint("registry", __name__)

# Reading a file costs a second of a processor.
FILES = Limit("registry-file", 30, 10 * 60)
LISTED_DIFFERENCES = 200


@blueprint.get("/dashboard/money/registry")
async def show() -> Response:
    return await _page(await require_streamer())


@blueprint.post("/dashboard/money/registry")
async def bring() -> ResponseReturnValue:
    """Parsed before anything is stored: a file is taken whole or not at all."""
    user, streamer = await require_user(), await require_streamer()
    await parts().limiter.take(FILES, str(streamer.id))
    if not await fits():
        return await _page(streamer, error=_too_large_words())
    form, files = await request.form, await request.files
    async with parts().pool.acquire() as connection:
        terminals = _with_registry(await list_terminals(connection, streamer.id))
    chosen = next((t for t in terminals if str(t.id) == form.get("terminal", "")), terminals[0] if terminals else None)
    if chosen is None:
        raise UnprocessableEntity
    file = files.get("file")
    raw = b"" if file is None else file.read()
    if file is None or not raw:
        return await _page(streamer, error=_("Choose a file: this one is empty."))
    if len(raw) > REGISTRY_BYTES:
        return await _page(streamer, error=_too_large_words())
    try:
        rows = await asyncio.to_thread(parts().providers[chosen.provider].parse_registry, raw)
        async with parts().pool.acquire() as connection, connection.transaction():
            stored = await registry.store_file(
                connection,
                terminals=[terminal for terminal in terminals if terminal.provider == chosen.provider],
                chosen=chosen,
                name=_clean_name(file.filename or ""),
                sha256=hashlib.sha256(raw).digest(),
                rows=rows,
                user_id=user.id,
            )
    except MalformedRegistry as error:
        return await _page(streamer, error=malformed_words(error), detail=error.reason)
    except InvalidInputError as error:
        return await _page(streamer, error=refused_words(error))
    parts().relay.wake()
    return desk.go_to("registry.show", said="registry-taken" if any(f.is_new for f in stored) else "registry-known")


@blueprint.post("/dashboard/money/registry/read")
async def read() -> ResponseReturnValue:
    streamer = await require_streamer()
    file_id = (await request.form).get("file", type=int)
    if file_id is None or not 0 < file_id < 2**31:
        raise UnprocessableEntity
    async with parts().pool.acquire() as connection, connection.transaction():
        await registry.read_again(connection, streamer.id, file_id)
    parts().relay.wake()
    return desk.go_to("registry.show", said="registry-read")


@blueprint.post("/dashboard/money/registry/settle")
async def settle() -> ResponseReturnValue:
    user, streamer = await require_user(), await require_streamer()
    form = await request.form
    key = form.get("difference", "")
    async with parts().pool.acquire() as connection, connection.transaction():
        if "undo" in form:
            await differences.unsettle(connection, streamer.id, key)
            return desk.go_to("registry.show", said="difference-open")
        try:
            await differences.settle(connection, streamer.id, key, form.get("note", ""), user.id)
        except InvalidInputError as error:
            if error.field != "note":
                raise
            return desk.go_to("registry.show", said="difference-note")
    return desk.go_to("registry.show", said="difference-settled")


@blueprint.post("/dashboard/money/registry/settle-unknown")
async def settle_unknown() -> ResponseReturnValue:
    """The terminal serves another shop too: its payments are none of ours."""
    user, streamer = await require_user(), await require_streamer()
    async with parts().pool.acquire() as connection, connection.transaction():
        await differences.settle_unknown(connection, streamer.id, _("Of another shop"), user.id)
    return desk.go_to("registry.show", said="difference-settled")


async def _page(streamer: Streamer, *, error: str = "", detail: str = "") -> Response:
    settled = request.args.get("settled") == "yes"
    async with parts().pool.acquire() as connection:
        terminals = _with_registry(await list_terminals(connection, streamer.id))
        files = await registry.list_files(connection, streamer.id)
        found = await differences.list_differences(connection, streamer.id, settled=settled, limit=LISTED_DIFFERENCES)
        last_day = await registry.last_day(connection, streamer.id)
    by_file: dict[int | None, int] = {}
    for difference in found:
        by_file[difference.file_id] = by_file.get(difference.file_id, 0) + 1
    return await desk.render(
        "pages/registry.html",
        streamer,
        current="money.show",
        status=422 if error else 200,
        terminals=terminals,
        provider_of=provider_of,
        files=files,
        differences=found,
        by_file=by_file,
        settled=settled,
        last_day=last_day,
        day_name=day_name,
        kind_words=kind_words,
        hint=hint,
        error=error,
        detail=detail,
        file_bytes=REGISTRY_BYTES,
        too_large=_too_large_words(),
        unknown=sum(difference.kind is DifferenceKind.UNKNOWN_PAYMENT for difference in found),
        most=LISTED_DIFFERENCES,
        is_reading=any(file.read_at is None for file in files),
    )


def _too_large_words() -> str:
    return _("The file is larger than %(size)s MB.", size=REGISTRY_BYTES // (1024 * 1024))


def provider_of(terminal: Any) -> Provider:
    return parts().providers[terminal.provider]


def _with_registry(terminals: Sequence[Terminal]) -> list[Terminal]:
    return [terminal for terminal in terminals if provider_of(terminal).has_registry]


def _clean_name(name: str) -> str:
    """What the browser calls the file, without what is not seen."""
    return "".join(letter for letter in name if letter.isprintable()).strip()[-registry.NAME_MAX_LENGTH :] or "registry"


def malformed_words(error: MalformedRegistry) -> str:
    if error.line:
        return _("Line %(line)s of the file cannot be read, so nothing of it was taken.", line=error.line)
    return _("This is not a registry of this provider, so nothing of it was taken.")


def refused_words(error: InvalidInputError) -> str:
    if error.code == "other_terminal":
        return _(
            "This file is of the terminal %(terminal)s, which is not yours here. Nothing of it was taken.",
            terminal=error.data["terminal"],
        )
    return _("There is no operation in this file.")


def kind_words(difference: Difference) -> str:
    match difference.kind:
        case DifferenceKind.UNKNOWN_PAYMENT:
            return _("The registry has a payment that we do not know")
        case DifferenceKind.UNLINKED:
            return _("An operation of no payment: %(kind)s", kind=difference.provider_kind)
        case DifferenceKind.OTHER:
            return _("A correction of the bank's: %(kind)s", kind=difference.provider_kind)
        case DifferenceKind.NOT_BOOKED:
            return _("Paid by the registry, and not with us")
        case DifferenceKind.AMOUNT:
            return _("The amount differs")
        case DifferenceKind.MISSING:
            return _("Our payment is not in the registry")
        case DifferenceKind.REFUND:
            return _("More was refunded than we know")
        case DifferenceKind.REFUND_MISSING:
            return _("Our refund is not in the registry")
        case DifferenceKind.CHARGEBACK:
            return _("A chargeback is not booked yet")
        case DifferenceKind.CHARGEBACK_REVERSAL:
            return _("More was won back than was charged back")


def hint(kind: DifferenceKind) -> str:
    """What it may mean, and what to do."""
    match kind:
        case DifferenceKind.UNKNOWN_PAYMENT:
            return _("Perhaps it is of another shop on the same terminal. If so, settle it.")
        case DifferenceKind.UNLINKED | DifferenceKind.OTHER:
            return _("It is in no account here. Look at it in the bank's cabinet and settle it.")
        case DifferenceKind.NOT_BOOKED | DifferenceKind.REFUND:
            return _("The bank is being asked; this vanishes by itself when it answers.")
        case DifferenceKind.AMOUNT:
            return _("Compare it in the bank's cabinet; ask the bank if it is right there.")
        case DifferenceKind.MISSING | DifferenceKind.REFUND_MISSING:
            return _("Perhaps it is in the next day's file. If not, ask the bank.")
        case DifferenceKind.CHARGEBACK:
            return _("It waits for its payment, and is booked by itself.")
        case DifferenceKind.CHARGEBACK_REVERSAL:
            return _("Bring the earlier file with the chargeback.")
