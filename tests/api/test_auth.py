"""Registering through API v1: codes by mail, a forgotten password, and what nobody learns by them."""

import asyncio
import time
from typing import Any

import httpx
import pytest

from domain import operators
from domain.one_time_links import LinkPurpose, make_link
from domain.passwords import MAX_LENGTH
from domain.users import add_user, hash_password
from infra.settings import Settings
from tests.api.accounts import (
    ANNA,
    FORGOT,
    LOGIN,
    OTHER_PASSWORD,
    PASSWORD,
    REGISTER,
    RESEND,
    RESET,
    TEST_TOKEN,
    UNVERIFIED,
    VERIFY,
    WRONG_CODE,
    WRONG_LOGIN,
    WRONG_RESET,
    add,
    credentials,
    newcomer,
    register_and_verify,
    reset,
)
from tests.api.conftest import calling
from tests.api.fits import call
from tests.support.accounts import add_account
from tests.web.post import Post, new_browser, open_post, registration
from web.api.people import ALIKE_SECONDS
from web.registering import CONSENT_VERSION


class TestTheWay:
    async def test_from_registering_to_a_token(self, post: Post, program: httpx.AsyncClient) -> None:
        user = await call(program, *REGISTER, 200, json=newcomer("Anna@Example.org", full_name="Анна", bio="Игры"))
        assert (user["email"], user["username"], user["full_name"], user["bio"]) == (ANNA, "Anna", "Анна", "Игры")
        assert (user["email_verified"], user["is_streamer"], user["is_active"]) == (False, False, True)
        code = await post.code_to(ANNA)
        assert len(code) == 6
        assert code.isdigit()
        assert (await call(program, *LOGIN, 400, form=credentials()))["detail"] == UNVERIFIED
        await call(program, *VERIFY, 200, json={"email": " Anna@example.org", "code": f"{code[:3]} {code[3:]}"})
        token = await call(program, *LOGIN, 200, form=credentials("ANNA@example.org"))
        assert token["token_type"] == "bearer"
        async with calling(post.site, token["access_token"]) as signed_in:
            me = await call(signed_in, *TEST_TOKEN, 200)
        assert me == {**user, "email_verified": True}

    async def test_consent_is_given_by_the_code_and_the_letter_says_so(
        self, post: Post, program: httpx.AsyncClient
    ) -> None:
        await call(program, *REGISTER, 200, json=newcomer())
        (letter,) = await post.letters_to(ANNA)
        assert "/register/consent" in letter.text
        consents = "SELECT consent_version, email_confirmed_at IS NOT NULL AS confirmed FROM users"
        assert await post.site.rows(consents) == [{"consent_version": None, "confirmed": False}]
        await call(program, *VERIFY, 200, json={"email": ANNA, "code": await post.code_to(ANNA)})
        assert await post.site.rows(consents) == [{"consent_version": CONSENT_VERSION, "confirmed": True}]

    async def test_a_slash_at_the_end_is_the_same(self, post: Post, program: httpx.AsyncClient) -> None:
        await add(post)
        assert (await program.post("/auth/login/", data=credentials())).status_code == 200

    async def test_what_registering_cannot_set(self, post: Post, program: httpx.AsyncClient) -> None:
        body = newcomer(is_active=False, is_superuser=True, email_verified=True, id=77, awaits_code=False)
        user = await call(program, *REGISTER, 200, json=body)
        assert (user["is_active"], user["email_verified"]) == (True, False)
        (row,) = await post.site.rows("SELECT is_superuser, is_active, awaits_code, id FROM users")
        assert row == {"is_superuser": False, "is_active": True, "awaits_code": True, "id": user["id"]}
        assert user["id"] != 77

    async def test_no_answer_holds_a_secret(self, post: Post, program: httpx.AsyncClient) -> None:
        answers = [await program.post("/auth/register", json=newcomer())]
        code = await post.code_to(ANNA)
        answers.append(await program.post("/auth/verify-email", json={"email": ANNA, "code": code}))
        answers.append(await program.post("/auth/login", data=credentials()))
        for answer in answers[:-1]:
            assert "argon2" not in answer.text
            assert PASSWORD not in answer.text
            assert code not in answer.text
        assert set(answers[-1].json()) == {"access_token", "token_type"}
        stored = str(await post.site.rows("SELECT * FROM confirmations"))
        assert code not in stored


