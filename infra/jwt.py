"""Signed tokens of REST API v1: who somebody is, for some days (HS256, RFC 7519).

They are signed with a key made of each of SECRET_KEYS: the newest signs, all verify, so that keys can be rotated.
"""

import time
from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from infra.crypto import SecretBox

_ALGORITHMS = ["HS256"]


@dataclass(frozen=True)
class Signed:
    """What a token says: whose it is, and of which version of that user's tokens."""

    user_id: int
    version: int


def issue_jwt(box: SecretBox, user_id: int, version: int, *, lifetime_seconds: int) -> str:
    now = int(time.time())
    claims = {"sub": str(user_id), "ver": version, "iat": now, "exp": now + lifetime_seconds}
    return jwt.encode({"alg": "HS256"}, claims, _keys(box)[0], algorithms=_ALGORITHMS)


def read_jwt(box: SecretBox, text: str) -> Signed | None:
    """None for what we did not sign, or what is over. The version is the caller's to compare."""
    for key in _keys(box):
        try:
            claims = jwt.decode(text, key, algorithms=_ALGORITHMS).claims
            if claims["exp"] <= time.time():
                return None
            return Signed(int(claims["sub"]), int(claims["ver"]))
        except (JoseError, ValueError, TypeError, KeyError):
            # The next key may fit; a token that none signed is nobody's.
            continue
    return None


def _keys(box: SecretBox) -> list[OctKey]:
    return [OctKey.import_key(digest) for digest in box.digests("REST API v1", "jwt")]
