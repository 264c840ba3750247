"""The SQL of `sql/queries/`, one object per file: `queries.payments.insert_payment(connection, …)`.

Files are loaded one at a time, since aiosql would let two equal names in one flat folder hide each other.
"""

from pathlib import Path
from typing import Any

import aiosql

QUERIES_DIR = Path(__file__).resolve().parent.parent / "sql" / "queries"


def _load(noun: str) -> Any:
    # Parameters are named where they are used; a list of them beside the name would only repeat it.
    return aiosql.from_path(QUERIES_DIR / f"{noun}.sql", "asyncpg", mandatory_parameters=False)


_loaded: dict[str, Any] = {}


def __getattr__(noun: str) -> Any:
    if noun not in _loaded:
        if not (QUERIES_DIR / f"{noun}.sql").is_file():
            raise AttributeError(f"sql/queries/{noun}.sql does not exist")
        _loaded[noun] = _load(noun)
    return _loaded[noun]
