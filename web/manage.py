"""Accounts from the command line: `python -m web.manage --help`.

Secrets come on standard input, never as arguments, where other users of the machine could read them. Exit status:
0 done, 1 refused, 2 wrong usage, 3 the database is away. Which site is meant say the variables of `infra/settings.py`;
without them it is the one that `make run` is running here.
"""

import argparse
import asyncio
import getpass
import hashlib
import json
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from pydantic import ValidationError

from domain import self_check
from domain.errors import DomainError, InvalidInputError, NotAllowedError
from domain.key_rotation import (
    Rotated,
    rotate_button_tokens,
    rotate_letters,
    rotate_links,
    rotate_overlay_tokens,
    rotate_terminals,
    rotate_webhooks,
)
from domain.one_time_links import INVITE_HOURS, PASSWORD_HOURS, LinkPurpose, make_link
from domain.overlay_tokens import reveal_overlay_token, rotate_overlay_token
from domain.registry import store_file
from domain.self_check import Depth, Finding
from domain.streamers import DEFAULT_TIME_ZONE, create_streamer, find_by_owner, find_by_slug
from domain.terminals import clean_secret, clean_terminal_key, get_active_terminal, list_terminals, set_terminal
from domain.users import User, clean_email, create_user, find_user, make_superuser, set_password, verify_password
from infra.crypto import SecretBox
from infra.database import DATABASE_AWAY, connect_patiently, look_at_one_moment, open_pool
from infra.running import default_data_dir, read_running
from infra.settings import Settings
from providers.catalogue import open_providers, provider_names
from providers.provider import Credentials, MalformedRegistry
from web.bank_state import is_test_account

DEMO_EMAIL = "demo@example.com"
DEMO_SLUG = "demo"
DEMO_NAME = "Демо-стример"
# T-Bank's own public test pair; at the real bank it takes no money.
DEMO_TERMINAL = "TinkoffBankTest"


class RefusedError(Exception):
    """What was asked for cannot be done; the message says why."""


@dataclass(frozen=True)
class Tools:
    connection: Any
    box: SecretBox
    settings: Settings


# Commands. Each reads its secret first and then writes in one transaction: nothing waits for a person inside one.


async def create_superuser_command(tools: Tools, arguments: argparse.Namespace) -> None:
    email = clean_email(arguments.email)
    user = await find_user(tools.connection, email)
    if user is None:
        password = read_secret("Password")
        async with tools.connection.transaction():
            await create_user(tools.connection, email, password, is_superuser=True)
        print(f"Created the superuser {email}.")
        return
    if user.is_superuser:
        raise RefusedError(f"{email} is a superuser already.")
    async with tools.connection.transaction():
        await make_superuser(tools.connection, user.id)
    print(f"{email} has an account: it is a superuser's now, with the password it has.")


async def invite_command(tools: Tools, _arguments: argparse.Namespace) -> None:
    async with tools.connection.transaction():
        token = await make_link(tools.connection, LinkPurpose.INVITE, hours=INVITE_HOURS)
    print(f"An account is made, once and within {INVITE_HOURS // 24} days, at {tools.settings.web_url}/link/{token}")


async def reset_link_command(tools: Tools, arguments: argparse.Namespace) -> None:
    user = await find_user(tools.connection, clean_email(arguments.email))
    if user is None:
        raise RefusedError(f"There is no account {arguments.email}.")
    if not user.is_active:
        raise RefusedError(f"{user.email} is blocked: unblock it first, in /admin/users.")
    async with tools.connection.transaction():
        token = await make_link(tools.connection, LinkPurpose.PASSWORD, hours=PASSWORD_HOURS, user_id=user.id)
    print(f"A new password is set, once and within {PASSWORD_HOURS} hours, at {tools.settings.web_url}/link/{token}")


async def create_streamer_command(tools: Tools, arguments: argparse.Namespace) -> None:
    email = clean_email(arguments.email)
    user = await find_user(tools.connection, email)
    password = read_secret("Password") if user is None else ""
    async with tools.connection.transaction():
        if user is None:
            user = await create_user(tools.connection, email, password)
        streamer = await create_streamer(
            tools.connection, user.id, arguments.slug, arguments.display_name, arguments.time_zone
        )
        token = await rotate_overlay_token(tools.connection, tools.box, streamer.id)
    print(f"Donation page: {tools.settings.web_url}/donate/{streamer.slug}")
    print(f"Overlay for OBS (secret): {tools.settings.web_url}/overlay#{token}")
    print("To take money: python -m web.manage set-terminal --slug " + streamer.slug)


