"""Numbers in addresses, `/users/<id:user_id>`: what is no integer is a field that is not right (422), as for clients of
the first version, and not an address that there is not (404)."""

import re

from quart import Quart, request
from werkzeug.routing import IntegerConverter, Map

from web.api.blueprints import is_api
from web.api.errors import wrong_field
from web.api.schemas.common import MAX_ID

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DIGITS_MOST = 18


class NotAnId(str):
    """What stands where an id should; no view gets it."""


class IdConverter(IntegerConverter):
    """An id that a table can have. An integer beyond those is nobody's, as 0 is.

    `besides`: a word that is an address of its own, in whatever method: `/goals/<id(besides="settings"):goal_id>`.
    """

    regex = r"[^/]+"
    # Else Werkzeug takes the slash in the pattern for one that may match, and a slash after the id for another address.
    part_isolating = True

    def __init__(self, url_map: Map, besides: str = "") -> None:
        super().__init__(url_map)
        if besides:
            # Here and not in `to_python`, so that this rule's methods are not those of the other address.
            self.regex = rf"(?!{re.escape(besides)}\Z)[^/]+"

    def to_python(self, value: str) -> int | NotAnId:
        if not _INTEGER.fullmatch(value):
            return NotAnId(value)
        number = int(value) if len(value) <= _DIGITS_MOST else 0
        return number if 1 <= number <= MAX_ID else 0


def add_id_converter(app: Quart) -> None:
    """Before the blueprints that use it."""
    app.url_map.converters["id"] = IdConverter


def setup_path_ids(app: Quart) -> None:
    """After the access: who may not call learns nothing else."""
    app.before_request(_refuse_what_is_no_id)


async def _refuse_what_is_no_id() -> None:
    if not is_api(request.endpoint) or request.method == "OPTIONS":
        return
    for name, value in (request.view_args or {}).items():
        if isinstance(value, NotAnId):
            raise wrong_field(name, "Input should be a valid integer", where="path", kind="int_parsing")
