"""The self-signed certificate of a first start, and how it is told from a trusted one."""

import ipaddress
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from infra.certificates import is_self_signed, make_self_signed


def certificate(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "fullchain.pem").read_bytes())


def test_a_first_start_has_a_key_and_a_certificate_for_the_sites_name(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    assert make_self_signed(folder, "xn--h1aefoeg0czb.xn--p1ai")
    made = certificate(folder)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["xn--h1aefoeg0czb.xn--p1ai"]
    key = serialization.load_pem_private_key((folder / "privkey.pem").read_bytes(), None)
    assert key.public_key() == made.public_key()
    assert stat.S_IMODE((folder / "privkey.pem").stat().st_mode) == 0o600
    assert is_self_signed(folder / "fullchain.pem")


def test_an_address_and_a_long_name_have_one_too(tmp_path: Path) -> None:
    assert make_self_signed(tmp_path / "address", "192.0.2.7")
    names = certificate(tmp_path / "address").extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("192.0.2.7")]
    assert make_self_signed(tmp_path / "long", ".".join(["a" * 60] * 4))


def test_a_certificate_that_is_there_is_left_alone(tmp_path: Path) -> None:
    assert make_self_signed(tmp_path, "example.org")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert not make_self_signed(tmp_path, "other.example.org")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_what_is_no_certificate_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "fullchain.pem").write_text("not a certificate", encoding="utf-8")
    with pytest.raises(ValueError, match=r".+"):
        is_self_signed(tmp_path / "fullchain.pem")
