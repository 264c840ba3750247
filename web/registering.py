"""Who may have an account, and what words one agrees to: for the page and for the API."""

from domain.one_time_links import LinkPurpose, OneTimeLink
from web.context import parts

CONSENT_VERSION = "2026-11-28"
"""Names the words of templates/pages/register_consent.html; stored with the account. New words, new version."""


def may_register(link: OneTimeLink | None, *, is_proved: bool = False) -> bool:
    """Whether who came by this link, or by none, may have an account; `is_proved`: for an address that another site
    has proved to be this person's."""
    if link is not None and link.purpose is LinkPurpose.FIRST:
        return True
    settings = parts().settings
    mode = settings.registration_wish if is_proved else settings.registration_mode
    return mode == "open" or (mode == "invite" and link is not None)
