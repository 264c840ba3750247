"""What a rule about alert settings says, in the API's words and by the API's names of fields."""

from domain.alert_tiers import v1_name
from domain.errors import InvalidInputError
from web.api.errors import Refused

_NAMES = {
    "min_amount_minor": "min_amount",
    "max_amount_minor": "max_amount",
    "min_amount_for_alert_minor": "min_amount_for_alert",
}


def invalid(error: InvalidInputError, *, where: str = "body", only: str | None = None) -> Refused:
    """422 that names the field by its path. `only`: the one field that the request has."""
    loc = [where, *_path(error.field)] if only is None else [where, only]
    message = _words(error)
    return Refused(422, message, faults=[{"loc": loc, "msg": message, "type": error.code}])


def _path(field: str) -> list[str | int]:
    path: list[str | int] = []
    for part in field.split("."):
        if part.isdigit():
            path.append(int(part))
        else:
            path.append(v1_name(part) if "elements" in path else _NAMES.get(part, part))
    return path


def _words(error: InvalidInputError) -> str:
    data = error.data
    # Inside amounts are kopecks, and here roubles.
    unit = 100 if error.field.endswith("_minor") else 1
    match error.code:
        case "not_yours":
            return "This is none of your uploaded files"
        case "wrong_kind":
            return "This file is of another kind: sounds and pictures have fields of their own"
        case "range":
            return f"Between {data['least'] / unit:g} and {data['most'] / unit:.0f}"
        case "too_long" if "limit" in data:
            return f"At most {data['limit']} characters"
        case "too_many" if "limit" in data:
            return f"At most {data['limit']}"
        case "below_least":
            return f"Not below {data['limit'] / unit:g}"
        case "before_start":
            return "The end comes after the start"
        case "taken":
            return "Another one has this already"
    return error.code.replace("_", " ").capitalize()