class TestRegistering:
    async def test_taken(self, post: Post, program: httpx.AsyncClient) -> None:
        await register_and_verify(post, program)
        again = await call(program, *REGISTER, 400, json=newcomer("ANNA@example.org", username="other"))
        assert "email already exists" in again["detail"]
        again = await call(program, *REGISTER, 400, json=newcomer("a@example.org", username="ANNA"))
        assert "username already exists" in again["detail"]
        assert len(await post.site.rows("SELECT id FROM users")) == 1

    async def test_many_times_at_once_make_one(self, post: Post, program: httpx.AsyncClient) -> None:
        same_email = [program.post("/auth/register", json=newcomer(username=f"n{n}")) for n in range(4)]
        answers = await asyncio.gather(*same_email)
        assert [answer.status_code for answer in answers] == [200] * 4
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert len(await post.site.rows("SELECT id FROM users")) == 1

    async def test_one_username_at_once_is_one_persons(self, post: Post, program: httpx.AsyncClient) -> None:
        same_name = [program.post("/auth/register", json=newcomer(f"n{n}@example.org", username="x")) for n in range(4)]
        statuses = sorted(answer.status_code for answer in await asyncio.gather(*same_name))
        assert statuses == [200, 400, 400, 400]
        assert len(await post.site.rows("SELECT id FROM users")) == 1

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"email": "anna"}, "email"),
            ({"email": ""}, "email"),
            ({"email": "a\0@example.org"}, "email"),
            ({"email": 5}, "email"),
            ({"email": "a" * 300 + "@example.org"}, "email"),
            ({"username": ""}, "username"),
            ({"username": "   "}, "username"),
            ({"username": "a\0b"}, "username"),
            ({"username": "anna@example.org"}, "username"),
            ({"username": "<script>"}, "username"),
            ({"username": "user12"}, "username"),
            ({"username": "x" * 61}, "username"),
            ({"username": None}, "username"),
            ({"password": "short"}, "password"),
            ({"password": "x" * 5_000}, "password"),
            ({"password": "qwerty123"}, "password"),
            ({"password": "anna2026"}, "password"),
            ({"password": ["correct horse battery"]}, "password"),
            ({"full_name": "x" * 201}, "full_name"),
            ({"bio": "x" * 1_001}, "bio"),
            ({"bio": "a\0b"}, "bio"),
            ({"avatar_url": "javascript:alert(1)"}, "avatar_url"),
            ({"avatar_url": "//evil.example.org/a.png"}, "avatar_url"),
            ({"avatar_url": "data:image/png;base64,AAAA"}, "avatar_url"),
            ({"is_streamer": "perhaps"}, "is_streamer"),
        ],
    )
    async def test_what_is_not_right_is_named(self, post: Post, changes: dict[str, Any], field: str) -> None:
        async with calling(post.site, None) as program:
            refused = await call(program, *REGISTER, 422, json={**newcomer(), **changes})
        assert refused["detail"][0]["loc"] == ["body", field]
        assert await post.site.rows("SELECT id FROM users") == []

    @pytest.mark.parametrize("length", [MAX_LENGTH + 1, 5_000])
    async def test_a_password_that_is_too_long_is_told_the_rule(self, program: httpx.AsyncClient, length: int) -> None:
        refused = await call(program, *REGISTER, 422, json=newcomer(password="x" * length))
        assert refused["detail"][0]["type"] == "too_long"
        assert str(MAX_LENGTH) in refused["detail"][0]["msg"]

    @pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b"7", b"{}"])
    async def test_no_object_at_all(self, post: Post, body: bytes) -> None:
        async with calling(post.site, None) as program:
            headers = {"Content-Type": "application/json"}
            answer = await program.post("/auth/register", content=body, headers=headers)
        assert answer.status_code in (400, 422)
        assert answer.json()["detail"]

    async def test_letters_are_limited(self, post: Post, program: httpx.AsyncClient) -> None:
        await call(program, *REGISTER, 200, json=newcomer())
        answers = [await program.post("/auth/register", json=newcomer(username=f"n{n}")) for n in range(6)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429, 429]
        assert int(answers[-1].headers["Retry-After"]) > 60
        assert len(await post.letters_to(ANNA)) == 5

    async def test_nobody_is_kept_out_by_who_registered_her_address(
        self, post: Post, program: httpx.AsyncClient
    ) -> None:
        """What waits for its code is nobody's account: the owner of the mailbox registers on the page as ever."""
        await call(program, *REGISTER, 200, json=newcomer(password=OTHER_PASSWORD))
        strangers_code = await post.code_to(ANNA)
        async with new_browser(post.site) as anna:
            signed_in = await anna.post("/sign-in", data={"email": ANNA, "password": OTHER_PASSWORD})
            assert signed_in.status_code == 422
            await anna.post("/register", data=registration(ANNA))
            answer = await anna.post("/register/code", data={"code": await post.code_to(ANNA)})
            assert answer.status_code == 303, answer.text
        await call(program, *VERIFY, 400, json={"email": ANNA, "code": strangers_code})
        await call(program, *LOGIN, 400, form=credentials(password=OTHER_PASSWORD))
        await call(program, *LOGIN, 200, form=credentials())
        assert len(await post.site.rows("SELECT id FROM users")) == 1

    async def test_what_waits_is_no_superusers_first_account(self, post: Post, program: httpx.AsyncClient) -> None:
        await call(program, *REGISTER, 200, json=newcomer())
        async with post.site.pool.acquire() as connection, connection.transaction():
            user = await add_user(connection, ANNA, await hash_password(OTHER_PASSWORD), is_superuser=True)
        assert user is not None
        assert len(await post.site.rows("SELECT id FROM users")) == 1