async def set_terminal_command(tools: Tools, arguments: argparse.Namespace) -> None:
    streamer = await find_by_slug(tools.connection, arguments.slug)
    if streamer is None:
        raise RefusedError(f"There is no streamer {arguments.slug}.")
    async with httpx.AsyncClient() as http:
        provider = open_providers(
            http,
            api_urls=tools.settings.provider_api_urls,
            timeout_seconds=tools.settings.provider_timeout_seconds,
            connect_timeout_seconds=tools.settings.provider_connect_timeout_seconds,
        )[arguments.provider]
    terminal_key = clean_terminal_key(arguments.terminal_key, limit=provider.key_max_length)
    secret = clean_secret(read_secret("Terminal's secret"))
    is_test = is_test_account(tools.settings, provider, Credentials(terminal_key, secret))
    async with tools.connection.transaction():
        await set_terminal(
            tools.connection, tools.box, streamer.id, arguments.provider, terminal_key, secret, is_test=is_test
        )
    print(f"{streamer.slug} takes money through {arguments.provider} terminal {terminal_key}.")


async def rotate_secrets_command(tools: Tools, _arguments: argparse.Namespace) -> None:
    """A batch a transaction: it may be stopped and run again at any time."""
    counted = Rotated(None)
    for rotate in (
        rotate_terminals,
        rotate_webhooks,
        rotate_overlay_tokens,
        rotate_button_tokens,
        rotate_letters,
        rotate_links,
    ):
        after_id: int | None = 0
        while after_id is not None:
            async with tools.connection.transaction():
                done = await rotate(tools.connection, tools.box, after_id)
            counted = Rotated(
                None, counted.renewed + done.renewed, counted.current + done.current, counted.lost + done.lost
            )
            after_id = done.last_id
    print(f"Encrypted anew with the newest key: {counted.renewed}. Had it already: {counted.current}.")
    if counted.lost:
        raise RefusedError(
            f"None of SECRET_KEYS reads {counted.lost} of them: these stay as they are. Do not take a key away that"
            " may still be theirs."
        )
    print("All stored secrets have the newest key. The older ones may leave SECRET_KEYS.")


async def import_registry_command(tools: Tools, arguments: argparse.Namespace) -> None:
    """Store a provider's registry of operations; the workers read it into the books."""
    streamer = await find_by_slug(tools.connection, arguments.slug)
    if streamer is None:
        raise RefusedError(f"There is no streamer {arguments.slug}.")
    try:
        raw = arguments.file.read_bytes()
    except OSError as error:
        raise RefusedError(f"The file cannot be read: {error.strerror}.") from error
    async with httpx.AsyncClient() as http:
        provider = open_providers(http, api_urls={}, timeout_seconds=1, connect_timeout_seconds=1)[arguments.provider]
        if not provider.has_registry:
            raise RefusedError(f"{provider.title} has no registry.")
        try:
            rows = provider.parse_registry(raw)
        except MalformedRegistry as error:
            place = f"Line {error.line}" if error.line else "The file"
            raise RefusedError(f"{place}: {error.reason}. Nothing was taken.") from error
    terminals = [t for t in await list_terminals(tools.connection, streamer.id) if t.provider == arguments.provider]
    if not terminals:
        raise RefusedError(f"{streamer.slug} has no terminal at {provider.title}.")
    async with tools.connection.transaction():
        stored = await store_file(
            tools.connection,
            terminals=terminals,
            chosen=terminals[0],
            name=arguments.file.name,
            sha256=hashlib.sha256(raw).digest(),
            rows=rows,
            user_id=None,
        )
    if any(file.is_new for file in stored):
        print(f"Stored {len(rows)} lines; the workers read them now. See /dashboard/money/registry.")
    else:
        print("This file was stored before: nothing is booked twice.")


async def seed_demo_command(tools: Tools, _arguments: argparse.Namespace) -> None:
    """The demo streamer of development, made or repaired; the same password and addresses at each call."""
    if not tools.settings.in_development:
        raise RefusedError("seed-demo is for development only (ENVIRONMENT=development).")
    password = read_demo_password()
    async with tools.connection.transaction():
        user = await _demo_user(tools.connection, password)
        streamer = await find_by_owner(tools.connection, user.id)
        if streamer is None:
            streamer = await create_streamer(tools.connection, user.id, DEMO_SLUG, DEMO_NAME)
        await _demo_terminal(tools, streamer.id)
        token = await reveal_overlay_token(tools.connection, tools.box, streamer.id)
        if token is None:
            token = await rotate_overlay_token(tools.connection, tools.box, streamer.id)
    print(json.dumps({"slug": streamer.slug, "login": user.email, "password": password, "overlay_token": token}))


