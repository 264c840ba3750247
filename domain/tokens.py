"""Random tokens: who shows one in an address, a cookie or a header is believed. Stored are their hashes."""

import hashlib
import secrets


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """SHA-256: enough for random bits, which cannot be guessed from a list as passwords can.

    Of any text, since anybody may show one: also of half a pair of UTF-16.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
