"""New passwords: what strangers try first is refused, what people remember is not."""

import pytest

from domain.errors import InvalidInputError
from domain.passwords import check_new_password

EMAIL = "anna.k@example.org"


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "too_short"),
        ("1234567", "too_short"),
        ("x" * 257, "too_long"),
        ("password", "common"),
        ("PASSWORD!", "common"),
        ("Password123", "common"),
        ("qwertyui", "common"),
        ("12345678", "common"),
        ("87654321", "common"),
        ("19041987", "common"),
        ("aaaaaaaaaaaa", "common"),
        ("abababab", "common"),
        ("пароль123", "common"),
        ("Пароль2026!", "common"),
        ("ghbdtn2026", "common"),
        ("anna.k@example.org", "like_email"),
        ("anna.k2026", "like_email"),
    ],
)
def test_refused(password: str, code: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_new_password(password, EMAIL)
    assert (refused.value.field, refused.value.code) == ("password", code)


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "кот на крыше", "anna likes tea", "x7!kPq2v", "1905 улица зима", "qwerty is bad"],
)
def test_good(password: str) -> None:
    check_new_password(password, EMAIL)
