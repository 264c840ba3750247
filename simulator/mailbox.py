"""Everybody's mailbox: the simulator takes mail by SMTP, delivers it to nobody, and shows it at /mailbox.

Recipients and passwords with certain words get what a real server would say, so that errors can be tried:
`unknown…@` is refused for good, `busy…@` is asked to come later, and the password `wrong` is not accepted.
"""

import asyncio
import email
import itertools
from collections import deque
from dataclasses import dataclass, field
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from quart import Blueprint, Response, abort, current_app, jsonify, redirect, request, url_for

from simulator.clock import Clock
from simulator.pages import Redirect
from simulator.rendering import asked_language, language_argument, render

blueprint = Blueprint("mailbox", __name__)

KEPT_LETTERS = 500


@dataclass(frozen=True)
class ReceivedLetter:
    id: int
    received_at: float
    sender: str
    recipients: list[str]
    subject: str
    text: str
    headers: list[tuple[str, str]]

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "received_at": self.received_at,
            "from": self.sender,
            "to": self.recipients,
            "subject": self.subject,
            "text": self.text,
            "headers": dict(self.headers),
        }


@dataclass
class Mailbox:
    """The letters, newest first. They last as long as the program."""

    clock: Clock
    letters: deque[ReceivedLetter] = field(default_factory=lambda: deque(maxlen=KEPT_LETTERS))
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    # aiosmtpd calls these by their names.

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        if address.startswith("unknown"):
            return "550 5.1.1 No such mailbox here"
        if address.startswith("busy"):
            return "451 4.3.0 Come back later"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        message = email.message_from_bytes(content, policy=default)
        body = message.get_body(("plain",))
        self.letters.appendleft(
            ReceivedLetter(
                id=next(self._numbers),
                received_at=self.clock(),
                sender=str(message["From"]),
                recipients=list(envelope.rcpt_tos),
                subject=str(message["Subject"]),
                text="" if body is None else str(body.get_content()),
                headers=[(name, str(value)) for name, value in message.items()],
            )
        )
        return "250 OK"

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Take mail from now on. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(self._connection, host, port)

    def _connection(self) -> SMTP:
        return SMTP(
            self,
            hostname="simulator",
            enable_SMTPUTF8=True,
            auth_require_tls=False,
            authenticator=_authenticate,
            loop=asyncio.get_running_loop(),
        )


def _authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    is_wrong = isinstance(data, LoginPassword) and data.password == b"wrong"
    return AuthResult(success=not is_wrong)


def _mailbox() -> Mailbox:
    mailbox = current_app.extensions["mailbox"]
    assert isinstance(mailbox, Mailbox)
    return mailbox


def _wanted() -> list[ReceivedLetter]:
    recipient = request.args.get("to", "").strip().lower()
    return [letter for letter in _mailbox().letters if not recipient or recipient in map(str.lower, letter.recipients)]


@blueprint.get("/mailbox")
async def show() -> str:
    """The letters; `?to=` leaves those to one address."""
    return await render(
        "simulator/mailbox.html", asked_language(), letters=_wanted(), recipient=request.args.get("to", "")
    )


@blueprint.post("/mailbox/empty")
async def empty() -> Redirect:
    origin = request.headers.get("Origin", "")
    if origin and origin != f"{request.scheme}://{request.host}":
        abort(403)
    _mailbox().letters.clear()
    return redirect(url_for("mailbox.show", **language_argument()), 303)


@blueprint.get("/_sim/mailbox")
async def list_letters() -> Response:
    """The same for programs, newest first."""
    return jsonify({"letters": [letter.as_json() for letter in _wanted()]})


@blueprint.delete("/_sim/mailbox")
async def delete_letters() -> tuple[str, int]:
    _mailbox().letters.clear()
    return "", 204
