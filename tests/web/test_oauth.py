"""Applications of strangers: the way from the consent to the tokens, and everything that may go wrong before them
(RFC 6749, 7636, 8252, 8414, 9207, and the attacks of RFC 9700)."""

import html
import re
import warnings
from urllib.parse import urlencode

import httpx
import pytest

from domain.streamers import Streamer
from tests.support.site import Site
from tests.web.conftest import signed_in
from tests.web.oauth_cast import BACK, SCOPES, Changes, Program, code_from, decide, error_of, fields_of, opens, register

with warnings.catch_warnings():
    # It would rather have httpx2, which this project does not use.
    warnings.simplefilter("ignore")
    from authlib.integrations.httpx_client import AsyncOAuth2Client

FALSE_ADDRESSES = (
    "",
    "https://evil.example",
    "https://evil.example/back",
    f"{BACK}/",
    f"{BACK}/../evil",
    f"{BACK}?x=1",
    f"{BACK}#x",
    f"{BACK}%2f..%2fevil",
    BACK[:-1],
    BACK.upper(),
    BACK.replace("https", "http"),
    BACK.replace("//", "//evil.example@"),
    BACK.replace("bot.example.org", "bot.example.org@evil.example"),
    BACK.replace("bot.example.org", "bot.example.org.evil.example"),
    BACK.replace("bot.example.org", "bot.example.org:444"),
    BACK.replace("https://", "https:\\\\"),
    f" {BACK}",
    f"{BACK}\n",
    "javascript:alert(1)//org.example",
    '"><script>',
    "http://127.0.0.1:80@evil.example/back",
    "ю" * 300,
)
"""None of them is `BACK`."""
WRONG_REQUESTS: tuple[tuple[Changes, str], ...] = (
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_type": 'ю"\\'}, "unsupported_response_type"),
    ({"response_type": None}, "unsupported_response_type"),
    ({"scope": None}, "invalid_scope"),
    ({"scope": " "}, "invalid_scope"),
    ({"scope": "donations:read money:take"}, "invalid_scope"),
    ({"scope": "donations:read\x00"}, "invalid_scope"),
    ({"scope": "DONATIONS:READ"}, "invalid_scope"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": "s256"}, "invalid_request"),
    ({"code_challenge": "x" * 42}, "invalid_request"),
    ({"code_challenge": "x" * 129}, "invalid_request"),
    ({"code_challenge": "ю" * 43}, "invalid_request"),
    ({"state": "x" * 2_001}, "invalid_request"),
)
"""Of the consent, and what the application may be told."""


@pytest.fixture
async def site(kept_site: Site) -> Site:
    return kept_site


class TestTheWay:
    async def test_with_a_library_from_end_to_end(self, site: Site, her: httpx.AsyncClient, program: Program) -> None:
        """As a stranger would write it: Authlib's client, which knows nothing of us but the description."""
        described = (await site.client.get("/.well-known/oauth-authorization-server")).json()
        assert described["issuer"] == site.url
        assert described["code_challenge_methods_supported"] == ["S256"]
        async with AsyncOAuth2Client(
            program.client_id,
            program.secret,
            scope=SCOPES,
            redirect_uri=BACK,
            code_challenge_method="S256",
            token_endpoint=described["token_endpoint"],
            update_token=None,
        ) as client:
            address, state = client.create_authorization_url(
                described["authorization_endpoint"], code_verifier=program.verifier
            )
            back = await decide(her, address)
            assert (back[""], back["state"], back["iss"]) == (BACK, state, described["issuer"])
            came = str(httpx.URL(BACK, params={name: value for name, value in back.items() if name}))
            token = await client.fetch_token(
                described["token_endpoint"], authorization_response=came, state=state, code_verifier=program.verifier
            )
            assert token["token_type"] == "Bearer"
            assert token["expires_in"] == 3600
            assert set(token["scope"].split()) == set(SCOPES.split())
            assert token["access_token"].startswith("sc_")
            assert await opens(site, token["access_token"])
            second = await client.refresh_token(described["token_endpoint"])
            assert second["refresh_token"] != token["refresh_token"]
            assert await opens(site, second["access_token"])
            revoked = await client.revoke_token(
                described["revocation_endpoint"], second["refresh_token"], token_type_hint="refresh_token"
            )
            assert revoked.status_code == 200
        assert not await opens(site, token["access_token"])
        assert not await opens(site, second["access_token"])

    async def test_the_token_acts_for_her_page_with_what_she_allowed(
        self, site: Site, her: httpx.AsyncClient, streamer: Streamer, public: Program
    ) -> None:
        tokens = await public.given(her)
        (row,) = await site.rows("SELECT user_id, streamer_id, scopes, name, hint FROM access_tokens")
        assert row == {
            "user_id": streamer.owner_id,
            "streamer_id": streamer.id,
            "scopes": ["donations:read", "stats:read"],
            "name": "",
            "hint": tokens["access_token"][-4:],
        }
        for table in ("grants", "access_tokens", "refresh_tokens", "applications"):
            told = str(await site.rows(f"SELECT * FROM {table}"))
            assert not [secret for secret in (tokens["access_token"], tokens["refresh_token"]) if secret in told]

    async def test_she_refuses(self, site: Site, her: httpx.AsyncClient, program: Program) -> None:
        back = await decide(her, program.address(), "refuse")
        assert (back[""], back["error"], back["state"]) == (BACK, "access_denied", program.request()["state"])
        assert back["iss"] == site.url
        assert "code" not in back
        assert await site.rows("SELECT * FROM grants") == []

    async def test_who_is_not_signed_in_signs_in_first_and_comes_back(
        self, site: Site, streamer: Streamer, program: Program
    ) -> None:
        answer = await site.client.get(program.address())
        assert answer.status_code == 303
        there = httpx.URL(answer.headers["Location"])
        assert there.path == "/sign-in"
        page = await site.client.get(answer.headers["Location"])
        back = re.search(r'name="next" value="([^"]+)"', page.text)
        assert back is not None
        assert there.params["next"].startswith("/oauth/authorize?")
        async with httpx.AsyncClient(base_url=site.url, headers={"Origin": site.url}, timeout=30) as browser:
            form = {"email": f"{streamer.slug}@example.org", "password": "correct horse battery"}
            answer = await browser.post("/sign-in", data={**form, "next": there.params["next"]})
            assert (await browser.get(answer.headers["Location"])).status_code == 200

    async def test_who_was_signed_out_before_deciding_is_asked_once_more(self, site: Site, program: Program) -> None:
        form = {**program.request(), "user": "1", "decision": "allow"}
        answer = await site.client.post("/oauth/authorize", data=form, headers={"Origin": site.url})
        assert answer.status_code == 303
        back = httpx.URL(answer.headers["Location"]).params["next"]
        assert dict(httpx.URL(back).params) == program.request()
        assert await site.rows("SELECT * FROM grants") == []

    async def test_the_page_says_who_asks_for_what(self, her: httpx.AsyncClient, site: Site, maker: Streamer) -> None:
        program = await register(site, maker, name="<b>Мой</b> бот")
        page = (await her.get(program.address(scope="donations:original alerts:control stats:read"))).text
        assert "&lt;b&gt;Мой&lt;/b&gt; бот" in page
        for words in ("Борис", "Анна", "bot.example.org", "did not check", "Read what donors really wrote",
                      "Control alerts on the stream", "moderation no longer protects"):  # fmt: skip
            assert words in page
        harmless = (await her.get(program.address())).text
        assert "moderation no longer protects" not in harmless
        assert "What it may do on your behalf" not in harmless

    async def test_without_a_page_there_is_nothing_to_allow(
        self, site: Site, boss: httpx.AsyncClient, program: Program
    ) -> None:
        page = await boss.get(program.address())
        assert "no page yet" in page.text
        form = {**program.request(), "user": str(await site.pool.fetchval("SELECT max(id) FROM users"))}
        assert "no page yet" in (await boss.post("/oauth/authorize", data={**form, "decision": "allow"})).text
        assert await site.rows("SELECT * FROM grants") == []

    @pytest.mark.parametrize(
        "registered", ["http://127.0.0.1/back", "http://[::1]:1/back?a=b", "http://localhost/back"]
    )
    async def test_a_program_on_her_computer_has_a_port_of_the_moment(
        self, site: Site, her: httpx.AsyncClient, maker: Streamer, registered: str
    ) -> None:
        program = await register(site, maker, is_public=True, uris=(registered,))
        asked = re.sub(r"(//(?:[\w.]+|\[::1\]))(:1)?/", r"\1:53017/", registered)
        back = await decide(her, program.address(redirect_uri=asked))
        assert back[""] == asked.partition("?")[0]
        assert (await program.exchange(back["code"], redirect_uri=registered)).status_code == 400
        assert (await program.exchange(back["code"], redirect_uri=asked)).status_code == 200

    async def test_a_scheme_of_its_own(self, site: Site, her: httpx.AsyncClient, maker: Streamer) -> None:
        program = await register(site, maker, is_public=True, uris=("org.example.bot:/back",))
        back = await decide(her, program.address(redirect_uri="org.example.bot:/back", state=None))
        assert back[""] == "org.example.bot:/back"
        assert "state" not in back


class TestWhereAnswersGo:
    async def test_only_a_registered_address_gets_any(
        self, site: Site, her: httpx.AsyncClient, program: Program
    ) -> None:
        for uri in FALSE_ADDRESSES:
            asked = program.request(redirect_uri=uri)
            for answer in (
                await her.get("/oauth/authorize", params=asked),
                await her.post("/oauth/authorize", data={**asked, "user": "1", "decision": "allow"}),
            ):
                assert (answer.status_code, answer.headers.get("Location")) == (400, None), uri
                assert "Back to the application" not in answer.text
                assert "<script>" not in answer.text
        assert await site.rows("SELECT * FROM grants") == []

    async def test_an_unknown_application_leads_nowhere(self, her: httpx.AsyncClient, program: Program) -> None:
        for client_id in ("", "app_", "app_" + "x" * 22, "app_" + "x" * 5_000, "\x00", "' OR 1=1", "ю"):
            answer = await her.get("/oauth/authorize", params=program.request(client_id=client_id))
            assert (answer.status_code, answer.headers.get("Location")) == (400, None), client_id
            assert BACK not in answer.text

    async def test_what_is_wrong_is_told_with_a_press_only(
        self, site: Site, her: httpx.AsyncClient, program: Program
    ) -> None:
        """Nobody is led anywhere by opening a link of ours: anybody may register an address to lead to."""
        for changed, error in WRONG_REQUESTS:
            asked = program.request(**changed)
            for answer in (
                await her.get("/oauth/authorize", params=asked),
                await site.client.get("/oauth/authorize", params=asked),
                await her.post("/oauth/authorize", data={**asked, "user": "1", "decision": "allow"}),
            ):
                assert (answer.status_code, answer.headers.get("Location")) == (400, None), changed
                assert f"{BACK}?error={error}" in answer.text, changed
                assert "iss=" in answer.text
        assert await site.rows("SELECT * FROM grants") == []

    async def test_another_kind_of_answer_is_refused_in_words_that_are_said_once(
        self, her: httpx.AsyncClient, program: Program
    ) -> None:
        page = (await her.get("/oauth/authorize", params=program.request(response_type="token"))).text
        words = "'response_type' must be 'code'"
        assert html.unescape(page).count(words) == 1
        assert urlencode({"error_description": words}) in html.unescape(page)
        assert "is not supported" not in page

    async def test_a_parameter_given_twice_counts_as_neither(self, her: httpx.AsyncClient, program: Program) -> None:
        for name, value in (
            ("scope", "stats:read"),
            ("redirect_uri", "https://evil.example"),
            ("client_id", "x"),
            ("state", "x"),
            ("code_challenge", "x" * 43),
            ("code_challenge_method", "plain"),
        ):
            for query in (f"{urlencode(program.request())}&{urlencode({name: value})}",
                          f"{urlencode({name: value})}&{urlencode(program.request())}"):  # fmt: skip
                answer = await her.get(f"/oauth/authorize?{query}")
                assert (answer.status_code, answer.headers.get("Location")) == (400, None), name


class TestTheConsent:
    async def test_no_other_site_shows_it_in_a_frame_or_answers_it(
        self, site: Site, her: httpx.AsyncClient, program: Program
    ) -> None:
        page = await her.get(program.address())
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
        form = {**fields_of(page.text), "decision": "allow"}
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "https://bot.example.org"},
            {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
            {"Origin": "null"},
        ):
            answer = await her.post("/oauth/authorize", data=form, headers=headers)
            assert answer.status_code == 403
        # And nothing is allowed by opening an address.
        assert "code=" not in (await her.get("/oauth/authorize", params=form)).headers.get("Location", "")
        assert await site.rows("SELECT * FROM grants") == []

    async def test_who_signed_in_meanwhile_is_asked_anew(
        self, site: Site, her: httpx.AsyncClient, program: Program
    ) -> None:
        form = {**fields_of((await her.get(program.address())).text), "decision": "allow"}
        async with signed_in(site, "boris@example.org") as his:
            answer = await his.post("/oauth/authorize", data=form)
        assert answer.status_code == 200
        assert "asks for access" in answer.text
        assert await site.rows("SELECT * FROM grants") == []

    async def test_no_decision_is_none(self, site: Site, her: httpx.AsyncClient, program: Program) -> None:
        form = fields_of((await her.get(program.address())).text)
        for decision in ({}, {"decision": ""}, {"decision": "ALLOW"}):
            assert (await her.post("/oauth/authorize", data={**form, **decision})).status_code == 422
        assert await site.rows("SELECT * FROM grants") == []

    async def test_what_is_switched_off_or_whose_maker_is_blocked_asks_nothing(
        self, site: Site, her: httpx.AsyncClient, program: Program
    ) -> None:
        tokens = await program.given(her)
        code = await code_from(her, program)
        for off, on in (
            ("UPDATE applications SET switched_off_at = now()", "UPDATE applications SET switched_off_at = NULL"),
            (
                "UPDATE users SET is_active = false WHERE email = 'boris@example.org'",
                "UPDATE users SET is_active = true",
            ),
        ):
            await site.pool.execute(off)
            assert (await her.get(program.address())).status_code == 400
            assert error_of(await program.exchange(code))[1] == "invalid_client"
            assert error_of(await program.refresh(tokens["refresh_token"]))[1] == "invalid_client"
            await site.pool.execute(on)
        assert await opens(site, tokens["access_token"])

    async def test_a_blocked_streamer_is_acted_for_by_nobody(
        self, site: Site, her: httpx.AsyncClient, streamer: Streamer, program: Program
    ) -> None:
        tokens, code = await program.given(her), await code_from(her, program)
        await site.pool.execute("UPDATE users SET is_active = false WHERE id = $1", streamer.owner_id)
        assert not await opens(site, tokens["access_token"])
        assert error_of(await program.refresh(tokens["refresh_token"])) == (400, "invalid_grant")
        assert error_of(await program.exchange(code)) == (400, "invalid_grant")
