"""Connecting one's own terminal: tried at the bank first, kept in secret, and nobody else's business."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.streamers import Streamer
from domain.terminals import Terminal, list_terminals
from infra.crypto import SecretBox
from tasks.letters import render, site_values
from tests.support.programs import Stack
from tests.support.servers import TEMPLATE, Servers
from tests.support.site import Site, open_site
from tests.web.conftest import PASSWORD, signed_in

KEY, SECRET = "1700000000001", "s3cr3t_0f_4nna"
SHOP, SHOP_SECRET = "100501", "live_Zx81-annas-shop"
TBANK, YOOKASSA = "/dashboard/terminals/connect/tbank", "/dashboard/terminals/connect/yookassa"


class World:
    """A site whose providers are the simulator, and its streamer without a terminal."""

    def __init__(self, site: Site, bank: httpx.AsyncClient, streamer: Streamer) -> None:
        self.site = site
        self.bank = bank
        self.streamer = streamer

    async def add_terminal(self, key: str = KEY, password: str = SECRET) -> None:
        await self._tell("/_sim/terminals", terminal_key=key, password=password)

    async def fail(self, kind: str, **options: Any) -> None:
        await self._tell("/_sim/faults", method="CheckOrder", kind=kind, **options)

    async def add_shop(self, shop_id: str = SHOP, secret_key: str = SHOP_SECRET) -> None:
        await self._tell("/_sim/yookassa/shops", shop_id=shop_id, secret_key=secret_key)

    async def _tell(self, path: str, **body: Any) -> None:
        (await self.bank.post(path, json=body)).raise_for_status()

    async def terminals(self, streamer: Streamer | None = None) -> list[Terminal]:
        async with self.site.pool.acquire() as connection:
            return await list_terminals(connection, (streamer or self.streamer).id)

    def secret_of(self, terminal: Terminal) -> str:
        return terminal.secret(SecretBox(self.site.settings.secret_keys.get_secret_value()))


@pytest.fixture(scope="module")
async def _kept(_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, str]]:
    """One site and one simulator for all tests of this file."""
    database_url = await _servers.postgres.create_database("terminals_pages", template=TEMPLATE)
    redis_url = _servers.valkey.url()
    stack = Stack(
        tmp_path_factory.mktemp("terminals"), database_url=database_url, redis_url=redis_url, rabbitmq_url=None
    )
    stack.start("simulator")
    api_urls = json.loads(stack.environment["PROVIDER_API_URLS"])
    async with open_site(database_url, redis_url, provider_api_urls=api_urls, smtp_host="127.0.0.1") as site:
        yield site, stack.simulator_url
    stack.stop()
    await _servers.postgres.drop_database("terminals_pages")


@pytest.fixture
async def world(_kept: tuple[Site, str]) -> AsyncIterator[World]:
    site, simulator_url = _kept
    async with httpx.AsyncClient(base_url=simulator_url) as bank:
        world = World(site, bank, await site.add_streamer(terminal=False))
        await world.add_terminal()
        yield world
        await site.pool.execute("DELETE FROM overlay_tokens")
        (await bank.delete("/_sim/faults")).raise_for_status()
    await site.pool.execute("DELETE FROM provider_health")
    await site.empty()


@pytest.fixture
async def her(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(world.site, "anna@example.org") as client:
        yield client


def said(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].partition("said=")[2]


class TestConnecting:
    async def test_a_letter_says_where_the_money_goes_now(self, world: World, her: httpx.AsyncClient) -> None:
        async def letters() -> list[dict[str, str]]:
            return [row["data"] for row in await world.site.rows("SELECT data FROM letters ORDER BY id")]

        await world.site.pool.execute("DELETE FROM letters")
        await her.post(TBANK, data={"key": KEY, "secret": "wrong"})
        assert await letters() == []
        for _ in range(2):
            # The same once more changes nothing for the money.
            assert said(await her.post(TBANK, data={"key": KEY, "secret": SECRET})) == "connected"
        assert await letters() == [{"provider": "Т-Банк", "key_end": "0001", "page": "anna"}]
        await world.add_terminal("1700000000002", "of_a_thief")
        await her.post(TBANK, data={"key": "1700000000002", "secret": "of_a_thief"})
        assert [data["key_end"] for data in await letters()] == ["0001", "0002"]
        for locale, words in (("ru", "приходят на счёт"), ("en", "donations go to its owner")):
            subject, text = render(
                "terminal_connected", locale, site_values(world.site.settings) | (await letters())[1]
            )
            assert "0002" in subject
            assert words in text

    async def test_in_development_the_form_names_a_pair_that_it_takes(
        self, world: World, her: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = f"1{world.streamer.id:012}DEMO"
        page = await her.get("/dashboard/terminals")
        assert f"<code>{key}</code> <code>simulator-trial</code>" in page.text
        answer = await her.post(TBANK, data={"key": key, "secret": "simulator-trial"})
        assert said(answer) == "connected"
        # The pair of T-Bank's documents is one word twice, which is a mistake in every other case.
        answer = await her.post(TBANK, data={"key": "TinkoffBankTest", "secret": "TinkoffBankTest"})
        assert answer.status_code == 422
        monkeypatch.setitem(world.site.settings.__dict__, "in_development", False)
        assert "simulator-trial" not in (await her.get("/dashboard/terminals")).text

    async def test_a_pair_that_fits_is_checked_and_used(self, world: World, her: httpx.AsyncClient) -> None:
        page = await her.get("/dashboard/terminals")
        assert "until then the donation page is closed" in page.text
        assert f"{world.site.url}/api/v1/payments/webhook/tbank" in page.text
        assert (await her.get("/donate/anna")).text.count("Donations are not open yet") == 1
        answer = await her.post(TBANK, data={"key": f"  {KEY}\u200b", "secret": f"\t{SECRET}\n"})
        assert said(answer) == "connected"
        [terminal] = await world.terminals()
        assert (terminal.provider, terminal.terminal_key) == ("tbank", KEY)
        assert terminal.checked_at is not None
        assert world.secret_of(terminal) == SECRET
        assert SECRET not in terminal.secret_encrypted
        page = await her.get(answer.headers["Location"])
        assert "Connected and checked." in page.text
        assert "in use" in page.text
        assert "Test mode" not in page.text
        assert "Support" in (await her.get("/donate/anna")).text

    async def test_a_pair_that_does_not_fit_is_not_kept(self, world: World, her: httpx.AsyncClient) -> None:
        for key, secret in ((KEY, "another"), ("1700000000099", SECRET)):
            answer = await her.post(TBANK, data={"key": key, "secret": secret, "unchecked": "yes"})
            assert answer.status_code == 422
            assert "T-Bank did not accept the key: terminal and password do not fit each other." in answer.text
            assert "The old keys still work." not in answer.text
            assert "Save without checking" not in answer.text
        assert await world.terminals() == []

    async def test_a_wrong_pair_leaves_the_old_one_at_work(self, world: World, her: httpx.AsyncClient) -> None:
        await her.post(TBANK, data={"key": KEY, "secret": SECRET})
        answer = await her.post(TBANK, data={"key": KEY, "secret": "another"})
        assert "The old keys still work." in answer.text
        [terminal] = await world.terminals()
        assert world.secret_of(terminal) == SECRET
        assert terminal.former_secret_encrypted is None

    @pytest.mark.parametrize("kind", ["error_500", "reset", "invalid_json"])
    async def test_the_bank_is_away(self, world: World, her: httpx.AsyncClient, kind: str) -> None:
        """What it could not say is offered to be kept; where it can speak again, it is asked all the same."""
        await world.fail(kind, times=2)
        answer = await her.post(TBANK, data={"key": KEY, "secret": SECRET})
        assert answer.status_code == 422
        assert "T-Bank does not answer now" in answer.text
        assert "Save without checking" in answer.text
        assert await world.terminals() == []
        answer = await her.post(TBANK, data={"key": KEY, "secret": SECRET, "unchecked": "yes"})
        assert said(answer) == "connected-unchecked"
        [terminal] = await world.terminals()
        assert terminal.checked_at is None
        assert "not yet: saved without checking" in (await her.get("/dashboard/terminals")).text
        answer = await her.post("/dashboard/terminals/check", data={"terminal_id": terminal.id})
        assert said(answer) == "check-good"
        assert (await world.terminals())[0].checked_at is not None

    async def test_who_saves_unchecked_is_checked_if_the_bank_is_back(
        self, world: World, her: httpx.AsyncClient
    ) -> None:
        answer = await her.post(TBANK, data={"key": KEY, "secret": SECRET, "unchecked": "yes"})
        assert said(answer) == "connected"
        assert (await world.terminals())[0].checked_at is not None

    async def test_a_blocked_shop_is_told_what_the_matter_is(self, world: World, her: httpx.AsyncClient) -> None:
        await world.fail("error_code", code="202")
        answer = await her.post(TBANK, data={"key": KEY, "secret": SECRET})
        assert "The shop is blocked" in answer.text
        assert "Save without checking" in answer.text

    @pytest.mark.parametrize(
        ("key", "secret", "words"),
        [
            ("", SECRET, "1 to 20 Latin letters and digits without spaces."),
            ("1" * 21, SECRET, "1 to 20 Latin letters"),
            ("ключ", SECRET, "1 to 20 Latin letters"),
            ("17 00", SECRET, "1 to 20 Latin letters"),
            ("1700\x00", SECRET, "1 to 20 Latin letters"),
            (KEY, "", "Enter it."),
            (KEY, "пароль", "Latin letters, digits and signs without spaces."),
            (KEY, "two words", "Latin letters, digits and signs without spaces."),
            (KEY, "x" * 201, "Latin letters, digits and signs without spaces."),
            (KEY, KEY, "This is the same as above."),
        ],
    )
    async def test_what_cannot_be_a_pair_is_said_beside_the_field(
        self, world: World, her: httpx.AsyncClient, key: str, secret: str, words: str
    ) -> None:
        answer = await her.post(TBANK, data={"key": key, "secret": secret})
        assert answer.status_code == 422
        assert words in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert await world.terminals() == []

    async def test_with_htmx_the_form_comes_alone(self, her: httpx.AsyncClient) -> None:
        headers = {"HX-Request": "true"}
        answer = await her.post(TBANK, data={"key": KEY, "secret": "wrong"}, headers=headers)
        assert answer.status_code == 422
        assert answer.text.startswith('<details class="card connect" id="connect-tbank" open>')
        answer = await her.post(TBANK, data={"key": KEY, "secret": SECRET}, headers=headers)
        assert answer.headers["HX-Redirect"] == "/dashboard/terminals?said=connected"

    async def test_an_unknown_provider(self, her: httpx.AsyncClient) -> None:
        answer = await her.post("/dashboard/terminals/connect/paypal", data={"key": "1", "secret": "2"})
        assert answer.status_code == 404

    async def test_yookassa(self, world: World, her: httpx.AsyncClient) -> None:
        await world.add_shop()
        answer = await her.post(YOOKASSA, data={"key": SHOP, "secret": "live_another"})
        assert "YooKassa did not accept the key" in answer.text
        assert said(await her.post(YOOKASSA, data={"key": SHOP, "secret": SHOP_SECRET})) == "connected"
        [terminal] = await world.terminals()
        assert (terminal.provider, world.secret_of(terminal)) == ("yookassa", SHOP_SECRET)

    async def test_a_test_account_is_called_one(self, world: World, her: httpx.AsyncClient) -> None:
        await world.add_terminal("1700000000002DEMO")
        await world.add_shop("100502", "test_of_anna")
        await her.post(TBANK, data={"key": "1700000000002DEMO", "secret": SECRET})
        assert "The key ends in DEMO" in (await her.get("/dashboard/terminals")).text
        assert "Test mode" in (await her.get("/dashboard")).text
        await her.post(YOOKASSA, data={"key": "100502", "secret": "test_of_anna"})
        assert "The key begins with test_" in (await her.get("/dashboard/terminals")).text

    async def test_who_did_not_sign_in_just_now_is_asked_for_the_password(
        self, world: World, her: httpx.AsyncClient
    ) -> None:
        """Whoever finds her browser open has the money go nowhere."""
        assert "tbank-password" not in (await her.get("/dashboard/terminals")).text
        await world.site.pool.execute("UPDATE sessions SET created_at = created_at - interval '16 minutes'")
        assert "tbank-password" in (await her.get("/dashboard/terminals")).text
        for password, words in (("", "Enter your password."), ("guess", "This is not your password.")):
            answer = await her.post(TBANK, data={"key": KEY, "secret": SECRET, "password": password, "unchecked": "1"})
            assert answer.status_code == 422
            assert words in answer.text
            assert "guess" not in answer.text
        assert await world.terminals() == []
        # What is wrong with the pair is said before, and no try is counted for it.
        answer = await her.post(TBANK, data={"key": "", "secret": SECRET}, headers={"HX-Request": "true"})
        assert "This is not" not in answer.text
        assert "tbank-password" in answer.text
        assert said(await her.post(TBANK, data={"key": KEY, "secret": SECRET, "password": PASSWORD})) == "connected"

    async def test_without_a_password_one_signs_in_anew(self, world: World, her: httpx.AsyncClient) -> None:
        """Who comes by another site's account has none."""
        await world.site.pool.execute("UPDATE users SET password_hash = ''")
        await world.site.pool.execute("UPDATE sessions SET created_at = created_at - interval '16 minutes'")
        answer = await her.post(TBANK, data={"key": KEY, "secret": SECRET})
        assert answer.status_code == 422
        assert "sign out and in again" in answer.text
        assert await world.terminals() == []

    async def test_how_often(self, world: World, her: httpx.AsyncClient) -> None:
        for _ in range(20):
            assert (await her.post(TBANK, data={"key": KEY, "secret": "guess"})).status_code == 422
        answer = await her.post(TBANK, data={"key": KEY, "secret": SECRET})
        assert answer.status_code == 429
        assert await world.terminals() == []


