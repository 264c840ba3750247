"""The REST API: a module here with a `blueprint` is part of it."""

import importlib
import pkgutil
from typing import Any


def with_routes() -> list[Any]:
    """The modules of this package that have routes."""
    names = [f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)]
    return [module for module in map(importlib.import_module, names) if hasattr(module, "blueprint")]
