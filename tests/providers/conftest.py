"""What the providers' tests share: a canned bank and a client that talks to it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import HealthCheck, settings

from providers.provider import Credentials
from providers.tbank.client import TBankClient
from tests.providers.canned_bank import CannedBank, listening

# How fast a machine draws its examples is not what we test.
settings.register_profile("any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any_machine")


@pytest.fixture
def credentials() -> Credentials:
    return Credentials("1700000000000DEMO", "s3cr3t_pass_20chars!")


@pytest.fixture
async def bank() -> AsyncIterator[CannedBank]:
    bank = CannedBank()
    async with listening(bank) as bank.url:
        yield bank


@pytest.fixture
async def tbank(bank: CannedBank) -> AsyncIterator[TBankClient]:
    async with httpx.AsyncClient() as http:
        yield TBankClient(http, bank.url, timeout_seconds=10)
