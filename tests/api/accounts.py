"""People who register and sign in through API v1, for its tests."""

from typing import Any

import httpx

from tests.api.conftest import calling
from tests.api.fits import call
from tests.support.accounts import add_account
from tests.web.post import Post

ANNA = "anna@example.org"
PASSWORD = "correct horse battery"
OTHER_PASSWORD = "battery horse correct"
LOGIN = ("POST", "/auth/login")
REGISTER = ("POST", "/auth/register")
VERIFY = ("POST", "/auth/verify-email")
RESEND = ("POST", "/auth/resend-verification")
FORGOT = ("POST", "/auth/forgot-password")
RESET = ("POST", "/auth/reset-password")
TEST_TOKEN = ("POST", "/auth/test-token")

WRONG_LOGIN = "Incorrect email or password"
UNVERIFIED = "Email not verified. New verification code sent to your email."
WRONG_CODE = "Invalid or expired verification code"
WRONG_RESET = "Invalid or expired reset code"


def newcomer(email: str = ANNA, **more: Any) -> dict[str, Any]:
    return {"email": email, "username": email.partition("@")[0], "password": PASSWORD, **more}


def credentials(email: str = ANNA, password: str = PASSWORD) -> dict[str, str]:
    return {"username": email, "password": password}


async def add(post: Post, email: str = ANNA, *, is_superuser: bool = False) -> int:
    async with post.site.pool.acquire() as connection:
        return (await add_account(connection, email, is_superuser=is_superuser)).id


async def register_and_verify(post: Post, program: httpx.AsyncClient, email: str = ANNA) -> int:
    user = await call(program, *REGISTER, 200, json=newcomer(email))
    await call(program, *VERIFY, 200, json={"email": email, "code": await post.code_to(email)})
    return int(user["id"])


async def is_let_in(post: Post, token: str) -> bool:
    async with calling(post.site, token) as client:
        answer = await client.post("/auth/test-token")
    assert answer.status_code in (200, 400, 403), answer.text
    return answer.status_code == 200


def reset(code: str, password: str = OTHER_PASSWORD, email: str = ANNA) -> dict[str, str]:
    return {"email": email, "code": code, "new_password": password}
