"""What people and the bank read promises no service and no charity (`contracts/ru-rules.md` 1)."""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from tasks.payments import _DESCRIPTIONS
from web.i18n import LOCALE_DIR

# A purchase, a fee, a service; and a charitable donation, which is something else by law (ст. 582 ГК).
PROMISING = re.compile(r"услуг|покуп|купи|товар|пожертвован|благотворит|оплат[аиуы] за|вознагражден", re.IGNORECASE)
# Where the streamer reads about others' services.
ALLOWED = "The answer is about a service that donations do not need."


def test_no_word_of_ours_promises_anything() -> None:
    with (LOCALE_DIR / "ru/LC_MESSAGES/messages.po").open("rb") as file:
        catalog = read_po(file, locale="ru")
    found = {
        str(message.id): str(message.string)
        for message in catalog
        if message.id and PROMISING.search(str(message.string)) and not str(message.id).startswith(ALLOWED)
    }
    assert found == {}


@pytest.mark.parametrize("locale", ["ru", "en"])
def test_the_bank_is_told_of_voluntary_support(locale: str) -> None:
    """At most 140 characters, however long the streamer's name."""
    description = _DESCRIPTIONS[locale].format(name="Щ" * 60)
    assert description.lower().startswith(("добровольная поддержка", "voluntary support"))
    assert len(description) <= 140
    assert not PROMISING.search(description)


def test_a_receipt_says_the_same_unless_the_streamer_says_otherwise() -> None:
    migrations = Path(LOCALE_DIR.parent / "sql/migrations").glob("*_providers.sql")
    assert any("DEFAULT 'Добровольная поддержка'" in path.read_text() for path in migrations)