class TestWhoMayRegister:
    async def test_where_registration_is_closed(self, fresh_database_url: str, redis_url: str) -> None:
        async with open_post(fresh_database_url, redis_url, registration="closed") as post:
            async with calling(post.site, None) as program:
                refused = await call(program, *REGISTER, 403, json=newcomer())
                assert refused["detail"] == "Registration is closed"
            assert await post.site.rows("SELECT id FROM users") == []

    async def test_by_invitation_once(self, fresh_database_url: str, redis_url: str) -> None:
        async with open_post(fresh_database_url, redis_url, registration="invite") as post:
            async with post.site.pool.acquire() as connection:
                invite = await make_link(connection, LinkPurpose.INVITE, hours=1)
                boris = await add_account(connection, "boris@example.org")
                password = await make_link(connection, LinkPurpose.PASSWORD, hours=1, user_id=boris.id)
            async with calling(post.site, None) as program:
                for wrong in (None, "", "x", "\0", password):
                    await call(program, *REGISTER, 403, json=newcomer(invite=wrong))
                await call(program, *REGISTER, 200, json=newcomer(invite=invite))
                await call(program, *REGISTER, 403, json=newcomer("b@example.org", invite=invite))

    async def test_the_first_accounts_link_is_for_its_page(self, fresh_database_url: str, redis_url: str) -> None:
        async with open_post(fresh_database_url, redis_url, registration="invite") as post:
            async with post.site.pool.acquire() as connection:
                first = await make_link(connection, LinkPurpose.INVITE, hours=1)
                await connection.execute("DELETE FROM one_time_links WHERE purpose = 'first'")
                await connection.execute("UPDATE one_time_links SET purpose = 'first'")
            async with calling(post.site, None) as program:
                await call(program, *REGISTER, 403, json=newcomer(invite=first))

    async def test_without_mail(self, fresh_database_url: str, redis_url: str) -> None:
        async with open_post(fresh_database_url, redis_url, smtp_host=None) as post:
            async with post.site.pool.acquire() as connection:
                invite = await make_link(connection, LinkPurpose.INVITE, hours=1)
            async with calling(post.site, None) as program:
                for body in (newcomer(), newcomer(invite=invite)):
                    await call(program, *REGISTER, 403, json=body)
                for operation in (FORGOT, RESEND):
                    refused = await call(program, *operation, 403, json={"email": ANNA})
                    assert "sends no mail" in refused["detail"]

    async def test_unverified_accounts_in_development_if_the_setting_says_so(
        self, fresh_database_url: str, redis_url: str
    ) -> None:
        async with (
            open_post(fresh_database_url, redis_url, api_unverified_sign_in=True) as post,
            calling(post.site, None) as program,
        ):
            user = await call(program, *REGISTER, 200, json=newcomer())
            assert user["email_verified"] is False
            await call(program, *LOGIN, 200, form=credentials())
            await call(program, *VERIFY, 200, json={"email": ANNA, "code": await post.code_to(ANNA)})

    def test_the_setting_is_for_development_alone(self) -> None:
        values = {"database_url": "x", "redis_url": "x", "secret_keys": "x", "web_url": "x", "realtime_url": "x"}
        settings = Settings(**values, environment="production", api_unverified_sign_in=True)  # type: ignore[arg-type]
        assert settings.awaits_code


