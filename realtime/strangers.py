"""Who brings tokens that open nothing: counted by address, and after too many not looked up for the rest of a minute,
but for overlays and widgets, where alerts would wait.

Good tokens are not counted, so any number of widgets and bots may share one address.
"""

import time
from collections.abc import MutableMapping
from typing import Any

from infra.addresses import address_key, find_client

MAX_FAILED = 60
PERIOD_SECONDS = 60.0
MAX_ADDRESSES = 10_000


class Strangers:
    """Counted by each process for itself."""

    def __init__(self, trusted_proxies: str) -> None:
        self._trusted_proxies = trusted_proxies
        self._failed: dict[str, tuple[int, float]] = {}
        """By address: how many, and when it begins anew."""

    def address_of(self, scope: MutableMapping[str, Any]) -> str:
        client = scope.get("client")
        forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"]
        return address_key(find_client(str(client[0]) if client else "", forwarded, self._trusted_proxies))

    def is_refused(self, address: str) -> bool:
        count, ends_at = self._failed.get(address, (0, 0.0))
        return count >= MAX_FAILED and time.monotonic() < ends_at

    def note_failed(self, address: str) -> None:
        now = time.monotonic()
        count, ends_at = self._failed.get(address, (0, 0.0))
        if ends_at <= now:
            self._make_room(now)
            count, ends_at = 0, now + PERIOD_SECONDS
        self._failed[address] = count + 1, ends_at

    def _make_room(self, now: float) -> None:
        if len(self._failed) >= MAX_ADDRESSES:
            self._failed = {address: failed for address, failed in self._failed.items() if failed[1] > now}
        if len(self._failed) >= MAX_ADDRESSES:
            # So many strangers at once that memory matters more than their counters.
            self._failed.clear()
