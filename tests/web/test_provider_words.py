"""Every reason a provider may refuse for has words, for the donor and for the streamer, in both languages."""

import re

import pytest

from providers.outcomes import RefusalReason
from web.i18n import use_locale
from web.provider_words import refusal_words


@pytest.mark.parametrize("reason", RefusalReason)
@pytest.mark.parametrize("for_streamer", [False, True], ids=["donor", "streamer"])
def test_a_reason_has_one_or_two_sentences(reason: RefusalReason, for_streamer: bool) -> None:
    with use_locale("ru"):
        russian = refusal_words(reason, for_streamer=for_streamer)
    with use_locale("en"):
        english = refusal_words(reason, for_streamer=for_streamer)
    assert not re.search("[A-Za-z]", russian)
    assert not re.search("[А-Яа-я]", english)
    for words in (russian, english):
        assert 1 <= len(re.findall(r"[.]( |$)", words)) <= 2
        assert words.endswith(".")


def test_the_streamer_reads_of_every_reason_apart() -> None:
    assert len({refusal_words(reason, for_streamer=True) for reason in RefusalReason}) == len(RefusalReason)


def test_a_stored_reason_is_enough() -> None:
    with use_locale("ru"):
        assert refusal_words("no_funds", for_streamer=False).startswith("На карте или счёте не хватило денег.")


def test_a_reason_of_another_version_is_an_unknown_one() -> None:
    assert refusal_words("moon_phase", for_streamer=True) == refusal_words("unknown", for_streamer=True)


def test_who_may_have_paid_is_not_told_to_try_again() -> None:
    with use_locale("en"):
        assert "Do not pay a second time" in refusal_words("provider_trouble", for_streamer=False)
        assert "Do not repeat" in refusal_words("provider_trouble", for_streamer=True)
