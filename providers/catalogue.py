"""Which providers there are: every folder here with a `provider.py` that has `create` and `DEFAULT_API_URL`."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import cast

import httpx

import providers
from providers.provider import Provider


@cache
def _modules() -> dict[str, ModuleType]:
    names = sorted(found.name for found in pkgutil.iter_modules(providers.__path__) if found.ispkg)
    return {name: importlib.import_module(f"providers.{name}.provider") for name in names}


def provider_names() -> tuple[str, ...]:
    """As they stand in `terminals.provider` and in addresses."""
    return tuple(_modules())


def open_providers(
    http: httpx.AsyncClient,
    *,
    api_urls: Mapping[str, str],
    timeout_seconds: float,
    connect_timeout_seconds: float,
) -> dict[str, Provider]:
    """All providers by name, over one HTTP client. `api_urls` names those that are not reached at their own address."""
    return {
        name: cast(
            "Provider",
            module.create(http, api_urls.get(name, module.DEFAULT_API_URL), timeout_seconds, connect_timeout_seconds),
        )
        for name, module in _modules().items()
    }