async def _demo_user(connection: Any, password: str) -> User:
    user = await find_user(connection, DEMO_EMAIL)
    if user is None:
        return await create_user(connection, DEMO_EMAIL, password)
    if await verify_password(connection, DEMO_EMAIL, password) is None:
        await set_password(connection, user.id, password)
    return user


async def _demo_terminal(tools: Tools, streamer_id: int) -> None:
    if await get_active_terminal(tools.connection, streamer_id) is not None:
        return
    await set_terminal(tools.connection, tools.box, streamer_id, "tbank", DEMO_TERMINAL, DEMO_TERMINAL, is_test=True)


async def self_check_command(tools: Tools, arguments: argparse.Namespace) -> None:
    """Compare the books now. Raises RefusedError, after saying what, when something is broken or stands still."""
    depth = Depth.FULL if arguments.full else Depth.RECENT
    connection = await connect_patiently(tools.settings.database_url, program="self-check")
    try:
        run_id = await self_check.begin_run(connection, depth)
        async with look_at_one_moment(connection):
            findings = await self_check.look(connection, tools.box, depth)
        async with connection.transaction():
            await self_check.finish_run(connection, run_id, findings)
    finally:
        await connection.close()
    print(_findings_json(findings) if arguments.json else _findings_table(findings))
    alarms = sum(1 for finding in findings if finding.found and self_check.is_alarm(finding))
    if alarms:
        raise RefusedError(f"Broken or stuck: {alarms} of {len(findings)} rules.")


def _findings_table(findings: list[Finding]) -> str:
    lines = []
    for finding in findings:
        rule = self_check.ALL_RULES[finding.rule]
        examples = f" {rule.subject} {', '.join(map(str, finding.examples))}" if finding.examples else ""
        lines.append(f"{finding.found:>7}  {rule.severity:<9}  {rule.sentence}{examples}")
    return "\n".join(lines)


def _findings_json(findings: list[Finding]) -> str:
    rules = self_check.ALL_RULES
    found = [
        {
            "rule": finding.rule,
            "severity": rules[finding.rule].severity,
            "subject": rules[finding.rule].subject,
            "found": finding.found,
            "examples": finding.examples,
        }
        for finding in findings
    ]
    return json.dumps(found, indent=2)


# Standard input.


def read_secret(name: str) -> str:
    """One line of standard input; asked for without an echo on a terminal. Raises RefusedError when there is none."""
    if sys.stdin.isatty():
        secret = getpass.getpass(f"{name}: ")
        if getpass.getpass(f"{name}, once more: ") != secret:
            raise RefusedError("The two differ.")
    else:
        secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise RefusedError(f"{name} expected on standard input.")
    return secret


def read_demo_password() -> str:
    """From the JSON object {"password": …} on standard input."""
    try:
        password = json.load(sys.stdin)["password"]
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError('{"password": "…"} expected on standard input.') from error
    if not isinstance(password, str):
        raise RefusedError("The password must be a text.")
    return password


# The program.

