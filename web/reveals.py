"""Passes to see a secret on a page: only a press, a POST of our own page, gives one, so no link can (DESIGN 16)."""

import json
import time

from infra.crypto import SecretBox, UndecryptableError

PASS_SECONDS = 300
"""How long the secret stays on the page; a forgotten one hides by itself when its part is drawn anew."""
_PURPOSE = "reveal"


def give_pass(box: SecretBox, streamer_id: int) -> str:
    """A pass for an address's query. It shows nothing to whoever may not see this streamer's dashboard."""
    return box.encrypt(json.dumps([_PURPOSE, streamer_id, time.time() + PASS_SECONDS]))


def is_good(box: SecretBox, given: str, streamer_id: int) -> bool:
    try:
        purpose, for_id, expires_at = json.loads(box.decrypt(given))
    except (UndecryptableError, ValueError, TypeError):
        # Anything encrypted by us but meant for something else is no pass either.
        return False
    return (purpose, for_id) == (_PURPOSE, streamer_id) and expires_at > time.time()
