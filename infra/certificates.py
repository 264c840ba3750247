"""The site's TLS certificate: a self-signed one until there is a trusted one, and which of the two it is (DESIGN 23).

python -m infra.certificates FOLDER HOST     fullchain.pem and privkey.pem for HOST, unless FOLDER has them
"""

import ipaddress
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CERTIFICATE = "fullchain.pem"
PRIVATE_KEY = "privkey.pem"
"""Named as Let's Encrypt's clients name them."""
VALID_DAYS = 397
"""The longest that browsers accept."""


def make_self_signed(folder: Path, host: str) -> bool:
    """Write a key and a certificate for `host` (an ASCII name or an address). False: the folder has a certificate."""
    if (folder / CERTIFICATE).exists():
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    # A common name has room for 64 characters and is only for reading.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName([_alternative_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(folder / PRIVATE_KEY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(private)
    # Last: a folder with a certificate is complete.
    (folder / CERTIFICATE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return True


def _alternative_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def is_self_signed(certificate_file: Path) -> bool:
    """True when nobody vouches for this certificate but itself. Raises OSError and ValueError for what is none."""
    certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    return certificate.issuer == certificate.subject


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    folder, host = Path(sys.argv[1]), sys.argv[2]
    if make_self_signed(folder, host):
        print(f"Made a self-signed certificate for {host}. OBS and banks trust only a real one: docs/server.md.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