class TestSecrets:
    async def test_a_secret_comes_in_and_never_goes_out(
        self, world: World, her: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        answers = [await her.post(TBANK, data={"key": KEY, "secret": "wr0ng_s3cret"})]
        await world.fail("error_500")
        answers.append(await her.post(TBANK, data={"key": KEY, "secret": SECRET}))
        # The two fields swapped: what stands in the first is the secret.
        answers.append(await her.post(TBANK, data={"key": SECRET, "secret": KEY}))
        answers.append(await her.post(TBANK, data={"key": SECRET + " ", "secret": ""}))
        answers.append(await her.post(TBANK, data={"key": KEY, "secret": SECRET}))
        [terminal] = await world.terminals()
        answers.append(await her.post("/dashboard/terminals/check", data={"terminal_id": terminal.id}))
        answers += [await her.get(page) for page in ("/dashboard/terminals", "/dashboard", "/dashboard/part/bar")]
        seen = "".join(answer.text + str(answer.headers) for answer in answers)
        logged = "\n".join(record.getMessage() + str(record.exc_text or "") for record in caplog.records)
        assert "tbank refuses a key" in logged
        for secret in (SECRET, "wr0ng_s3cret", terminal.secret_encrypted):
            assert secret not in seen
            assert secret not in logged
        assert f'value="{KEY}"' in answers[0].text
        assert 'type="password"' in answers[0].text

    async def test_the_pages_are_not_kept(self, her: httpx.AsyncClient) -> None:
        assert (await her.get("/dashboard/terminals")).headers["Cache-Control"] == "no-store"

    async def test_a_secret_that_no_key_of_ours_reads_any_more(self, world: World, her: httpx.AsyncClient) -> None:
        await her.post(TBANK, data={"key": KEY, "secret": SECRET})
        [terminal] = await world.terminals()
        await world.site.pool.execute("UPDATE terminals SET secret_encrypted = 'lost'")
        await world.site.pool.execute(
            "INSERT INTO overlay_tokens (streamer_id, token_hash, token_encrypted) VALUES ($1, sha256('x'), 'lost')",
            world.streamer.id,
        )
        assert "can no longer read the secret" in (await her.get("/dashboard/terminals")).text
        page = (await her.get("/dashboard")).text
        assert "can no longer read your terminal" in page
        assert "Make the address" in page, "the overlay's is gone, too"
        answer = await her.post("/dashboard/terminals/check", data={"terminal_id": terminal.id})
        assert said(answer) == "check-unreadable"
        assert said(await her.post(TBANK, data={"key": KEY, "secret": SECRET})) == "connected"
        assert world.secret_of((await world.terminals())[0]) == SECRET

    async def test_the_form_sent_twice_keeps_the_former_secret(self, world: World, her: httpx.AsyncClient) -> None:
        """Otherwise notifications signed with the one before would be refused."""
        await her.post(TBANK, data={"key": KEY, "secret": SECRET})
        await world.add_terminal(password="new_secret")
        for _ in range(2):
            assert said(await her.post(TBANK, data={"key": KEY, "secret": "new_secret"})) == "connected"
        [terminal] = await world.terminals()
        assert world.secret_of(terminal) == "new_secret"
        assert terminal.former_secret_encrypted is not None
        box = SecretBox(world.site.settings.secret_keys.get_secret_value())
        assert box.decrypt(terminal.former_secret_encrypted) == SECRET


class TestSeveral:
    async def test_two_providers_and_the_choice_between_them(self, world: World, her: httpx.AsyncClient) -> None:
        await world.add_shop()
        await her.post(TBANK, data={"key": KEY, "secret": SECRET})
        await her.post(YOOKASSA, data={"key": SHOP, "secret": SHOP_SECRET})
        used, other = await world.terminals()
        assert (used.provider, other.provider) == ("yookassa", "tbank")
        assert said(await her.post("/dashboard/terminals/choose", data={"terminal_id": other.id})) == "chosen"
        assert [terminal.provider for terminal in await world.terminals()] == ["tbank", "yookassa"]
        answer = await her.post("/dashboard/terminals/retire", data={"terminal_id": other.id})
        assert said(answer) == "retired"
        assert (await world.terminals())[0].provider == "yookassa"
        assert "Disconnected (1)" in (await her.get("/dashboard/terminals")).text
        for action in ("choose", "retire"):
            answer = await her.post(f"/dashboard/terminals/{action}", data={"terminal_id": other.id})
            assert said(answer) == "too-late"

    async def test_another_terminal_of_the_same_bank_retires_the_first(
        self, world: World, her: httpx.AsyncClient
    ) -> None:
        await world.add_terminal("1700000000003")
        await her.post(TBANK, data={"key": KEY, "secret": SECRET})
        await her.post(TBANK, data={"key": "1700000000003", "secret": SECRET})
        used, former = await world.terminals()
        assert (used.terminal_key, used.retired_at) == ("1700000000003", None)
        assert (former.terminal_key, former.retired_at is None) == (KEY, False)
        assert said(await her.post(TBANK, data={"key": KEY, "secret": SECRET})) == "connected"
        assert [terminal.terminal_key for terminal in await world.terminals()] == [KEY, "1700000000003"]

    async def test_two_windows_at_once_leave_one_in_use(self, world: World, her: httpx.AsyncClient) -> None:
        keys = [f"17000000001{number}" for number in range(6)]
        for key in keys:
            await world.add_terminal(key)
        answers = await asyncio.gather(*(her.post(TBANK, data={"key": key, "secret": SECRET}) for key in keys))
        assert {said(answer) for answer in answers} == {"connected"}
        assert sum(terminal.retired_at is None for terminal in await world.terminals()) == 1


class TestStrangers:
    async def test_anothers_terminal_is_refused_without_a_hint_whose(
        self, world: World, her: httpx.AsyncClient
    ) -> None:
        boris = await world.site.add_streamer("boris", "Борис", terminal=False)
        async with signed_in(world.site, "boris@example.org") as him:
            assert said(await him.post(TBANK, data={"key": KEY, "secret": SECRET})) == "connected"
        answer = await her.post(TBANK, data={"key": KEY, "secret": SECRET})
        assert answer.status_code == 422
        assert "This key is connected on another page of this site." in answer.text
        assert "boris" not in answer.text
        assert "Борис" not in answer.text
        # And who has no right password does not even learn that it is here.
        answer = await her.post(TBANK, data={"key": KEY, "secret": "guessed"})
        assert "another page" not in answer.text
        assert await world.terminals() == []
        assert len(await world.terminals(boris)) == 1

    async def test_anothers_pages_and_terminals_do_not_exist(self, world: World, her: httpx.AsyncClient) -> None:
        boris = await world.site.add_streamer("boris", "Борис")
        [terminal] = await world.terminals(boris)
        assert (await her.get("/dashboard/terminals?streamer=boris")).status_code == 404
        answer = await her.post(f"{TBANK}?streamer=boris", data={"key": KEY, "secret": SECRET})
        assert answer.status_code == 404
        for action in ("check", "choose", "retire"):
            for query in ("", "?streamer=boris"):
                address = f"/dashboard/terminals/{action}{query}"
                assert (await her.post(address, data={"terminal_id": terminal.id})).status_code == 404
        assert await world.terminals(boris) == [terminal]

    async def test_nobody_signed_in(self, world: World) -> None:
        for address in ("/dashboard/terminals", "/dashboard/receipts"):
            assert (await world.site.client.get(address)).headers["Location"].startswith("/sign-in")
        answer = await world.site.client.post(TBANK, data={"key": KEY, "secret": SECRET})
        assert answer.headers["Location"].startswith("/sign-in")
        assert await world.terminals() == []

    @pytest.mark.parametrize("action", ["connect/tbank", "check", "choose", "retire"])
    async def test_another_site_cannot_press_the_buttons(
        self, world: World, her: httpx.AsyncClient, action: str
    ) -> None:
        answer = await her.post(
            f"/dashboard/terminals/{action}",
            data={"key": KEY, "secret": SECRET, "terminal_id": "1"},
            headers={"Origin": "https://evil.example"},
        )
        assert answer.status_code == 403
        assert await world.terminals() == []

    @pytest.mark.parametrize("terminal_id", ["", "x", "-1", "0", "99999999999999999999", "1e3"])
    async def test_garbage(self, her: httpx.AsyncClient, terminal_id: str) -> None:
        for action in ("check", "choose", "retire"):
            answer = await her.post(f"/dashboard/terminals/{action}", data={"terminal_id": terminal_id})
            assert answer.status_code in (404, 422)


class TestHowItDoes:
    @pytest.fixture
    async def terminal(self, world: World, her: httpx.AsyncClient) -> Terminal:
        await her.post(TBANK, data={"key": KEY, "secret": SECRET})
        [terminal] = await world.terminals()
        return terminal

    async def add_payment(self, world: World, terminal: Terminal, number: int, *, code: str | None) -> None:
        """A payment that the bank refused to open with `code`, or opened."""
        donation_id = await world.site.pool.fetchval(
            "INSERT INTO donations (public_id, streamer_id, amount_minor, consent_version)"
            " VALUES (gen_random_uuid(), $1, 30000, '1') RETURNING id",
            terminal.streamer_id,
        )
        await world.site.pool.execute(
            "INSERT INTO payments (donation_id, streamer_id, terminal_id, attempt, order_id, amount_minor, due_at,"
            " status, error_reason, closed_at, opened_at, provider_payment_id)"
            " VALUES ($1, $2, $3, 1, $4, 30000, now(), $5, $6, $7, $8, $9)",
            donation_id,
            terminal.streamer_id,
            terminal.id,
            f"order-{number:020}",
            *(("failed", code, *await self._now(world), None, None) if code else
              ("pending", "", None, *await self._now(world), str(number))),
        )  # fmt: skip

    async def _now(self, world: World) -> tuple[Any]:
        return (await world.site.pool.fetchval("SELECT now()"),)

    @pytest.mark.usefixtures("terminal")
    async def test_a_bank_that_does_not_answer(self, world: World, her: httpx.AsyncClient) -> None:
        assert "test terminal" in (await her.get("/dashboard/part/bar", headers={"HX-Request": "true"})).text
        await world.site.pool.execute(
            "INSERT INTO provider_health (provider, failures, failing_since)"
            " VALUES ('tbank', 2, date_trunc('day', now() AT TIME ZONE 'Europe/Moscow') AT TIME ZONE 'Europe/Moscow')"
        )
        assert "test terminal" in (await her.get("/dashboard")).text
        await world.site.pool.execute("UPDATE provider_health SET failures = 3")
        for page in ("/dashboard", "/dashboard/terminals"):
            assert "T-Bank has not answered since 00:00." in (await her.get(page)).text
        russian = (await her.get("/dashboard?lang=ru")).text
        assert "Т-Банк не отвечает с 00:00. Платежи проверим, как только ответит" in russian

    async def test_the_last_refusal_in_words(self, world: World, her: httpx.AsyncClient, terminal: Terminal) -> None:
        await self.add_payment(world, terminal, 1, code="credentials")
        page = (await her.get("/dashboard/terminals")).text
        assert "Last refusal" in page
        assert "The key and the password do not fit each other." in page
        assert "refuses payments" in page
        assert "T-Bank refuses payments since" in (await her.get("/dashboard")).text
        await self.add_payment(world, terminal, 2, code=None)
        page = (await her.get("/dashboard/terminals")).text
        assert "Since then payments have been opened again." in page
        assert "refuses payments" not in page
        assert "refuses payments" not in (await her.get("/dashboard")).text
        await world.site.pool.execute(
            "UPDATE payments SET closed_at = now() - interval '25 hours' WHERE status = 'failed'"
        )
        assert "Last refusal" not in (await her.get("/dashboard/terminals")).text

    async def test_a_register_without_receipts(self, world: World, her: httpx.AsyncClient, terminal: Terminal) -> None:
        await self.add_payment(world, terminal, 1, code="receipt")
        page = (await her.get("/dashboard/terminals")).text
        assert "the bank wants a receipt with each payment, and none are sent" in page
        await world.site.pool.execute("UPDATE streamers SET receipts = 'fiscal'")
        page = (await her.get("/dashboard/terminals")).text
        assert "Compare taxation and VAT" in page

    async def test_what_a_donor_could_help_colours_nothing(
        self, world: World, her: httpx.AsyncClient, terminal: Terminal
    ) -> None:
        await self.add_payment(world, terminal, 1, code="amount_out_of_range")
        assert "Last refusal" in (await her.get("/dashboard/terminals")).text
        assert "test terminal" in (await her.get("/dashboard")).text
        # That nobody answered is no refusal.
        await world.site.pool.execute("UPDATE payments SET error_code = 'unavailable'")
        assert "Last refusal" not in (await her.get("/dashboard/terminals")).text

    @pytest.mark.parametrize(
        ("fault", "word"), [("error_500", "check-away"), ("error_code", "check-refused"), (None, "check-wrong")]
    )
    async def test_a_later_check_that_fails_changes_nothing(
        self, world: World, her: httpx.AsyncClient, terminal: Terminal, fault: str | None, word: str
    ) -> None:
        if fault is None:
            await world.add_terminal(password="changed at the bank")
        else:
            await world.fail(fault, code="202")
        assert said(await her.post("/dashboard/terminals/check", data={"terminal_id": terminal.id})) == word
        assert await world.terminals() == [terminal]
        assert 'class="notice notice-said"' in (await her.get(f"/dashboard/terminals?said={word}")).text


async def test_without_a_terminal_the_dashboard_says_so(her: httpx.AsyncClient) -> None:
    page = (await her.get("/dashboard?lang=ru")).text
    assert "Подключите приём денег: пока страница доната закрыта." in page
    assert "Сначала подключите приём денег" in page
    assert 'href="/dashboard/terminals"' in page
    assert "приём денег" in (await her.get("/dashboard/terminals")).text
