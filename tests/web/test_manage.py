"""`python -m web.manage`: secrets on standard input, clear refusals, and nothing done twice."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import asyncpg
import pytest
from cryptography.fernet import Fernet

from domain import letters
from domain.key_rotation import rotate_overlay_tokens, rotate_terminals
from domain.one_time_links import LinkPurpose, find_link, first_link
from domain.overlay_tokens import rotate_overlay_token
from domain.self_check import ALL_RULES
from domain.streamer_cards import Extras, save_extras
from domain.terminals import get_active_terminal, set_terminal
from domain.users import create_user, verify_password
from infra import queries
from infra.crypto import SecretBox
from infra.settings import ROOT
from tests.builders import make_streamer

PASSWORD = "correct horse battery"


@dataclass
class Manage:
    environment: dict[str, str]
    box: SecretBox

    def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "web.manage", *arguments],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **self.environment, **environment},
            input=stdin,
            capture_output=True,
            text=True,
        )


@pytest.fixture
def manage(fresh_database_url: str) -> Manage:
    key = Fernet.generate_key().decode()
    environment = {
        "ENVIRONMENT": "development",
        "DATABASE_URL": fresh_database_url,
        "REDIS_URL": "redis://127.0.0.1:1",
        "SECRET_KEYS": key,
        "WEB_URL": "https://streamcash.example",
        "REALTIME_URL": "https://streamcash.example",
    }
    return Manage(environment, SecretBox(key))


async def test_a_superuser(manage: Manage, pool: asyncpg.Pool) -> None:
    done = manage("create-superuser", "--email", "Root@Example.org", stdin=PASSWORD + "\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert PASSWORD not in done.stdout
    async with pool.acquire() as connection:
        user = await verify_password(connection, "root@example.org", PASSWORD)
    assert user is not None
    assert user.is_superuser
    again = manage("create-superuser", "--email", "root@example.org", stdin="another password\n")
    assert (again.returncode, again.stderr) == (1, "root@example.org is a superuser already.\n")


async def test_a_streamer_and_her_terminal(manage: Manage, pool: asyncpg.Pool) -> None:
    arguments = ("--email", "anna@example.org", "--slug", "anna", "--display-name", "Анна")
    done = manage("create-streamer", *arguments, stdin=PASSWORD)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Donation page: https://streamcash.example/donate/anna" in done.stdout
    assert "https://streamcash.example/overlay#" in done.stdout
    done = manage(
        "set-terminal", "--slug", "anna", "--provider", "tbank", "--terminal-key", "123DEMO", stdin="s3cret\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "s3cret" not in done.stdout
    async with pool.acquire() as connection:
        streamer_id = await connection.fetchval("SELECT id FROM streamers WHERE slug = 'anna'")
        terminal = await get_active_terminal(connection, streamer_id)
    assert terminal is not None
    assert terminal.terminal_key == "123DEMO"
    assert terminal.secret(manage.box) == "s3cret"
    assert "s3cret" not in terminal.secret_encrypted


async def test_a_terminal_key_is_as_long_as_the_banks(manage: Manage, pool: asyncpg.Pool) -> None:
    """With a longer one the bank's notifications would be refused."""
    arguments = ("--email", "anna@example.org", "--slug", "anna", "--display-name", "Анна")
    assert manage("create-streamer", *arguments, stdin=PASSWORD).returncode == 0
    for key in ("1" * 21, " ", "ключ"):
        done = manage("set-terminal", "--slug", "anna", "--terminal-key", key, stdin="s3cret\n")
        assert done.returncode == 1
        assert done.stderr == "terminal key: 1 to 20 letters and digits, as in the bank's cabinet.\n"
    assert await pool.fetchval("SELECT count(*) FROM terminals") == 0
    assert manage("set-terminal", "--slug", "anna", "--terminal-key", "1" * 20, stdin="s3cret\n").returncode == 0


