"""Whether a streamer can be given money now: the terminal in use, its provider, its refusals."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.terminal_health import Refusal, read_health, read_refusal
from domain.terminals import Terminal, get_active_terminal
from infra.crypto import UndecryptableError
from infra.settings import Settings
from providers.outcomes import RefusalReason
from providers.provider import Credentials, Provider
from web.context import parts


class BankState(StrEnum):
    NONE = "none"
    """No terminal: the donation page is closed."""
    UNREADABLE = "unreadable"
    """The server has lost the key that encrypted the terminal's secret."""
    AWAY = "away"
    REFUSES = "refuses"
    TEST = "test"
    TAKES = "takes"


@dataclass(frozen=True)
class Bank:
    state: BankState
    provider: str = ""
    since: datetime | None = None
    """When it began, of AWAY and REFUSES."""
    is_test_terminal: bool = False
    """Whatever its state: no real money goes through it."""

    @property
    def is_connected(self) -> bool:
        return self.state is not BankState.NONE

    @property
    def is_test_mode(self) -> bool:
        """No real money can come: a test terminal, or none at all."""
        return self.is_test_terminal or not self.is_connected


# What no donor can help by trying again, nor by another sum.
_STREAMERS_OWN = frozenset(
    {
        RefusalReason.CREDENTIALS,
        RefusalReason.SHOP_UNAVAILABLE,
        RefusalReason.SHOP_LIMIT,
        RefusalReason.OTHER_PRODUCT,
        RefusalReason.RECEIPT,
    }
)


def is_standing(refusal: Refusal | None) -> bool:
    """Whether the streamer has to do something: refused for a reason of hers, and nothing was opened since."""
    return refusal is not None and not refusal.has_opened_since and refusal.reason in _STREAMERS_OWN


def credentials_of(terminal: Terminal) -> Credentials | None:
    """None: no key of ours reads the secret any more."""
    try:
        return Credentials(terminal.terminal_key, terminal.secret(parts().box))
    except UndecryptableError:
        return None


def is_test_terminal(terminal: Terminal) -> bool:
    return bool(is_test_account(parts().settings, parts().providers[terminal.provider], credentials_of(terminal)))


def is_simulated(settings: Settings, provider_name: str) -> bool:
    """Whether the simulator stands for this bank. On a server another address of a bank is another way to the bank."""
    return settings.in_development and provider_name in settings.provider_api_urls


def is_test_account(settings: Settings, provider: Provider, credentials: Credentials | None) -> bool | None:
    """The bank's DEMO terminal, a test shop, or the simulator that stands for the bank in development. None: nobody can
    tell without the secret."""
    if is_simulated(settings, provider.name):
        return True
    return None if credentials is None else provider.is_test(credentials)


async def read_bank(connection: Any, streamer_id: int) -> Bank:
    terminal = await get_active_terminal(connection, streamer_id)
    if terminal is None:
        return Bank(BankState.NONE)
    is_test = is_test_terminal(terminal)
    if credentials_of(terminal) is None:
        return Bank(BankState.UNREADABLE, terminal.provider, is_test_terminal=is_test)
    health = await read_health(connection, terminal.provider)
    if health.is_away:
        return Bank(BankState.AWAY, terminal.provider, health.failing_since, is_test)
    refusal = await read_refusal(connection, terminal.id)
    if refusal is not None and is_standing(refusal):
        return Bank(BankState.REFUSES, terminal.provider, refusal.refused_at, is_test)
    return Bank(BankState.TEST if is_test else BankState.TAKES, terminal.provider, is_test_terminal=is_test)
