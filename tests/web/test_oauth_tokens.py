"""Tokens of strangers' applications: exchanging codes, refreshing, revoking, and what may go wrong on the way
(RFC 6749, 7009, 7636, and the attacks of RFC 9700)."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.conftest import signed_in
from tests.web.oauth_cast import BACK, SCOPES, Changes, Program, code_from, error_of, opens, register

WRONG_EXCHANGES: tuple[tuple[Changes, str], ...] = (
    ({"code_verifier": None}, "invalid_request"),
    ({"code_verifier": ""}, "invalid_request"),
    ({"code_verifier": "x" * 43}, "invalid_grant"),
    ({"code_verifier": "x" * 42}, "invalid_request"),
    ({"code_verifier": "ю" * 43}, "invalid_request"),
    ({"redirect_uri": None}, "invalid_grant"),
    ({"redirect_uri": f"{BACK}/"}, "invalid_grant"),
    ({"redirect_uri": "https://evil.example/back"}, "invalid_grant"),
    ({"code": None}, "invalid_request"),
    ({"code": "x"}, "invalid_grant"),
    ({"code": "\x00"}, "invalid_grant"),
    ({"code": "x" * 50_000}, "invalid_grant"),
    ({"grant_type": None}, "unsupported_grant_type"),
    ({"grant_type": "password"}, "unsupported_grant_type"),
    ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    ({"grant_type": 'ю"<script>'}, "unsupported_grant_type"),
)
"""Of a good code."""


@pytest.fixture
async def site(kept_site: Site) -> Site:
    return kept_site


@pytest.fixture
async def stranger(site: Site, maker: Streamer) -> AsyncIterator[httpx.AsyncClient]:
    """The maker of the application is no friend of hers."""
    async with signed_in(site, f"{maker.slug}@example.org") as client:
        yield client


class TestCodes:
    async def test_a_code_used_twice_ends_what_came_of_it(
        self, site: Site, her: httpx.AsyncClient, program: Program
    ) -> None:
        code = await code_from(her, program)
        tokens = (await program.exchange(code)).json()
        other = await program.given(her)
        assert error_of(await program.exchange(code)) == (400, "invalid_grant")
        assert not await opens(site, tokens["access_token"])
        assert error_of(await program.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
        assert await opens(site, other["access_token"]), "another consent is another matter"

    async def test_two_at_once_with_one_code(self, site: Site, her: httpx.AsyncClient, program: Program) -> None:
        code = await code_from(her, program)
        answers = await asyncio.gather(*(program.exchange(code) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers)[1:] == [400, 400, 400]
        for answer in answers:
            if answer.status_code == 200:
                assert not await opens(site, answer.json()["access_token"])

    async def test_a_code_is_good_for_a_minute(self, site: Site, her: httpx.AsyncClient, program: Program) -> None:
        code = await code_from(her, program)
        await site.pool.execute("UPDATE grants SET code_expires_at = now()")
        assert error_of(await program.exchange(code)) == (400, "invalid_grant")
        left = await site.pool.fetchval("SELECT count(*) FROM access_tokens")
        assert left == 0

    async def test_another_applications_code(
        self, site: Site, her: httpx.AsyncClient, program: Program, public: Program
    ) -> None:
        """Also not by naming the other as oneself, and the code stays good for whose it is."""
        code = await code_from(her, program)
        public.verifier = program.verifier
        assert error_of(await public.exchange(code)) == (400, "invalid_grant")
        assert error_of(await public.exchange(code, client_id=program.client_id))[1] == "invalid_client"
        assert (await program.exchange(code)).status_code == 200
        # And a stranger who shows the used code again revokes nothing.
        assert error_of(await public.exchange(code)) == (400, "invalid_grant")
        assert await site.rows("SELECT * FROM grants WHERE revoked_at IS NOT NULL") == []

    @pytest.mark.parametrize("kind", ["program", "public"])
    async def test_what_gives_no_tokens(
        self, site: Site, her: httpx.AsyncClient, program: Program, public: Program, kind: str
    ) -> None:
        """A code that was stolen on its way (injection) is worth nothing without the verifier."""
        asking = {"program": program, "public": public}[kind]
        code = await code_from(her, asking)
        for changed, error in WRONG_EXCHANGES:
            form: Changes = {"code": code, **changed}
            assert error_of(await asking.exchange(**form)) == (400, error), changed
        assert await site.rows("SELECT * FROM access_tokens") == []
        assert (await asking.exchange(code)).status_code == 200, "whose it is can still use it"

    async def test_the_challenge_itself_is_no_verifier(self, her: httpx.AsyncClient, public: Program) -> None:
        """Nor is a code of one's own worth anything in another's session: PKCE downgrade and injection."""
        code = await code_from(her, public)
        challenge = public.request()["code_challenge"]
        assert error_of(await public.exchange(code, code_verifier=challenge)) == (400, "invalid_grant")


class TestWhoAsks:
    async def test_a_secret_is_shown_in_one_way(self, her: httpx.AsyncClient, program: Program) -> None:
        tokens = await program.given(her)
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        good = (program.client_id, str(program.secret))
        answer = await program.post("/oauth/token", {**form, "client_secret": str(program.secret)}, auth=good)
        assert error_of(answer) == (400, "invalid_request")
        answer = await program.post("/oauth/token", {**form, "client_id": "app_" + "x" * 22}, auth=good)
        assert error_of(answer) == (400, "invalid_request")
        answer = await program.post("/oauth/token", form, auth=good)
        assert answer.status_code == 200, "and this is how"

    @pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
    async def test_without_the_secret_a_confidential_one_is_nobody(
        self, site: Site, her: httpx.AsyncClient, program: Program, path: str
    ) -> None:
        tokens = await program.given(her)
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"],
                "token": tokens["refresh_token"]}  # fmt: skip
        wrong = ("", "x", "scs_" + "x" * 43, str(program.secret) + "x", str(program.secret)[:-1], "\x00", "ю")
        for secret in wrong:
            answer = await program.post(path, {**form, "client_id": program.client_id, "client_secret": secret})
            assert answer.json()["error"] == "invalid_client"
            answer = await program.post(path, form, auth=(program.client_id, secret))
            assert error_of(answer) == (401, "invalid_client")
            assert answer.headers["WWW-Authenticate"].startswith("Basic")
        answer = await program.post(path, {**form, "client_id": program.client_id})
        assert answer.json()["error"] == "invalid_client"
        for header in ("Basic", "Basic x", "Basic ////", "Basic \xff\xfe", "Basic gICA", "Bearer x", "Basic Og=="):
            raw = httpx.Headers([(b"Authorization", header.encode("latin-1"))])
            answer = await program.post(path, form, headers=raw)
            assert answer.json()["error"] == "invalid_client", header
        assert await opens(site, tokens["access_token"])

    async def test_a_public_one_has_no_secret_to_show(self, her: httpx.AsyncClient, public: Program) -> None:
        code = await code_from(her, public)
        assert (await public.exchange(code, client_secret="x")).json()["error"] == "invalid_client"
        assert (await public.exchange(code)).status_code == 200

    async def test_a_parameter_given_twice(self, program: Program) -> None:
        for path in ("/oauth/token", "/oauth/revoke"):
            answer = await program.post(
                path, {"token": ["a", "b"], "grant_type": "refresh_token", **program.credentials}
            )
            assert error_of(answer) == (400, "invalid_request")

    async def test_garbage_is_answered_in_json(self, site: Site) -> None:
        for path in ("/oauth/token", "/oauth/revoke"):
            for body, kind in (
                (b"", "application/x-www-form-urlencoded"),
                (b'{"grant_type": "refresh_token"}', "application/json"),
                (b"\xff\xfe=%zz&&&==", "application/x-www-form-urlencoded"),
                (b"--x\r\n", "multipart/form-data; boundary=x"),
                (b"client_id=" + b"x" * 30_000, "application/x-www-form-urlencoded"),
            ):
                answer = await site.client.post(path, content=body, headers={"Content-Type": kind})
                assert answer.status_code in (400, 401), (path, kind)
                assert answer.json()["error"]
            answer = await site.client.get(path)
            assert answer.status_code == 405
            assert answer.headers["Content-Type"] == "application/problem+json"

    async def test_cookies_are_no_authority_and_other_sites_may_ask_only_if_named(
        self, site: Site, her: httpx.AsyncClient
    ) -> None:
        foreign = {"Origin": "https://bot.example.org"}
        answer = await her.post("/oauth/token", data={"grant_type": "refresh_token"}, headers=foreign)
        assert answer.json()["error"] == "invalid_client"
        assert "Access-Control-Allow-Origin" not in answer.headers
        described = await site.client.get("/.well-known/oauth-authorization-server", headers=foreign)
        assert described.headers["Access-Control-Allow-Origin"] == "*"


class TestRefreshing:
    async def test_each_token_is_used_once_and_a_stolen_one_ends_the_family(
        self, site: Site, her: httpx.AsyncClient, public: Program
    ) -> None:
        first = await public.given(her)
        second = (await public.refresh(first["refresh_token"])).json()
        third = (await public.refresh(second["refresh_token"])).json()
        # Whoever of the two is the thief: a token that was used long ago comes again.
        await site.pool.execute("UPDATE refresh_tokens SET used_at = used_at - interval '1 hour'")
        assert error_of(await public.refresh(first["refresh_token"])) == (400, "invalid_grant")
        assert error_of(await public.refresh(third["refresh_token"])) == (400, "invalid_grant")
        for tokens in (first, second, third):
            assert not await opens(site, tokens["access_token"])

    async def test_a_lost_answer_is_given_again(self, site: Site, her: httpx.AsyncClient, public: Program) -> None:
        first = await public.given(her)
        lost = (await public.refresh(first["refresh_token"])).json()
        again = (await public.refresh(first["refresh_token"])).json()
        assert again["refresh_token"] == lost["refresh_token"]
        assert again["access_token"] != lost["access_token"]
        assert await opens(site, again["access_token"])
        third = (await public.refresh(again["refresh_token"])).json()
        assert await opens(site, third["access_token"])
        # But not once the next one was used: then two people have it.
        assert error_of(await public.refresh(first["refresh_token"])) == (400, "invalid_grant")
        assert not await opens(site, third["access_token"])

    async def test_two_at_once_get_the_same(self, site: Site, her: httpx.AsyncClient, public: Program) -> None:
        first = await public.given(her)
        answers = await asyncio.gather(*(public.refresh(first["refresh_token"]) for _ in range(4)))
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["refresh_token"] for answer in answers}) == 1
        assert len({answer.json()["access_token"] for answer in answers}) == 4
        assert len(await site.rows("SELECT * FROM refresh_tokens WHERE used_at IS NULL")) == 1

    async def test_it_may_ask_for_less_and_never_for_more(
        self, site: Site, her: httpx.AsyncClient, public: Program
    ) -> None:
        first = await public.given(her)
        for scope in ("donations:original", f"{SCOPES} goals:write", "no:such"):
            assert error_of(await public.refresh(first["refresh_token"], scope=scope)) == (400, "invalid_scope")
        less = (await public.refresh(first["refresh_token"], scope="stats:read")).json()
        assert less["scope"] == "stats:read"
        (row,) = await site.rows("SELECT scopes FROM access_tokens ORDER BY id DESC LIMIT 1")
        assert row["scopes"] == ["stats:read"]
        more = (await public.refresh(less["refresh_token"])).json()
        assert set(more["scope"].split()) == set(SCOPES.split()), "what she allowed has not become less"

    async def test_anothers_or_an_old_one_refreshes_nothing(
        self, site: Site, her: httpx.AsyncClient, maker: Streamer, public: Program
    ) -> None:
        first = await public.given(her)
        other = await register(site, maker, is_public=True)
        assert error_of(await other.refresh(first["refresh_token"])) == (400, "invalid_grant")
        for token in ("", "x", first["access_token"], first["refresh_token"] + "x", "\x00", "x" * 50_000):
            status, error = error_of(await public.refresh(token))
            assert (status, error) == (400, "invalid_grant")
        await site.pool.execute("UPDATE refresh_tokens SET expires_at = now()")
        assert error_of(await public.refresh(first["refresh_token"])) == (400, "invalid_grant")
        # An access token lives on its own, for its hour.
        assert await opens(site, first["access_token"])
        await site.pool.execute("UPDATE access_tokens SET expires_at = now()")
        assert not await opens(site, first["access_token"])

    async def test_a_refresh_token_opens_nothing_by_itself(
        self, site: Site, her: httpx.AsyncClient, public: Program
    ) -> None:
        assert not await opens(site, (await public.given(her))["refresh_token"])


class TestTheEnd:
    async def test_the_operator_switches_it_off_and_on(
        self, site: Site, her: httpx.AsyncClient, boss: httpx.AsyncClient, program: Program
    ) -> None:
        tokens = await program.given(her)
        page = (await boss.get("/admin/applications")).text
        for words in ("Чат-бот", "boris@example.org", BACK, "1 person has allowed it"):
            assert words in page
        assert (await her.get("/admin/applications")).status_code == 404
        assert (await her.post(f"/admin/applications/{program.id}/off")).status_code == 404
        assert await opens(site, tokens["access_token"])
        for act, said in (("off", "application-off"), ("off", "nothing-to-do")):
            answer = await boss.post(f"/admin/applications/{program.id}/{act}")
            assert answer.headers["Location"].endswith(f"said={said}")
        assert not await opens(site, tokens["access_token"])
        assert "switched off by the operator" in (await her.get("/dashboard/api")).text
        async with signed_in(site, "boris@example.org") as his:
            assert "The operator of this site switched it off" in (await his.get("/dashboard/applications")).text
        assert (await boss.post(f"/admin/applications/{program.id}/on")).status_code == 303
        assert await opens(site, tokens["access_token"])
        assert (await boss.post("/admin/applications/2147483647/off")).status_code == 404
        log = await site.rows("SELECT action FROM account_log WHERE action LIKE 'application_o%' ORDER BY id")
        assert [line["action"] for line in log] == ["application_off", "application_on"]

    async def test_an_access_token_alone(self, site: Site, her: httpx.AsyncClient, public: Program) -> None:
        tokens = await public.given(her)
        answer = await public.revoke(tokens["access_token"], token_type_hint="access_token")
        assert (answer.status_code, answer.json()) == (200, {})
        assert not await opens(site, tokens["access_token"])
        assert (await public.refresh(tokens["refresh_token"])).status_code == 200

    async def test_the_family(self, site: Site, her: httpx.AsyncClient, public: Program) -> None:
        tokens = await public.given(her)
        for _ in range(2):
            assert (await public.revoke(tokens["refresh_token"])).status_code == 200
        assert not await opens(site, tokens["access_token"])
        assert error_of(await public.refresh(tokens["refresh_token"])) == (400, "invalid_grant")

    async def test_nobody_ends_anothers(
        self, site: Site, her: httpx.AsyncClient, program: Program, public: Program
    ) -> None:
        tokens = await program.given(her)
        for token in (tokens["access_token"], tokens["refresh_token"], "x"):
            assert (await public.revoke(token)).status_code == 200, "whether there is such a token is not told"
        assert await opens(site, tokens["access_token"])
        assert error_of(await public.revoke("")) == (400, "invalid_request")

    async def test_she_takes_it_back(
        self, site: Site, her: httpx.AsyncClient, stranger: httpx.AsyncClient, public: Program
    ) -> None:
        first, second = await public.given(her), await public.given(her, scope="goals:write")
        page = (await her.get("/dashboard/api")).text
        assert "Чат-бот" in page
        assert page.count("Take the access back…") == 1, "two devices are one application"
        assert (await stranger.post(f"/dashboard/api/applications/{public.id}/revoke")).status_code == 404
        assert await opens(site, first["access_token"])
        answer = await her.post(f"/dashboard/api/applications/{public.id}/revoke")
        assert answer.status_code == 303
        for tokens in (first, second):
            assert not await opens(site, tokens["access_token"])
            assert error_of(await public.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
        assert "No application has access" in (await her.get("/dashboard/api")).text
        assert (await her.post(f"/dashboard/api/applications/{public.id}/revoke")).status_code == 404

    async def test_devices_are_few(self, site: Site, her: httpx.AsyncClient, public: Program) -> None:
        first = await public.given(her)
        await site.pool.execute(
            "INSERT INTO grants (application_id, user_id, streamer_id, scopes, code_hash, code_expires_at,"
            " code_challenge, redirect_uri, exchanged_at) SELECT application_id, user_id, streamer_id, scopes,"
            " sha256(n::text::bytea), now(), code_challenge, redirect_uri, CASE WHEN n < 20 THEN now() END"
            " FROM grants, generate_series(1, 30) AS n"
        )
        assert await opens(site, first["access_token"])
        await public.given(her)
        assert not await opens(site, first["access_token"])
