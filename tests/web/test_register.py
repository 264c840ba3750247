"""Registering: a letter with a code, nothing said about whose address it is, and who is let in at all."""

import asyncio
import re
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from domain.one_time_links import LinkPurpose, make_link
from domain.users import create_user
from tests.support.site import Site, open_site
from tests.web.post import PASSWORD, Post, new_browser, open_post, registration, try_code

ANNA = "anna@example.org"


@pytest.fixture
async def post(fresh_database_url: str, redis_url: str) -> AsyncIterator[Post]:
    async with open_post(fresh_database_url, redis_url) as post:
        yield post


@pytest.fixture
async def anna(post: Post) -> AsyncIterator[httpx.AsyncClient]:
    async with new_browser(post.site) as client:
        yield client


async def ask_for_code(client: httpx.AsyncClient, email: str = ANNA) -> None:
    answer = await client.post("/register", data=registration(email))
    assert (answer.status_code, answer.headers.get("Location")) == (303, "/register/code"), answer.text


async def add_user(pool: asyncpg.Pool, email: str, *, is_superuser: bool = False) -> int:
    async with pool.acquire() as connection:
        return (await create_user(connection, email, PASSWORD, is_superuser=is_superuser)).id


class TestTheWay:
    async def test_from_the_form_by_the_letter_into_the_account(self, post: Post, anna: httpx.AsyncClient) -> None:
        assert (await anna.get("/register")).status_code == 200
        await ask_for_code(anna, " Anna@Example.org ")
        page = await anna.get("/register/code")
        assert "the code is on its way" in page.text
        code = await post.code_to(ANNA)
        assert code not in page.text
        answer = await anna.post("/register/code", data={"code": f" {code[:3]} {code[3:]} "})
        assert (answer.status_code, answer.headers["Location"]) == (303, "/dashboard/first-steps?said=welcome")
        assert "Welcome!" in (await anna.get("/dashboard/first-steps?said=welcome")).text
        (user,) = await post.site.rows("SELECT * FROM users")
        assert (user["email"], user["consent_version"], user["is_superuser"]) == (ANNA, "2026-11-28", False)
        assert user["email_confirmed_at"] is not None
        assert user["password_hash"].startswith("$argon2id$")

    async def test_the_letter(self, post: Post, anna: httpx.AsyncClient) -> None:
        await ask_for_code(anna)
        (letter,) = await post.letters_to(ANNA)
        headers = dict(letter.headers)
        assert headers["Auto-Submitted"] == "auto-generated"
        assert headers["Message-ID"].endswith("@127.0.0.1>")
        assert headers["Date"]
        assert headers["Content-Language"] == "en"
        assert re.match(r"\d{6} is your code", letter.subject)
        assert max(map(len, letter.text.splitlines())) <= 78

    async def test_a_russian_browser_gets_a_russian_letter(self, post: Post) -> None:
        async with new_browser(post.site, "ru") as client:
            await ask_for_code(client)
        (letter,) = await post.letters_to(ANNA)
        assert "Здравствуйте" in letter.text

    async def test_no_code_lies_readable_in_the_database(self, post: Post, anna: httpx.AsyncClient) -> None:
        await ask_for_code(anna)
        before = str(await post.site.rows("SELECT * FROM confirmations")) + str(
            await post.site.rows("SELECT * FROM letters")
        )
        code = await post.code_to(ANNA)
        assert code not in before
        (letter,) = await post.site.rows("SELECT * FROM letters")
        assert (letter["status"], letter["secret_encrypted"]) == ("sent", None)

    async def test_what_is_missing_is_named(self, anna: httpx.AsyncClient, post: Post) -> None:
        wrong = [
            (registration("anna"), "not an e-mail address"),
            (registration(""), "Enter your e-mail."),
            (registration(ANNA, password="short"), "At least 8 characters."),
            (registration(ANNA, password="Password123"), "the first that strangers try"),
            (registration(ANNA, password="anna2026"), "too much like the e-mail"),
            (registration(ANNA, consent=""), "Without this consent"),
            (registration(ANNA, consent="yes"), "Without this consent"),
            ({}, "Enter your e-mail."),
            (registration("a\r\nBcc: x@y.z@example.org"), "not an e-mail address"),
        ]
        for fields, words in wrong:
            answer = await anna.post("/register", data=fields)
            assert answer.status_code == 422, fields
            assert words in answer.text, fields
            assert PASSWORD not in answer.text
        assert await post.site.rows("SELECT * FROM letters") == []

    async def test_the_box_is_not_ticked_by_itself(self, anna: httpx.AsyncClient) -> None:
        page = (await anna.get("/register")).text
        box = re.search(r'<input type="checkbox" id="consent"[^>]*>', page)
        assert box is not None
        assert "checked" not in box[0]
        assert "152-FZ" in (await anna.get("/register/consent")).text


