"""What a streamer's public pages carry about who receives the money: links, marks, labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quart import url_for

from domain.requisites import Requisites, get_requisites
from domain.streamers import Streamer
from domain.terms import version_of
from web.context import parts
from web.i18n import LANGUAGES, current_locale
from web.legal_texts import NAMES, Recipient, short_title_of, write_terms


@dataclass(frozen=True)
class LegalRow:
    links: tuple[tuple[str, str], ...] = ()
    """Addresses and titles; none until the requisites are complete."""
    offer_url: str = ""
    age_mark: str = ""
    registry_url: str = ""
    registry_number: str = ""
    label: str = ""
    """What the law demands of a foreign agent."""
    contact: str = ""
    """Whom a donor writes to; empty until the requisites are complete."""


def legal_row(slug: str, requisites: Requisites | None) -> LegalRow:
    if requisites is None:
        return LegalRow()
    links: tuple[tuple[str, str], ...] = ()
    if requisites.is_complete:
        links = tuple((url_for("legal.show", slug=slug, name=name), short_title_of(name)) for name in NAMES)
    return LegalRow(
        links,
        links[0][0] if links else "",
        requisites.age_mark,
        requisites.registry_url,
        requisites.registry_number,
        requisites.foreign_agent_label if requisites.is_foreign_agent else "",
        requisites.email if requisites.is_complete else "",
    )


async def read_legal_row(connection: Any, streamer_id: int, slug: str) -> LegalRow:
    return legal_row(slug, await get_requisites(connection, streamer_id))


def recipient_of(streamer: Streamer, requisites: Requisites | None) -> Recipient:
    return Recipient(streamer.slug, streamer.display_name, parts().settings.web_url, requisites)


@dataclass(frozen=True)
class PageTerms:
    """The words that a donation page of now leads to, in each language, by their version."""

    row: LegalRow
    current: str
    """The version in the request's language."""
    documents: Mapping[str, str]


async def read_page_terms(connection: Any, streamer: Streamer, consent_version: str) -> PageTerms:
    requisites = await get_requisites(connection, streamer.id)
    recipient = recipient_of(streamer, requisites)
    written = {locale: write_terms(recipient, consent_version, locale) for locale in LANGUAGES}
    versions = {locale: version_of(documents) for locale, documents in written.items()}
    return PageTerms(
        legal_row(streamer.slug, requisites),
        versions[current_locale()],
        {versions[locale]: documents for locale, documents in written.items()},
    )
