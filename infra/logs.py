"""Logging of every program: one line per event on standard error, times in UTC.

    2026-11-22T20:51:03.120Z WARNING web domain.payments: Payment 17: the bank said 99

What must not be read by whoever reads logs never gets there: addresses lose their query and
fragment, and passwords in URLs, bearer tokens and the like are blotted out.
"""

import logging
import re
import sys
import time

QUIET = {
    # They log each request with its whole address, or each message with its contents.
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "hypercorn.access": logging.WARNING,
    "engineio": logging.WARNING,
    "socketio": logging.WARNING,
    "aio_pika": logging.WARNING,
    "aiormq": logging.WARNING,
    "pika": logging.WARNING,
    "asyncio": logging.WARNING,
}

_SECRETS = (
    # scheme://user:password@host
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s@/]+@"), r"\1…@"),
    # What follows ? or # in an address: tokens of overlays, ids of payments.
    (re.compile(r"(\b(?:https?|wss?)://[^\s?#\"'<>]*)[?#][^\s\"'<>]+"), r"\1?…"),
    (re.compile(r"(?<![\w.])(/[\w./~%-]*)[?#][\w.~%-]+=[^\s\"'<>]*"), r"\1?…"),
    (re.compile(r"(/overlay#)[^\s\"'<>]+"), r"\1…"),
    # Addresses that are keys: one-time links, buttons and invitations.
    (re.compile(r"(/(?:link|button|moderate/join)/)[\w%-]{8,}"), r"\1…"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 …"),
    # token=…, "Password": "…", 'secret': '…'
    (
        re.compile(
            r"(?i)(\b[\w-]*(?:token|password|secret|authorization|cookie)[\"']?\s*[=:]\s*[\"']?)[^\s\"',;&}{)(]{4,}"
        ),
        r"\1…",
    ),
)


def configure(program: str, level: str = "INFO") -> None:
    """Set up logging for this process. `program` is what each line is marked with."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(program))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.captureWarnings(True)


def without_secrets(text: str) -> str:
    """The text with secrets blotted out, as far as their shape gives them away."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


class _Formatter(logging.Formatter):
    def __init__(self, program: str) -> None:
        super().__init__(
            fmt=f"%(asctime)s.%(msecs)03dZ %(levelname)s {program} %(name)s: %(message)s",
            datefmt="%Y-%m-%dT%H:%M:%S",
        )
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:
        # One event is one line, so that nothing a stranger wrote can look like an event of ours.
        line = super().formatMessage(record)
        return line.replace("\r", "\\r").replace("\n", "\\n")

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))