class TestCodes:
    async def test_five_tries_and_then_not_even_the_right_one(self, post: Post, anna: httpx.AsyncClient) -> None:
        await ask_for_code(anna)
        code = await post.code_to(ANNA)
        wrong = "000000" if code != "000000" else "111111"
        # No code at all is no try.
        for typed in (wrong, "", "abc", "💥", wrong, f" {wrong}", "9" * 5000, "12"):
            assert 'id="code-error"' in await try_code(anna, "/register/code", typed), typed
        assert "no longer good" in await try_code(anna, "/register/code", code)
        assert await post.site.rows("SELECT * FROM users") == []

    async def test_many_tries_at_once_are_not_more(self, post: Post, anna: httpx.AsyncClient) -> None:
        await ask_for_code(anna)
        await asyncio.gather(*(anna.post("/register/code", data={"code": f"{n:06}"}) for n in range(20)))
        assert await post.site.pool.fetchval("SELECT tries FROM confirmations") <= 5

    async def test_a_code_of_a_quarter_of_an_hour_ago_is_over(self, post: Post, anna: httpx.AsyncClient) -> None:
        await ask_for_code(anna)
        code = await post.code_to(ANNA)
        await post.site.pool.execute("UPDATE confirmations SET expires_at = now() - interval '1 second'")
        assert "no longer good" in await try_code(anna, "/register/code", code)

    async def test_reloading_after_a_wrong_code_is_no_other_try(self, post: Post, anna: httpx.AsyncClient) -> None:
        await ask_for_code(anna)
        assert "This is not the code" in await try_code(anna, "/register/code", "1")
        for _ in range(9):
            assert "This is not the code" in (await anna.get("/register/code?tried=wrong")).text
        assert await post.site.pool.fetchval("SELECT tries FROM confirmations") == 1
        assert "code-error" not in (await anna.get("/register/code?tried=%3Cb%3E")).text
        code = await post.code_to(ANNA)
        assert (await anna.post("/register/code", data={"code": code})).status_code == 303

    async def test_another_code_after_a_minute_takes_the_place_of_the_first(
        self, post: Post, anna: httpx.AsyncClient
    ) -> None:
        await ask_for_code(anna)
        first = await post.code_to(ANNA)
        await anna.post("/register/code/again")
        assert len(await post.letters_to(ANNA)) == 1
        await post.site.pool.execute("UPDATE confirmations SET sent_at = now() - interval '61 seconds'")
        await asyncio.gather(anna.post("/register/code/again"), anna.post("/register/code/again"))
        assert len(await post.letters_to(ANNA)) == 2
        second = await post.code_to(ANNA)
        if first != second:
            assert "This is not the code" in await try_code(anna, "/register/code", first)
        assert (await anna.post("/register/code", data={"code": second})).status_code == 303

    async def test_a_code_fits_only_the_browser_that_asked(self, post: Post, anna: httpx.AsyncClient) -> None:
        await ask_for_code(anna)
        code = await post.code_to(ANNA)
        async with new_browser(post.site) as stranger:
            answer = await stranger.post("/register/code", data={"code": code})
            assert (answer.status_code, answer.headers["Location"]) == (303, "/register")
            await ask_for_code(stranger, "eve@example.org")
            assert "This is not the code" in await try_code(stranger, "/register/code", code)

    async def test_a_code_works_once(self, post: Post, anna: httpx.AsyncClient) -> None:
        await ask_for_code(anna)
        code = await post.code_to(ANNA)
        answers = await asyncio.gather(*(anna.post("/register/code", data={"code": code}) for _ in range(4)))
        assert sum(answer.headers.get("Location") == "/dashboard/first-steps?said=welcome" for answer in answers) == 1
        assert len(await post.site.rows("SELECT * FROM users")) == 1

    async def test_the_code_page_out_of_order_leads_to_the_form(self, anna: httpx.AsyncClient) -> None:
        answer = await anna.get("/register/code")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/register")
        assert (await anna.post("/register/code/again")).status_code == 303


