"""Mailing letters (domain/letters.py)."""

import logging
from datetime import UTC
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from domain import letters
from domain.letters import Letter
from infra import mail
from infra.mail import MailError
from infra.settings import ROOT, Settings
from tasks.runtime import Parts

log = logging.getLogger(__name__)


async def send_letter(parts: Parts, letter_id: int) -> None:
    """One try. What comes later comes by the letter's own time (letters.next_try_at)."""
    async with parts.pool.acquire() as connection:
        letter = await letters.claim(connection, letter_id)
    if letter is None:
        return
    secret = None if letter.secret_encrypted is None else parts.box.try_decrypt(letter.secret_encrypted)
    if letter.is_late:
        await _give_up(parts, letter, "late", "it would come too late to be of use")
    elif not parts.settings.sends_mail:
        await _give_up(parts, letter, "no_mail", "SMTP_HOST is not set")
    elif letter.secret_encrypted is not None and secret is None:
        await _give_up(parts, letter, "unreadable", "none of SECRET_KEYS decrypts its code")
    else:
        await _send(parts, letter, secret or "")


async def _send(parts: Parts, letter: Letter, secret: str) -> None:
    subject, text = render(letter.kind, letter.locale, site_values(parts.settings) | letter.data | {"secret": secret})
    message = mail.compose(
        sender=mail.sender_of(parts.settings),
        recipient=letter.recipient,
        subject=subject,
        text=text,
        message_id=letter.message_id,
        date=letter.created_at.astimezone(UTC),
        locale=letter.locale,
    )
    try:
        await mail.send(parts.settings, message)
    except MailError as error:
        if error.is_temporary and not letter.is_tried_once:
            async with parts.pool.acquire() as connection, connection.transaction():
                seconds = await letters.try_later(connection, letter, error.reason, str(error))
            parts.relay.wake()
            log.warning("letter %d (%s) waits %.0f s: %s", letter.id, letter.kind, seconds, error)
        else:
            await _give_up(parts, letter, error.reason, str(error))
        return
    async with parts.pool.acquire() as connection:
        await letters.note_sent(connection, letter)


async def _give_up(parts: Parts, letter: Letter, reason: str, message: str) -> None:
    async with parts.pool.acquire() as connection:
        await letters.give_up(connection, letter, reason, message)
    log.error("letter %d (%s) is not sent: %s: %s", letter.id, letter.kind, reason, message)


# Words.


def site_values(settings: Settings) -> dict[str, str]:
    """What every letter may name."""
    return {"site": settings.web_url.split("://", 1)[-1], "site_url": settings.web_url}


@cache
def _environment() -> Environment:
    # Plain text: nothing is escaped, since nobody reads it as HTML.
    return Environment(
        loader=FileSystemLoader(ROOT / "templates" / "letters"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(kind: str, locale: str, values: dict[str, str]) -> tuple[str, str]:
    """Subject and text: a letter's file has the subject on its first line."""
    whole = _environment().get_template(f"{kind}.{locale}.txt").render(values)
    subject, _, text = whole.partition("\n")
    return subject.strip(), text.strip() + "\n"
