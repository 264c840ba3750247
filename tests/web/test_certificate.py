"""A self-signed certificate is a dead end for OBS and the bank, and she is told so (DESIGN 23)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.certificates import make_self_signed
from tests.support.site import Site, open_site
from tests.web.conftest import signed_in

HSTS = "Strict-Transport-Security"
WORDS = "certificate is self-signed"


def put_trusted(folder: Path) -> None:
    """A certificate that somebody else has signed."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.org")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority")]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=90))
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


async def bar(site: Site) -> str:
    async with signed_in(site, "anna@example.org") as her:
        return (await her.get("/dashboard/part/bar", headers={"HX-Request": "true"})).text


async def test_the_dashboard_warns_until_a_trusted_one_is_put_there(
    fresh_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    make_self_signed(tmp_path, "example.org")
    async with open_site(fresh_database_url, redis_url, certificate_file=tmp_path / "fullchain.pem") as site:
        await site.add_streamer()
        assert WORDS in await bar(site)
        assert "bar-bad" in await bar(site)
        put_trusted(tmp_path)
        assert WORDS not in await bar(site)
        # What cannot be read says nothing about the certificate.
        (tmp_path / "fullchain.pem").write_text("half a file", encoding="utf-8")
        assert WORDS not in await bar(site)
        (tmp_path / "fullchain.pem").unlink()
        assert WORDS not in await bar(site)


async def test_browsers_are_bound_to_https_only_once_the_certificate_is_trusted(
    fresh_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    make_self_signed(tmp_path, "example.org")
    secure = {"web_url": "https://example.org", "certificate_file": tmp_path / "fullchain.pem"}
    async with open_site(fresh_database_url, redis_url, **secure) as site:
        assert HSTS not in (await site.client.get("/")).headers
        put_trusted(tmp_path)
        assert (await site.client.get("/")).headers[HSTS].startswith("max-age=")


async def test_without_a_file_of_ours_nothing_is_claimed(site: Site) -> None:
    await site.add_streamer()
    assert WORDS not in await bar(site)
    assert HSTS not in (await site.client.get("/")).headers