class TestNoHints:
    async def test_a_known_address_gets_the_same_answer_and_another_letter(
        self, post: Post, anna: httpx.AsyncClient
    ) -> None:
        await add_user(post.site.pool, ANNA)
        async with new_browser(post.site) as other:
            known = await anna.post("/register", data=registration(ANNA))
            new = await other.post("/register", data=registration("bert@example.org"))
            assert (known.status_code, known.headers["Location"]) == (new.status_code, new.headers["Location"])
            assert known.text == new.text
            pages = [(await client.get("/register/code")).text for client in (anna, other)]
            assert pages[0].replace(ANNA, "") == pages[1].replace("bert@example.org", "")
            wrong = [await client.post("/register/code", data={"code": "1"}) for client in (anna, other)]
            assert wrong[0].text.replace(ANNA, "") == wrong[1].text.replace("bert@example.org", "")
        (letter,) = await post.letters_to(ANNA)
        assert "уже есть аккаунт" in letter.subject
        assert not re.search(r"\d{6}", letter.text.replace(post.site.url, ""))
        assert len(await post.site.rows("SELECT * FROM users")) == 1

    async def test_two_registrations_of_one_address_make_one_account(self, post: Post, anna: httpx.AsyncClient) -> None:
        async with new_browser(post.site) as phone:
            await ask_for_code(anna)
            first = await post.code_to(ANNA)
            await ask_for_code(phone)
            second = await post.code_to(ANNA)
            answers = await asyncio.gather(
                anna.post("/register/code", data={"code": first}), phone.post("/register/code", data={"code": second})
            )
        assert sorted(answer.headers["Location"] for answer in answers) == [
            "/dashboard/first-steps?said=welcome",
            "/sign-in?said=account-exists",
        ]
        assert len(await post.site.rows("SELECT * FROM users")) == 1

    async def test_nobody_floods_a_mailbox(self, post: Post, anna: httpx.AsyncClient) -> None:
        for _ in range(5):
            await ask_for_code(anna)
        answer = await anna.post("/register", data=registration(ANNA))
        assert answer.status_code == 429
        assert len(await post.letters_to(ANNA)) == 5
        await ask_for_code(anna, "bert@example.org")