class TestCodes:
    async def test_five_wrong_ones_and_then_not_even_the_right_one(
        self, post: Post, program: httpx.AsyncClient
    ) -> None:
        await call(program, *REGISTER, 200, json=newcomer())
        code = await post.code_to(ANNA)
        wrong = "000000" if code != "000000" else "111111"
        # What is no code is no try.
        for typed in ("", "abc", "\u0661", wrong, wrong, wrong, "12", "9" * 99):
            refused = await call(program, *VERIFY, 400, json={"email": ANNA, "code": typed})
            assert refused["detail"] == WRONG_CODE
        await call(program, *VERIFY, 400, json={"email": ANNA, "code": code})

    async def test_many_at_once_are_not_more(self, post: Post, program: httpx.AsyncClient) -> None:
        await call(program, *REGISTER, 200, json=newcomer())
        await call(program, *RESEND, 200, json={"email": ANNA})
        guesses = [program.post("/auth/verify-email", json={"email": ANNA, "code": f"{n:06}"}) for n in range(20)]
        await asyncio.gather(*guesses)
        assert await post.site.rows("SELECT tries FROM confirmations") == [{"tries": 5}, {"tries": 5}]

    async def test_each_letter_of_the_last_quarter_of_an_hour_is_good(
        self, post: Post, program: httpx.AsyncClient
    ) -> None:
        """Whoever asks for letters in her name takes no code away from her."""
        await call(program, *REGISTER, 200, json=newcomer())
        first = await post.code_to(ANNA)
        for _ in range(3):
            await call(program, *RESEND, 200, json={"email": ANNA})
        await call(program, *VERIFY, 200, json={"email": ANNA, "code": first})

    async def test_one_use(self, post: Post, program: httpx.AsyncClient) -> None:
        await call(program, *REGISTER, 200, json=newcomer())
        code = await post.code_to(ANNA)
        both = [program.post("/auth/verify-email", json={"email": ANNA, "code": code}) for _ in range(2)]
        assert sorted(answer.status_code for answer in await asyncio.gather(*both)) == [200, 400]

    async def test_too_old(self, post: Post, program: httpx.AsyncClient) -> None:
        await call(program, *REGISTER, 200, json=newcomer())
        code = await post.code_to(ANNA)
        await post.site.pool.execute("UPDATE confirmations SET expires_at = now() - interval '1 second'")
        await call(program, *VERIFY, 400, json={"email": ANNA, "code": code})

    async def test_of_one_address_for_another(self, post: Post, program: httpx.AsyncClient) -> None:
        for email in (ANNA, "boris@example.org"):
            await call(program, *REGISTER, 200, json=newcomer(email))
        code = await post.code_to("boris@example.org")
        if code != await post.code_to(ANNA):
            await call(program, *VERIFY, 400, json={"email": ANNA, "code": code})

    async def test_of_a_page_is_good_there_alone(self, post: Post, program: httpx.AsyncClient) -> None:
        async with new_browser(post.site) as anna:
            await anna.post("/register", data=registration(ANNA))
        await call(program, *VERIFY, 400, json={"email": ANNA, "code": await post.code_to(ANNA)})

    async def test_guesses_from_one_address_are_limited(self, program: httpx.AsyncClient) -> None:
        statuses = set()
        for n in range(101):
            answer = await program.post("/auth/verify-email", json={"email": f"n{n}@example.org", "code": "123456"})
            statuses.add(answer.status_code)
        assert statuses == {400, 429}
        answer = await program.post("/auth/reset-password", json=reset("123456"))
        assert answer.status_code == 429

    @pytest.mark.parametrize("operation", [VERIFY, RESET, RESEND, FORGOT])
    @pytest.mark.parametrize("garbage", [{}, {"email": "x"}, {"email": None, "code": 5}, {"email": "a\0@b.c"}])
    async def test_garbage(self, post: Post, operation: tuple[str, str], garbage: dict[str, Any]) -> None:
        async with calling(post.site, None) as program:
            await call(program, *operation, 422, json=garbage)


