"""Makes the `.env` that docker-compose.ssl.yml reads: `make env DOMAIN=example.org`, or, with nothing but Python,

    python3 -m infra.server_environment DOMAIN [--force]

Every secret is random and made here; none has a default. Needs no package, so that it runs on an empty server.
"""

import argparse
import base64
import os
import re
import secrets
import sys
from pathlib import Path

FILE = Path(__file__).resolve().parent.parent / ".env"

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


class DomainError(ValueError):
    """Not a name that a site can have."""


def ascii_domain(domain: str) -> str:
    """`Стримкэш.рф` → `xn--h1aefoeg0czb.xn--p1ai`. Raises DomainError, also for addresses with a scheme or a path."""
    try:
        encoded = domain.strip().rstrip(".").lower().encode("idna").decode("ascii")
    except UnicodeError as error:
        raise DomainError(f"{domain!r} is not a domain name: {error}") from None
    if len(encoded) > 253 or not all(_LABEL.fullmatch(label) for label in encoded.split(".")):
        raise DomainError(f"{domain!r} is not a domain name. Write it as in example.org, without https://.")
    return encoded


def environment_text(domain: str) -> str:
    """The file's text, with new secrets. Raises DomainError."""
    encoded = ascii_domain(domain)
    fernet_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")
    return f"""\
# Made by `make env`. Keep a copy in a safe place: without SECRET_KEYS nobody can read the stored bank keys.
# The site's name as people write it: {domain}
DOMAIN={encoded}

# Encrypts what is stored: bank keys, overlay addresses. To replace it put the new key first, a comma, the old one.
SECRET_KEYS={fernet_key}
POSTGRES_PASSWORD={secrets.token_hex(24)}
REDIS_PASSWORD={secrets.token_hex(24)}
RABBITMQ_PASSWORD={secrets.token_hex(24)}

# Mail (docs/server.md): take the # away and fill in what your mail service says. Without mail all works, by invitation.
#SMTP_HOST=smtp.example.org
#SMTP_USER=donate@example.org
#SMTP_PASSWORD=
#MAIL_FROM=donate@example.org
# Who may make an account: open (needs mail), invite or closed.
#REGISTRATION=invite
"""


def write_environment(file: Path, domain: str, *, replace: bool = False) -> None:
    """Write the file for its owner alone. Raises DomainError, and FileExistsError unless it may be replaced."""
    text = environment_text(domain)
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if replace else os.O_EXCL)
    with os.fdopen(os.open(file, flags, 0o600), "w", encoding="utf-8") as opened:
        opened.write(text)


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the .env of a server, with random secrets.")
    parser.add_argument("domain", metavar="DOMAIN", help="the site's domain, as example.org or стримкэш.рф")
    parser.add_argument("--force", action="store_true", help="replace an .env, and with it all its secrets")
    arguments = parser.parse_args()
    try:
        write_environment(FILE, arguments.domain, replace=arguments.force)
    except DomainError as error:
        print(error, file=sys.stderr)
        return 1
    except FileExistsError:
        print(
            f"{FILE} is there already. With other secrets the stored bank keys could not be read any more;\n"
            "if that is what you want: --force.",
            file=sys.stderr,
        )
        return 1
    print(f"Wrote {FILE}. Next: docker-compose -f docker-compose.ssl.yml up -d")
    return 0


if __name__ == "__main__":
    sys.exit(main())