Command = Callable[[Tools, argparse.Namespace], Awaitable[None]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m web.manage", description="Accounts and terminals of StreamCash.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=command)
        return added

    add(
        "create-superuser",
        create_superuser_command,
        "Create an account that may do everything; password on stdin.",
    ).add_argument("--email", required=True)

    streamer = add(
        "create-streamer", create_streamer_command, "Create a streamer; password on stdin when the e-mail is new."
    )
    streamer.add_argument("--email", required=True)
    streamer.add_argument("--slug", required=True, help="name in the addresses: letters, digits, - and _")
    streamer.add_argument("--display-name", required=True)
    streamer.add_argument("--time-zone", default=DEFAULT_TIME_ZONE, help="default: %(default)s")

    add("invite", invite_command, "Print a link with which somebody makes an account, once.")

    reset = add("reset-link", reset_link_command, "Print a link with which somebody sets a new password, once.")
    reset.add_argument("email")

    terminal = add("set-terminal", set_terminal_command, "Set where a streamer's money goes; the secret on stdin.")
    terminal.add_argument("--slug", required=True)
    terminal.add_argument("--provider", choices=provider_names(), default="tbank")
    terminal.add_argument("--terminal-key", required=True, help="T-Bank's TerminalKey, YooKassa's shopId")

    add(
        "rotate-secrets",
        rotate_secrets_command,
        "Encrypt all stored secrets with the newest of SECRET_KEYS; may be run again.",
    )

    registry = add("import-registry", import_registry_command, "Bring a provider's registry of operations.")
    registry.add_argument("--slug", required=True)
    registry.add_argument("--provider", choices=provider_names(), default="tbank")
    registry.add_argument("file", type=Path, metavar="FILE")

    check = add(
        "self-check",
        self_check_command,
        "Compare ledger, payments, donations, totals and alerts; exit status 1 when something is broken or stuck.",
    )
    check.add_argument("--full", action="store_true", help="everything, not only what changed lately")
    check.add_argument("--json", action="store_true", help="for programs")

    add("seed-demo", seed_demo_command, 'Development: make the demo streamer; {"password": "…"} on stdin.')
    return parser


WORDS = {
    ("email", "required"): "an e-mail is needed",
    ("email", "not_an_email"): "this is not an e-mail address",
    ("email", "taken"): "an account with this e-mail exists",
    ("password", "too_short"): "at least {limit} characters",
    ("password", "too_long"): "at most {limit} characters",
    ("password", "common"): "this one is tried first by whoever guesses; take another",
    ("password", "like_email"): "it is too much like the e-mail",
    ("slug", "malformed"): "1 to 40 of a-z, 0-9, - and _, with a letter or digit at both ends",
    ("slug", "reserved"): "this name is reserved",
    ("slug", "taken"): "another streamer has this name",
    ("display_name", "required"): "a name is needed",
    ("display_name", "too_long"): "at most {limit} characters",
    ("display_name", "malformed"): "only characters that can be seen",
    ("time_zone", "unknown"): "no such time zone; Europe/Moscow is one",
    ("terminal_key", "malformed"): "1 to {limit} letters and digits, as in the bank's cabinet",
    ("secret", "required"): "expected on standard input",
    ("secret", "malformed"): "1 to {limit} Latin letters, digits and signs without spaces",
    ("file", "empty"): "there is no operation in it",
    ("file", "other_terminal"): "it is of the terminal {terminal}, which is not this streamer's",
    ("owner", "has_streamer"): "this account has a streamer already",
}


def _words(error: DomainError) -> str:
    if isinstance(error, InvalidInputError):
        text = WORDS.get((error.field, error.code), error.code).format(**error.data)
        return f"{error.field.replace('_', ' ')}: {text}."
    if isinstance(error, NotAllowedError) and error.code == "terminal_taken":
        return "This terminal belongs to another streamer."
    return error.code


async def _run(settings: Settings, arguments: argparse.Namespace) -> None:
    box = SecretBox(settings.secret_keys.get_secret_value())
    pool = await open_pool(settings.database_url, size=1, program="manage")
    try:
        async with pool.acquire() as connection:
            await arguments.command(Tools(connection, box, settings), arguments)
    finally:
        await pool.close()


def _settings() -> Settings:
    """From the environment; without a database in it, from what `make run` is running here. Raises RefusedError."""
    if not os.environ.get("DATABASE_URL"):
        running = read_running(os.environ)
        if running is None:
            folder = default_data_dir(os.environ)
            raise RefusedError(f"Which site? `make run` is not running here ({folder}), and DATABASE_URL is not set.")
        given = {name: value for name, value in os.environ.items() if value}
        os.environ.update({**running, **given})
    return Settings()


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        asyncio.run(_run(_settings(), arguments))
    except (RefusedError, DomainError) as error:
        return _refuse(_words(error) if isinstance(error, DomainError) else str(error), 1)
    except ValidationError as error:
        return _refuse(f"The settings are not right:\n{error}", 2)
    except (UnicodeDecodeError, EOFError, KeyboardInterrupt):
        return _refuse("Nothing was done: standard input ended or is not text.", 1)
    except asyncpg.UndefinedTableError:
        return _refuse("The database is not migrated yet.", 3)
    except DATABASE_AWAY as error:
        return _refuse(f"The database is away: {type(error).__name__}: {error}", 3)
    return 0


def _refuse(text: str, status: int) -> int:
    print(text, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
