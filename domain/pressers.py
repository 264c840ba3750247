"""Who presses a control, decides on what is held, or looks at what waits."""

from dataclasses import dataclass
from enum import StrEnum


class PresserKind(StrEnum):
    OWNER = "owner"
    SUPERUSER = "superuser"
    MODERATOR = "moderator"
    BUTTON = "button"
    """An address of `domain/buttons.py`; `name` is the button's."""
    KEY = "key"
    """A program with an access token of the API; `name` is the token's."""


@dataclass(frozen=True)
class Presser:
    kind: PresserKind
    id: int
    name: str = ""
    """As others may read it; empty for a superuser, whose address is nobody's business."""
