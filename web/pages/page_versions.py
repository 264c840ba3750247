"""Two tabs, one form: which of the saved settings a form was read at, and where it differs from what is saved by now.

A save from an older form is held back once. The page then shows both, and saving again is knowing it.
"""

import hashlib
from dataclasses import replace

from domain.profiles import Profile
from web.i18n import _
from web.pages.page_form import Typed, typed_of, zone_words


def version_of(*values: object) -> str:
    """A short word for saved values: frozen data and texts that come from the database in one order."""
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def differences(typed: Typed, profile: Profile, saved: Profile, saved_slug: str) -> dict[str, str]:
    """For each field that is saved otherwise than typed: what is saved, in words. `profile` is `typed`, read."""
    mine = replace(typed_of(profile, typed.slug.strip().lower()), has_accent=typed.has_accent)
    theirs = typed_of(saved, saved_slug)
    pairs: dict[str, tuple[str, str]] = {
        "display_name": (mine.display_name, theirs.display_name),
        "about": (mine.about, theirs.about),
        "thanks": (mine.thanks, theirs.thanks),
        "accent": (profile.accent, saved.accent),
        "min_amount": (mine.min_amount, theirs.min_amount),
        "max_amount": (mine.max_amount, theirs.max_amount),
        "message_max_length": (mine.message_max_length, theirs.message_max_length),
        "slug": (mine.slug, theirs.slug),
        "time_zone": (zone_words(mine.time_zone), zone_words(theirs.time_zone)),
        "is_listed": (_yes_or_no(mine.is_listed), _yes_or_no(theirs.is_listed)),
    }
    for number, pair in enumerate(zip(mine.links, theirs.links, strict=True), 1):
        pairs[f"link-{number}"] = pair
    for number, pair in enumerate(zip(mine.presets, theirs.presets, strict=True), 1):
        pairs[f"preset-{number}"] = pair
    return {
        field: _("Saved by now: “%(value)s”.", value=kept) if kept else _("Saved by now: empty.")
        for field, (here, kept) in pairs.items()
        if here != kept
    }


def _yes_or_no(is_so: bool) -> str:
    return _("on") if is_so else _("off")
