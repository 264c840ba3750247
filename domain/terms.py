"""The words a donor agreed to, kept for whoever asks a year later.

What the pages showed is one text (JSON, made by `web/legal_texts.py`) known by its SHA-256. It is stored when the first
donation agrees to it; later ones point to the same row.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra import queries

VERSION_LENGTH = 12
ELSEWHERE = "api-v1"
"""Stands where a form has the version of its consent: a program made the donation through the API. It showed its donor
words of its own and answers for them, so none are kept here."""


@dataclass(frozen=True)
class Agreed:
    """What one donation agreed to, and when. `documents` is the text as it was stored."""

    version: str
    documents: str
    consent_version: str
    consented_at: datetime
    kept_since: datetime
    slug: str
    display_name: str
    time_zone: str


def version_of(documents: str) -> str:
    """How people name a version: the beginning of its hash."""
    return hashlib.sha256(documents.encode()).hexdigest()[:VERSION_LENGTH]


async def keep_terms(connection: Any, streamer_id: int, documents: str) -> int:
    """The id of these very words, stored now if nobody agreed to them before."""
    digest = hashlib.sha256(documents.encode()).digest()
    known = await queries.terms.find_terms(connection, streamer_id=streamer_id, hash=digest)
    if known is None:
        await queries.terms.insert_terms(connection, streamer_id=streamer_id, hash=digest, documents=documents)
        known = await queries.terms.find_terms(connection, streamer_id=streamer_id, hash=digest)
    assert known is not None
    return int(known)


async def get_agreed_terms(connection: Any, public_id: str) -> Agreed | None:
    """None: there is no such donation, or it is from before the words were kept."""
    row = await queries.terms.get_agreed_terms(connection, public_id=public_id)
    if row is None:
        return None
    return Agreed(
        version=row["hash"].hex()[:VERSION_LENGTH],
        documents=row["documents"],
        consent_version=row["consent_version"],
        consented_at=row["consented_at"],
        kept_since=row["created_at"],
        slug=row["slug"],
        display_name=row["display_name"],
        time_zone=row["time_zone"],
    )
