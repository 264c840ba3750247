"""The check against the contract sees what does not fit."""

from typing import Any

import pytest

from tests.api.conftest import contract
from tests.api.fits import assert_fits, assert_request_fits

USER = {"id": 1, "email": "anna@example.org", "username": "anna", "created_at": "2026-11-28T10:00:00+00:00"}
USERS_ME = ("GET", "/api/v1/users/me")


def test_what_fits() -> None:
    assert_fits(contract(), *USERS_ME, 200, USER)
    assert_fits(contract(), *USERS_ME, 200, {**USER, "full_name": None, "more": 1})
    assert_fits(contract(), *USERS_ME, 404, {"detail": "User not found"})
    fault = {"loc": ["body", "email"], "msg": "Field required", "type": "missing"}
    assert_fits(contract(), "POST", "/api/v1/auth/register", 422, {"detail": [fault]})
    assert_request_fits(contract(), "POST", "/api/v1/auth/login", {"username": "a@example.org", "password": "x"})


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {**USER, "id": "1"}),
        (200, {**USER, "email": "anna"}),
        (200, {**USER, "created_at": "2026-11-28T10:00:00"}),
        (200, {**USER, "created_at": "Sat, 28 Nov 2026 10:00:00 GMT"}),
        (200, {key: value for key, value in USER.items() if key != "username"}),
        (201, USER),
        (403, {"detail": "no", "type": "about:blank"}),
        (403, {"detail": [{"loc": [], "msg": "", "type": ""}]}),
        (403, {}),
    ],
)
def test_what_does_not(status: int, body: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        assert_fits(contract(), *USERS_ME, status, body)


def test_a_request_and_an_operation_that_are_not_there() -> None:
    with pytest.raises(AssertionError):
        assert_request_fits(contract(), "POST", "/api/v1/auth/login", {"username": "a@example.org"})
    with pytest.raises(AssertionError):
        assert_fits(contract(), "GET", "/api/v1/auth/login", 200, {})
