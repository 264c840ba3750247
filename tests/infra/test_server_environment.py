"""The .env of a server."""

import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from infra.server_environment import DomainError, ascii_domain, environment_text, write_environment


def read(text: str) -> dict[str, str]:
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def test_every_secret_is_random_and_fit_for_an_address() -> None:
    first, second = read(environment_text("example.org")), read(environment_text("example.org"))
    assert first.pop("DOMAIN") == second.pop("DOMAIN") == "example.org"
    assert first.keys() == {"SECRET_KEYS", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "RABBITMQ_PASSWORD"}
    assert not set(first.values()) & set(second.values())
    Fernet(first.pop("SECRET_KEYS"))
    assert all(value.isalnum() and len(value) >= 32 for value in first.values())


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("example.org", "example.org"),
        (" Donate.Example.ORG. ", "donate.example.org"),
        ("СтримКэш.рф", "xn--h1aefoeg0czb.xn--p1ai"),
        ("192.0.2.7", "192.0.2.7"),
    ],
)
def test_a_domain_is_written_in_ascii(typed: str, domain: str) -> None:
    assert ascii_domain(typed) == domain


@pytest.mark.parametrize(
    "typed",
    ["", "https://example.org", "example.org/donate", "two words", "-a.org", "a..org", "a" * 64 + ".org", "x\ny"],
)
def test_what_is_no_domain_is_refused(typed: str) -> None:
    with pytest.raises(DomainError, match="is not a domain name"):
        ascii_domain(typed)


def test_only_the_owner_may_read_it_and_it_is_not_replaced_by_accident(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    write_environment(file, "example.org")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_text(encoding="utf-8")
    with pytest.raises(FileExistsError):
        write_environment(file, "example.org")
    assert file.read_text(encoding="utf-8") == before
    write_environment(file, "example.org", replace=True)
    assert file.read_text(encoding="utf-8") != before