class TestAForgottenPassword:
    async def test_from_the_letter_to_a_new_one(self, post: Post, program: httpx.AsyncClient) -> None:
        await add(post)
        await call(program, *FORGOT, 200, json={"email": ANNA})
        code = await post.code_to(ANNA)
        assert len(code) == 9
        # Not a try: the code stays as good as it was.
        for bad in ("short", "anna2026", "x" * 300):
            refused = await call(program, *RESET, 422, json=reset(code, bad))
            assert refused["detail"][0]["loc"] == ["body", "new_password"]
        await call(program, *RESET, 200, json=reset(code.lower()))
        await call(program, *LOGIN, 400, form=credentials())
        await call(program, *LOGIN, 200, form=credentials(password=OTHER_PASSWORD))
        assert (await call(program, *RESET, 400, json=reset(code)))["detail"] == WRONG_RESET
        letters = await post.letters_to(ANNA)
        assert len(letters) == 2
        # What no password changes is named, each with its page.
        for page in ("terminals", "moderators", "webhooks", "buttons"):
            assert f"/dashboard/{page}\n" in letters[0].text.replace("\r", ""), page

    async def test_who_does_not_know_the_code(self, post: Post, program: httpx.AsyncClient) -> None:
        await add(post)
        await call(program, *FORGOT, 200, json={"email": ANNA})
        code = await post.code_to(ANNA)
        for guess in ("AAAA-2222", "22222222", "K7WP-3XQD", "99999999", "BCDEFGHJ"):
            await call(program, *RESET, 400, json=reset(guess))
        await call(program, *RESET, 400, json=reset(code))
        await call(program, *LOGIN, 200, form=credentials())

    async def test_a_blocked_account_stays_as_it_is(self, post: Post, program: httpx.AsyncClient) -> None:
        root, anna = await add(post, "root@example.org", is_superuser=True), await add(post)
        await call(program, *FORGOT, 200, json={"email": ANNA})
        code = await post.code_to(ANNA)
        async with post.site.pool.acquire() as connection, connection.transaction():
            await operators.block(connection, anna, root)
        await call(program, *RESET, 400, json=reset(code))
        assert (await call(program, *LOGIN, 400, form=credentials()))["detail"] == "Inactive user"


class TestNobodyLearnsWhoHasAnAccount:
    @pytest.mark.parametrize("operation", [FORGOT, RESEND])
    async def test_by_answer_or_time(self, post: Post, program: httpx.AsyncClient, operation: tuple[str, str]) -> None:
        if operation == FORGOT:
            await add(post)
        else:
            await call(program, *REGISTER, 200, json=newcomer())
        told, took = [], []
        for email in (ANNA, "nobody@example.org", ANNA, "nobody@example.org"):
            begun = time.monotonic()
            told.append(await call(program, *operation, 200, json={"email": email}))
            took.append(time.monotonic() - begun)
        assert all(words == told[0] for words in told)
        assert min(took) >= ALIKE_SECONDS
        assert await post.letters_to("nobody@example.org") == []
        assert len(await post.letters_to(ANNA)) >= 2

    @pytest.mark.parametrize("operation", [FORGOT, RESEND])
    async def test_by_the_limit(self, post: Post, program: httpx.AsyncClient, operation: tuple[str, str]) -> None:
        await add(post)
        if operation == RESEND:
            await post.site.pool.execute("UPDATE users SET awaits_code = true")
        for email in (ANNA, "nobody@example.org"):
            answers = await asyncio.gather(*(program.post(operation[1], json={"email": email}) for _ in range(7)))
            assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429] * 2, email

    async def test_who_is_verified_is_told_so(self, post: Post, program: httpx.AsyncClient) -> None:
        await register_and_verify(post, program)
        refused = await call(program, *RESEND, 400, json={"email": ANNA})
        assert refused["detail"] == "Email already verified"

    async def test_by_signing_in(self, post: Post, program: httpx.AsyncClient) -> None:
        await add(post)
        for email, password in ((ANNA, "wrong"), ("nobody@example.org", PASSWORD), ("", ""), ("é", "é")):
            refused = await call(program, *LOGIN, 400, form=credentials(email, password))
            assert refused["detail"] == WRONG_LOGIN, email