class TestWhoMay:
    async def test_closed_is_closed(self, fresh_database_url: str, redis_url: str) -> None:
        async with open_post(fresh_database_url, redis_url, registration="closed") as post:
            await add_user(post.site.pool, ANNA)
            async with new_browser(post.site) as client:
                await follow(post.site, client, LinkPurpose.INVITE)
                assert (await client.get("/register")).status_code == 403
                assert (await client.post("/register", data=registration("eve@example.org"))).status_code == 403
                assert "/register" not in (await client.get("/sign-in")).text

    async def test_an_invitation_is_good_for_one_account(self, fresh_database_url: str, redis_url: str) -> None:
        async with open_post(fresh_database_url, redis_url, registration="invite") as post:
            await add_user(post.site.pool, "root@example.org")
            async with new_browser(post.site) as anna, new_browser(post.site) as eve:
                assert (await anna.get("/register")).status_code == 403
                token = await follow(post.site, anna, LinkPurpose.INVITE)
                await eve.get(f"/link/{token}")
                await ask_for_code(anna)
                await ask_for_code(eve, "eve@example.org")
                hers, eves = await post.code_to(ANNA), await post.code_to("eve@example.org")
                assert (await anna.post("/register/code", data={"code": hers})).status_code == 303
                assert (await eve.post("/register/code", data={"code": eves})).status_code == 403
                assert (await eve.get(f"/link/{token}")).status_code == 404
            emails = [row["email"] for row in await post.site.rows("SELECT email FROM users ORDER BY id")]
            assert emails == ["root@example.org", ANNA]

    async def test_without_mail_an_invitation_needs_no_code(self, site: Site) -> None:
        await add_user(site.pool, "root@example.org")
        async with new_browser(site) as anna:
            # Open to anybody in development; but nobody can prove an address here.
            assert (await anna.get("/register")).status_code == 403
            await follow(site, anna, LinkPurpose.INVITE)
            taken = await anna.post("/register", data=registration("root@example.org"))
            assert (taken.status_code, "cannot be used here" in taken.text) == (422, True)
            answer = await anna.post("/register", data=registration(ANNA))
            assert answer.headers["Location"] == "/dashboard/first-steps?said=welcome"
            assert "This site sends no mail" in (await anna.get("/account")).text

    async def test_the_first_account_is_a_superusers_and_its_link_dies(
        self, fresh_database_url: str, redis_url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async with open_site(fresh_database_url, redis_url, registration="closed") as site:
            said = capsys.readouterr().out
            found = re.search(r"/link/(\S+)", said)
            assert found is not None
            path = found[0]
            async with new_browser(site) as one, new_browser(site) as two:
                for client in (one, two):
                    assert (await client.get(path)).headers["Location"] == "/register"
                    assert "The first account" in (await client.get("/register")).text
                answers = await asyncio.gather(
                    one.post("/register", data=registration("one@example.org")),
                    two.post("/register", data=registration("two@example.org")),
                )
                assert sorted(answer.status_code for answer in answers) == [303, 403]
                assert (await two.get(path)).status_code == 404
            (user,) = await site.rows("SELECT is_superuser FROM users")
            assert user["is_superuser"]

    async def test_each_start_shows_the_same_link_until_there_is_an_account(
        self, fresh_database_url: str, redis_url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        key = {"secret_keys": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}
        said = []
        for _ in range(2):
            async with open_site(fresh_database_url, redis_url, **key) as site:
                said.append(capsys.readouterr().out.split("/link/")[1].split()[0])
        assert said[0] == said[1]
        async with open_site(fresh_database_url, redis_url, **key) as site:
            await add_user(site.pool, ANNA)
            capsys.readouterr()
        async with open_site(fresh_database_url, redis_url, **key) as site:
            assert "/link/" not in capsys.readouterr().out
            assert (await site.client.get(f"/link/{said[0]}")).status_code == 404

    async def test_made_up_links_lead_nowhere(self, site: Site) -> None:
        for token in ("x", "%00", "💥", "a" * 3000):
            answer = await site.client.get(f"/link/{token}")
            assert answer.status_code in (404, 422), token
            assert "Set-Cookie" not in answer.headers


async def follow(site: Site, client: httpx.AsyncClient, purpose: LinkPurpose) -> str:
    """Make a link and open it; the token leaves the address bar at once."""
    async with site.pool.acquire() as connection:
        token = await make_link(connection, purpose, hours=24)
    answer = await client.get(f"/link/{token}")
    assert answer.status_code == 303
    assert token not in answer.headers["Location"]
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    return token
