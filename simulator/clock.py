"""The bank's clock: somebody else's, that a test may put forward."""

from collections.abc import Callable


class Clock:
    """Unix seconds. What was put forward is forgotten when the program ends."""

    def __init__(self, base: Callable[[], float]) -> None:
        self._base = base
        self.ahead_seconds = 0.0

    def __call__(self) -> float:
        return self._base() + self.ahead_seconds

    def advance(self, seconds: float) -> None:
        """Links run out, refunds arrive and retries come due as if so many seconds had passed."""
        self.ahead_seconds += seconds
