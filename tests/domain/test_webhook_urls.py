"""Where a webhook may lead, as far as the address itself says."""

import pytest

from domain.errors import InvalidInputError
from domain.webhook_urls import URL_MAX_LENGTH, clean_url, host_of


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("https://example.org/hook", "https://example.org/hook"),
        ("  https://example.org  ", "https://example.org/"),
        ("HTTPS://Example.ORG./Hook?Key=V", "https://example.org/Hook?Key=V"),
        ("https://example.org:443/", "https://example.org:443/"),
        ("https://example.org:8443/a#fragment", "https://example.org:8443/a"),
        ("https://кот.рф/привет?имя=Аня", "https://xn--j1aim.xn--p1ai/%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82?%D0%B8%D0%BC%D1%8F=%D0%90%D0%BD%D1%8F"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://1.example.org/", "https://1.example.org/"),
    ],
)  # fmt: skip
def test_an_address_is_stored_as_it_is_called(typed: str, stored: str) -> None:
    assert clean_url(typed) == stored
    assert clean_url(stored) == stored


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "required"),
        ("   ", "required"),
        ("example.org/hook", "not_https"),
        ("http://example.org/", "not_https"),
        ("ftp://example.org/", "not_https"),
        ("file:///etc/passwd", "not_https"),
        ("javascript:alert(1)", "not_https"),
        ("//example.org/", "not_https"),
        ("https://", "local"),
        ("https:///path", "local"),
        ("https://user:secret@example.org/", "credentials"),
        ("https://user@example.org/", "credentials"),
        ("https://@example.org/", "credentials"),
        ("https://example.org:22/", "port"),
        ("https://example.org:80/", "port"),
        ("https://example.org:0/", "port"),
        ("https://example.org:99999/", "unfit"),
        ("https://example.org:port/", "unfit"),
        ("https://exa mple.org/", "unfit"),
        ("https://example.org/\r\nHost: x", "unfit"),
        ("https://example.org\\@127.0.0.1/", "unfit"),
        ("https://example..org/", "unfit"),
        ("https://-.org/", "unfit"),
        (f"https://example.org/{'a' * URL_MAX_LENGTH}", "too_long"),
        # Numbers, however they are written.
        ("https://127.0.0.1/", "number"),
        ("https://93.184.216.34/", "number"),
        ("https://127.0.0.1./", "number"),
        ("https://2130706433/", "number"),
        ("https://0x7f000001/", "number"),
        ("https://0x7f.0.0.1/", "number"),
        ("https://0177.0.0.1/", "number"),
        ("https://127.1/", "number"),
        ("https://0/", "number"),
        ("https://１２７.0.0.1/", "number"),
        ("https://127。0。0。1/", "number"),
        ("https://[::1]/", "number"),
        ("https://[::ffff:127.0.0.1]/", "number"),
        ("https://[2001:db8::1%25eth0]/", "number"),
        # Names that are nobody's on the internet.
        ("https://localhost/", "local"),
        ("https://localhost./", "local"),
        ("https://LOCALHOST/", "local"),
        ("https://ｌocalhost/", "local"),
        ("https://db.localhost/", "local"),
        ("https://postgres/", "local"),
        ("https://printer.local/", "local"),
        ("https://metadata.google.internal/", "local"),
    ],
)
def test_what_no_address_may_be(typed: str, code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        clean_url(typed)
    assert (caught.value.field, caught.value.code) == ("url", code)


def test_in_development_a_program_beside_may_be_told() -> None:
    assert clean_url("http://127.0.0.1:5000/hook", allows_loopback=True) == "http://127.0.0.1:5000/hook"
    assert clean_url("http://[::1]:80/", allows_loopback=True) == "http://[::1]:80/"
    for typed in ("http://example.org/", "http://10.0.0.1/", "http://127.0.0.2/", "https://192.168.0.1/"):
        with pytest.raises(InvalidInputError):
            clean_url(typed, allows_loopback=True)


def test_people_read_a_host_in_its_own_letters() -> None:
    assert host_of("https://xn--j1aim.xn--p1ai/x") == "кот.рф"
    assert host_of("https://example.org:8443/") == "example.org:8443"
