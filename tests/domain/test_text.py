"""What strangers wrote: kept where it says something, left out where it hides or misleads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.text import clean_message, clean_name


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Аня", "Аня"),
        ("  Аня \t из   Омска\n", "Аня из Омска"),
        ("Иван\u00a0Петров", "Иван Петров"),
        ("e\u0301", "é"),
        ("А\u202eня", "Аня"),
        ("\u2066Аня\u2069\u200f", "Аня"),
        ("А\u200bн\ufeffя\u00ad", "Аня"),
        ("А\0н\x07я\x1b[31m\x7f", "Аня[31m"),
        ("a\u200db", "ab"),
        ("\u200d\u200d", ""),
        ("\u3164\u2800\u115f", ""),
        ("a\u034fb", "ab"),
        ("\ue000\U0010ffff", ""),
        ("'; DROP TABLE donations; --", "'; DROP TABLE donations; --"),
        ("<b>Аня</b>", "<b>Аня</b>"),
        ("مرحبا", "مرحبا"),
        ("שלום", "שלום"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("👩🏽‍🚀", "👩🏽‍🚀"),
        ("🏳️‍🌈 ❤️‍🔥 1️⃣ 👍🏽", "🏳️‍🌈 ❤️‍🔥 1️⃣ 👍🏽"),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"),
        ("a\U000e0061\U000e007f", "a"),
        ("👩‍", "👩"),
        ("Z" + "\u0335" * 30, "Z" + "\u0335" * 4),
        ("Nguyễn Thị Ánh", "Nguyễn Thị Ánh"),
        ("", ""),
    ],
)
def test_a_name_is_one_visible_line(written: str, kept: str) -> None:
    assert clean_name(written) == kept


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("раз\r\nдва\rтри\u2028четыре", "раз\nдва\nтри\nчетыре"),
        ("\n\n раз \n\n\n\t два\n", "раз\nдва"),
        ("раз   два", "раз два"),
        (" \n\u200b\n ", ""),
    ],
)
def test_a_message_keeps_its_lines(written: str, kept: str) -> None:
    assert clean_message(written) == kept


@given(st.text())
def test_cleaning_is_done_once(text: str) -> None:
    assert clean_message(clean_message(text)) == clean_message(text)
    assert clean_name(clean_name(text)) == clean_name(text)
    assert "\0" not in clean_message(text)
    clean_message(text).encode()
