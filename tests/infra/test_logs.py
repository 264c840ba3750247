"""What may and may not be read in a log."""

import logging

import pytest

from infra import logs

HIDDEN = [
    ("redis://:s3cretword@127.0.0.1:6379/0", "redis://:…@127.0.0.1:6379/0"),
    ("postgresql://me:s3cret@db/x?sslmode=disable", "postgresql://me:…@db/x?sslmode=disable"),
    ("GET http://127.0.0.1:8000/overlay#abcdef0123", "GET http://127.0.0.1:8000/overlay?…"),
    ("/overlay#abcdef0123 opened", "/overlay#… opened"),
    ("GET /overlay?token=abcdef0123 200", "GET /overlay?… 200"),
    ("GET /link/QWZ1dG9rZW4tMTIz failed", "GET /link/… failed"),
    ("POST https://x.ru/button/QWZ1dG9rZW4_MTIz", "POST https://x.ru/button/…"),
    ("Authorization: Bearer abcdef0123456789", "Authorization: … …"),
    ('{"Token": "0123456789abcdef", "Status": "NEW"}', '{"Token": "…", "Status": "NEW"}'),
    ("overlay_token=abcdef0123 password='hunter22'", "overlay_token=… password='…'"),
]

UNTOUCHED = [
    "Payment 17 of donation 4: pending → confirmed, 30000 kopecks",
    "T-Bank answered 99: token is wrong",
    "listening on http://127.0.0.1:8000",
    "what? no: one/two",
]


@pytest.mark.parametrize(("written", "shown"), HIDDEN)
def test_secrets_are_blotted_out(written: str, shown: str) -> None:
    assert logs.without_secrets(written) == shown


@pytest.mark.parametrize("written", UNTOUCHED)
def test_everything_else_stays(written: str) -> None:
    assert logs.without_secrets(written) == written


@pytest.fixture
def configured() -> logging.Formatter:
    """The formatter that `configure` sets; the root logger is put back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in logs.QUIET}
    logs.configure("web", "INFO")
    formatter = root.handlers[0].formatter
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, former in quiet.items():
        logging.getLogger(name).setLevel(former)
    logging.captureWarnings(False)
    assert formatter is not None
    return formatter


def test_an_event_is_one_line_in_utc(configured: logging.Formatter) -> None:
    record = logging.LogRecord("domain.donations", logging.WARNING, "", 1, "from %s", ("a\nb",), None)
    record.created, record.msecs = 0.25, 250
    line = configured.format(record)
    assert line == "1970-01-01T00:00:00.250Z WARNING web domain.donations: from a\\nb"


def test_a_traceback_is_kept_and_hides_secrets_too(configured: logging.Formatter) -> None:
    record = logging.LogRecord("infra", logging.ERROR, "", 1, "failed", None, None)
    try:
        raise OSError("cannot reach amqp://streamcash:hunter22@127.0.0.1/")
    except OSError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    shown = configured.format(record)
    assert "Traceback" in shown
    assert "hunter22" not in shown