async def test_a_shop_of_another_provider(manage: Manage, pool: asyncpg.Pool) -> None:
    arguments = ("--email", "anna@example.org", "--slug", "anna", "--display-name", "Анна")
    assert manage("create-streamer", *arguments, stdin=PASSWORD).returncode == 0
    terminal = ("set-terminal", "--slug", "anna", "--provider")
    done = manage(*terminal, "yookassa", "--terminal-key", "100500", stdin=" live_secret\r\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "anna takes money through yookassa terminal 100500.\n"
    assert manage(*terminal, "paypal", "--terminal-key", "1", stdin="x").returncode == 2
    done = manage(*terminal, "yookassa", "--terminal-key", "100500", stdin="two words\n")
    assert done.returncode == 1
    assert "secret: 1 to 200 Latin letters, digits and signs without spaces." in done.stderr
    secret = manage.box.decrypt(await pool.fetchval("SELECT secret_encrypted FROM terminals"))
    assert secret == "live_secret"


async def test_links_for_an_account_and_for_a_password(manage: Manage, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        anna = await create_user(connection, "anna@example.org", PASSWORD)
    for command, purpose in (
        (["invite"], LinkPurpose.INVITE),
        (["reset-link", "Anna@example.org"], LinkPurpose.PASSWORD),
    ):
        done = manage(*command)
        assert (done.returncode, done.stderr) == (0, "")
        token = done.stdout.strip().rpartition("/link/")[2]
        async with pool.acquire() as connection:
            link = await find_link(connection, token)
        assert link is not None
        assert (link.purpose, link.user_id) == (purpose, anna.id if purpose is LinkPurpose.PASSWORD else None)
        assert token not in str(await pool.fetch("SELECT * FROM one_time_links"))
    assert "no account" in manage("reset-link", "nobody@example.org").stderr
    await pool.execute("UPDATE users SET is_active = false")
    assert "blocked" in manage("reset-link", "anna@example.org").stderr


class TestRotation:
    """A new key in front of SECRET_KEYS, and all that is stored goes over to it."""

    NEW = Fernet.generate_key().decode()

    def rotate(self, manage: Manage, keys: str | None = None) -> "subprocess.CompletedProcess[str]":
        return manage("rotate-secrets", SECRET_KEYS=keys or f"{self.NEW},{manage.environment['SECRET_KEYS']}")

    async def fill(self, manage: Manage, pool: asyncpg.Pool, streamers: int = 3) -> list[str]:
        """Streamers whose terminals have a former secret each; all secrets in clear."""
        async with pool.acquire() as connection:
            for number in range(streamers):
                streamer = await make_streamer(connection, box=manage.box)
                await set_terminal(
                    connection, manage.box, streamer.id, "tbank", streamer.terminal_key, f"second-{number}"
                )
                # The first is revoked by the second.
                for _ in range(2):
                    await rotate_overlay_token(connection, manage.box, streamer.id)
        return await self.read(pool, manage.box)

    async def read(self, pool: asyncpg.Pool, box: SecretBox) -> list[str]:
        rows = await pool.fetch(
            "SELECT secret_encrypted FROM terminals UNION ALL SELECT former_secret_encrypted FROM terminals"
            " UNION ALL SELECT token_encrypted FROM overlay_tokens"
        )
        return sorted(box.decrypt(row["secret_encrypted"]) for row in rows)

    async def test_everything_is_read_with_the_new_key_alone(self, manage: Manage, pool: asyncpg.Pool) -> None:
        before = await self.fill(manage, pool)
        done = self.rotate(manage)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.splitlines()[0] == "Encrypted anew with the newest key: 12. Had it already: 0."
        assert await self.read(pool, SecretBox(self.NEW)) == before
        replaced = await pool.fetch("SELECT secret_encrypted FROM terminals ORDER BY id")
        again = self.rotate(manage)
        assert again.stdout.splitlines()[0] == "Encrypted anew with the newest key: 0. Had it already: 12."
        assert await pool.fetch("SELECT secret_encrypted FROM terminals ORDER BY id") == replaced
        assert not any(secret in done.stdout + again.stdout for secret in before)

    async def test_codes_in_letters_and_the_first_link_go_over(self, manage: Manage, pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection, connection.transaction():
            token = await first_link(connection, manage.box)
            await letters.post(
                connection, letters.Kind.REGISTER, "a@b.c", "ru", site="x", box=manage.box, secret="123456"
            )
        assert self.rotate(manage).stdout.splitlines()[0].startswith("Encrypted anew with the newest key: 2.")
        assert self.rotate(manage).stdout.splitlines()[0].endswith("Had it already: 2.")
        new = SecretBox(self.NEW)
        assert new.decrypt(await pool.fetchval("SELECT secret_encrypted FROM letters")) == "123456"
        async with pool.acquire() as connection, connection.transaction():
            assert await first_link(connection, new) == token

    async def test_what_clients_keep_about_payments_goes_over(self, manage: Manage, pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            for kept in ("secret", None):
                streamer = await make_streamer(connection)
                encrypted = None if kept is None else manage.box.encrypt(kept)
                await save_extras(connection, streamer.id, Extras(payment_settings_encrypted=encrypted))
            await connection.execute("DELETE FROM terminals")
        assert self.rotate(manage).stdout.splitlines()[0].startswith("Encrypted anew with the newest key: 1.")
        rows = await pool.fetch("SELECT payment_settings_encrypted FROM streamer_extras ORDER BY streamer_id")
        assert [row[0] and SecretBox(self.NEW).decrypt(row[0]) for row in rows] == ["secret", None]

    async def test_nothing_stored_yet(self, manage: Manage, pool: asyncpg.Pool) -> None:
        assert await pool.fetchval("SELECT count(*) FROM terminals") == 0
        assert self.rotate(manage).returncode == 0

    async def test_what_no_key_reads_stays_and_is_told(self, manage: Manage, pool: asyncpg.Pool) -> None:
        await self.fill(manage, pool, streamers=1)
        await pool.execute("UPDATE terminals SET former_secret_encrypted = 'lost'")
        done = self.rotate(manage)
        assert done.returncode == 1
        assert "None of SECRET_KEYS reads 1 of them" in done.stderr
        assert done.stdout.startswith("Encrypted anew with the newest key: 3.")
        assert await pool.fetchval("SELECT former_secret_encrypted FROM terminals") == "lost"
        # The new key forgotten: nothing changes at all.
        done = self.rotate(manage, Fernet.generate_key().decode())
        assert done.returncode == 1
        assert "reads 4 of them" in done.stderr

    async def test_in_batches(self, manage: Manage, pool: asyncpg.Pool) -> None:
        before = await self.fill(manage, pool, streamers=5)
        new = SecretBox(f"{self.NEW},{manage.environment['SECRET_KEYS']}")
        async with pool.acquire() as connection:
            for rotate, each in ((rotate_terminals, 4), (rotate_overlay_tokens, 2)):
                after_id: int | None = 0
                renewed = []
                while after_id is not None:
                    done = await rotate(connection, new, after_id, batch=2)
                    renewed.append(done.renewed)
                    after_id = done.last_id
                assert max(renewed) == each
                assert sum(renewed) == 10
                assert renewed[-1] == 0
        assert await self.read(pool, SecretBox(self.NEW)) == before

    async def test_a_secret_that_a_person_replaces_meanwhile_wins(self, manage: Manage, pool: asyncpg.Pool) -> None:
        await self.fill(manage, pool, streamers=1)
        new = SecretBox(f"{self.NEW},{manage.environment['SECRET_KEYS']}")

        rows = await pool.fetch("SELECT * FROM terminals")
        encrypted = new.encrypt("typed just now")
        await pool.execute("UPDATE terminals SET secret_encrypted = $1", encrypted)
        async with pool.acquire() as connection:
            tag = await queries.terminals.replace_secrets(
                connection,
                terminal_id=rows[0]["id"],
                secret_encrypted=new.encrypt("what was read before"),
                former_secret_encrypted=None,
                read_secret=rows[0]["secret_encrypted"],
                read_former_secret=rows[0]["former_secret_encrypted"],
            )
        assert tag == "UPDATE 0"
        assert await pool.fetchval("SELECT secret_encrypted FROM terminals") == encrypted


async def test_refusals_say_why_and_leave_nothing_behind(manage: Manage, pool: asyncpg.Pool) -> None:
    anna = ("create-streamer", "--email", "anna@example.org", "--slug")
    refusals: list[tuple[tuple[str, ...], str, str]] = [
        ((*anna, "admin", "--display-name", "Анна"), PASSWORD, "slug: this name is reserved."),
        ((*anna, "а", "--display-name", "Анна"), PASSWORD, "slug: 1 to 40 of a-z"),
        ((*anna, "anna", "--display-name", " "), PASSWORD, "display name: a name is needed."),
        ((*anna, "anna", "--display-name", "Анна", "--time-zone", "Omsk"), PASSWORD, "time zone: no such time zone"),
        ((*anna, "anna", "--display-name", "Анна"), "short", "password: at least 8 characters."),
        ((*anna, "anna", "--display-name", "Анна"), "", "Password expected on standard input."),
        (("create-superuser", "--email", "no e-mail"), PASSWORD, "email: this is not an e-mail address."),
        (("set-terminal", "--slug", "nobody", "--terminal-key", "1"), "x", "There is no streamer nobody."),
    ]
    for arguments, stdin, words in refusals:
        done = manage(*arguments, stdin=stdin)
        assert done.returncode == 1, arguments
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert await pool.fetchval("SELECT count(*) FROM users") == 0


def test_wrong_usage_and_a_database_that_is_away(manage: Manage) -> None:
    assert manage().returncode == 2
    assert manage("set-terminal", "--slug", "x", "--terminal-key", "1", "--secret", "argv").returncode == 2
    done = manage("create-superuser", "--email", "a@b.ru", DATABASE_URL="postgres://user:pa55@127.0.0.1:1/x")
    assert done.returncode == 3
    assert "The database is away" in done.stderr
    done = manage("create-superuser", "--email", "a@b.ru", BIND_HOST="", SECRET_KEYS="", WEB_PORT="x")
    assert done.returncode == 2
    assert "web_port" in done.stderr


class TestDemo:
    def test_the_demo_streamer_is_the_same_at_each_start(self, manage: Manage) -> None:
        first = manage("seed-demo", stdin='{"password": "demo-password"}')
        assert (first.returncode, first.stderr) == (0, "")
        demo = json.loads(first.stdout)
        assert demo["slug"] == "demo"
        assert demo["password"] == "demo-password"
        assert set(demo) == {"slug", "login", "password", "overlay_token"}
        assert json.loads(manage("seed-demo", stdin='{"password": "demo-password"}').stdout) == demo

    async def test_a_new_password_replaces_the_old_one(self, manage: Manage, pool: asyncpg.Pool) -> None:
        demo = json.loads(manage("seed-demo", stdin='{"password": "demo-password"}').stdout)
        again = json.loads(manage("seed-demo", stdin='{"password": "other-password"}').stdout)
        assert again == {**demo, "password": "other-password"}
        async with pool.acquire() as connection:
            assert await verify_password(connection, demo["login"], "demo-password") is None
            assert await verify_password(connection, demo["login"], "other-password") is not None

    async def test_never_in_production(self, manage: Manage, pool: asyncpg.Pool) -> None:
        done = manage("seed-demo", stdin='{"password": "demo-password"}', ENVIRONMENT="production")
        assert done.returncode == 1
        assert "development only" in done.stderr
        assert await pool.fetchval("SELECT count(*) FROM users") == 0

    def test_nonsense_on_standard_input(self, manage: Manage) -> None:
        for stdin in ("", "password", "[]", "{}", '{"password": 1}', '{"password": "x"}'):
            done = manage("seed-demo", stdin=stdin)
            assert done.returncode == 1, stdin
            assert "Traceback" not in done.stderr


class TestSelfCheck:
    async def test_a_clean_site(self, manage: Manage, pool: asyncpg.Pool) -> None:
        await pool.execute("INSERT INTO relays (id, listening, dead_letters) VALUES (gen_random_uuid(), true, 0)")
        for options in ((), ("--full",)):
            done = manage("self-check", *options)
            assert (done.returncode, done.stderr) == (0, "")
            assert all(line.split()[0] == "0" for line in done.stdout.splitlines())
        assert await pool.fetchval("SELECT count(*) FROM self_checks WHERE finished_at IS NOT NULL") == 2

    async def test_what_stands_still_is_a_failure(self, manage: Manage) -> None:
        done = manage("self-check", "--json")
        assert done.returncode == 1
        assert done.stderr == f"Broken or stuck: 1 of {len(ALL_RULES)} rules.\n"
        found = {rule["rule"]: rule for rule in json.loads(done.stdout)}
        assert set(found) == set(ALL_RULES)
        assert found["relay_missing"] == {
            "rule": "relay_missing",
            "severity": "stuck",
            "subject": "",
            "found": 1,
            "examples": [],
        }

    async def test_what_only_needs_a_person_is_none(self, manage: Manage, pool: asyncpg.Pool) -> None:
        await pool.execute("INSERT INTO relays (id, listening, dead_letters) VALUES (gen_random_uuid(), true, 4)")
        done = manage("self-check")
        assert (done.returncode, done.stderr) == (0, "")
        assert "      4  attention  Messages that no retry will try again." in done.stdout
