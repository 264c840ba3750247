"""Sending one letter by SMTP, and what its failure means: worth another try or not, and why in one word."""

import ssl
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from enum import StrEnum

import aiosmtplib

from infra.settings import Settings

_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class MailReason(StrEnum):
    """Why a letter did not go; the words for people are in `web/mail_words.py`."""

    UNKNOWN_HOST = "unknown_host"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    TLS = "tls"
    AUTH = "auth"
    SENDER = "sender"
    RECIPIENT = "recipient"
    REJECTED = "rejected"
    BUSY = "busy"
    DISCONNECTED = "disconnected"
    OTHER = "other"


class MailError(Exception):
    """The letter was not taken; `str()` is what the server said, without our secrets."""

    def __init__(self, reason: MailReason, message: str, *, is_temporary: bool) -> None:
        super().__init__(message)
        self.reason = reason
        self.is_temporary = is_temporary


def smtp_port(settings: Settings) -> int:
    return settings.smtp_port or _PORTS[settings.smtp_security]


def sender_of(settings: Settings) -> str:
    """The From of every letter."""
    return settings.mail_from or f"noreply@{_ascii_host(settings.web_host)}"


def compose(
    *, sender: str, recipient: str, subject: str, text: str, message_id: str, date: datetime, locale: str
) -> EmailMessage:
    """A plain letter that no robot answers."""
    name, address = parseaddr(sender)
    letter = EmailMessage(policy=SMTP if recipient.isascii() and address.isascii() else SMTPUTF8)
    user, _, host = address.rpartition("@")
    letter["From"] = Address(name, user, _ascii_host(host))
    letter["To"] = _deliverable(recipient)
    letter["Subject"] = subject
    letter["Date"] = format_datetime(date)
    letter["Message-ID"] = message_id
    letter["Content-Language"] = locale
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"
    letter.set_content(text)
    return letter


def _deliverable(recipient: str) -> Address:
    """The address with its domain in ASCII, which every mail server understands."""
    user, _, host = recipient.rpartition("@")
    return Address("", user, _ascii_host(host))


def _ascii_host(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


async def send(settings: Settings, letter: EmailMessage) -> None:
    """Give the letter to the mail server. Raises MailError."""
    assert settings.smtp_host is not None
    try:
        await aiosmtplib.send(
            letter,
            hostname=settings.smtp_host,
            port=smtp_port(settings),
            username=settings.smtp_user,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            timeout=settings.smtp_timeout_seconds,
        )
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise _mail_error(error) from error


def _mail_error(error: BaseException) -> MailError:
    causes = [error, *_causes(error)]
    message = _said(error)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return MailError(MailReason.TLS, message, is_temporary=False)
    match error:
        case aiosmtplib.SMTPTimeoutError() | TimeoutError():
            return MailError(MailReason.TIMEOUT, message, is_temporary=True)
        case aiosmtplib.SMTPAuthenticationError():
            return MailError(MailReason.AUTH, message, is_temporary=error.code < 500)
        case aiosmtplib.SMTPRecipientsRefused():
            codes = [one.code for one in error.recipients]
            temporary = any(code < 500 for code in codes)
            message = "; ".join(f"{one.code} {one.message}" for one in error.recipients)
            return MailError(MailReason.BUSY if temporary else MailReason.RECIPIENT, message, is_temporary=temporary)
        case aiosmtplib.SMTPSenderRefused():
            return MailError(MailReason.SENDER, message, is_temporary=error.code < 500)
        case aiosmtplib.SMTPResponseException():
            temporary = error.code < 500
            return MailError(MailReason.BUSY if temporary else MailReason.REJECTED, message, is_temporary=temporary)
        case aiosmtplib.SMTPNotSupported():
            return MailError(MailReason.TLS if "STARTTLS" in message else MailReason.OTHER, message, is_temporary=False)
    if any(_is_unknown_host(cause) for cause in causes):
        return MailError(MailReason.UNKNOWN_HOST, message, is_temporary=True)
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return MailError(MailReason.REFUSED, message, is_temporary=True)
    if isinstance(error, aiosmtplib.SMTPServerDisconnected | ConnectionError):
        return MailError(MailReason.DISCONNECTED, message, is_temporary=True)
    is_temporary = isinstance(error, OSError | aiosmtplib.SMTPException)
    return MailError(MailReason.OTHER, message, is_temporary=is_temporary)


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(found) < 5:
        found.append(cause)
        cause = cause.__cause__ or cause.__context__
    return found


def _is_unknown_host(error: BaseException) -> bool:
    # getaddrinfo's errors are socket.gaierror, an OSError with numbers of its own.
    return type(error).__name__ == "gaierror"


def _said(error: BaseException) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {error.message}"
    return str(error) or type(error).__name__
