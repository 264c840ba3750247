"""Every query of `sql/queries/` is prepared against the migrated schema, used, and hidden by no other."""

import re
from pathlib import Path
from typing import Any

import pytest

from infra import queries
from infra.queries import QUERIES_DIR

FILES = sorted(QUERIES_DIR.glob("*.sql"))


def queries_of(path: Path) -> dict[str, str]:
    loaded = getattr(queries, path.stem)
    names = [name for name in loaded.available_queries if not name.endswith("_cursor")]
    return {name: getattr(loaded, name).sql for name in names}


def test_there_are_queries() -> None:
    assert len(FILES) >= 8


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_every_query_is_prepared(path: Path, connection: Any) -> None:
    """PostgreSQL parses and types each statement, so a renamed column is found here and not at night."""
    for name, sql in queries_of(path).items():
        try:
            await connection.prepare(sql)
        except Exception as error:
            raise AssertionError(f"{path.name}: {name}: {error}") from error


async def test_a_column_of_a_later_migration_changes_no_answer(connection: Any) -> None:
    """The previous version runs on while it is migrated (DESIGN 18). PostgreSQL refuses a prepared statement whose
    answer got another column, and a dataclass a field it does not know: so no query may ask for all columns."""

    async def answers() -> dict[str, list[str]]:
        return {
            f"{path.stem}.{name}": [attribute.name for attribute in (await connection.prepare(sql)).get_attributes()]
            for path in FILES
            for name, sql in queries_of(path).items()
        }

    before = await answers()
    for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        await connection.execute(f"ALTER TABLE {row['tablename']} ADD COLUMN of_a_later_version text")
    assert await answers() == before


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_names_are_unique_in_a_file(path: Path) -> None:
    names = re.findall(r"^-- name: *(\w+)", path.read_text(), re.MULTILINE)
    assert sorted(names) == sorted(set(names))
    assert set(names) == set(queries_of(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_query_is_used(path: Path) -> None:
    """A query nobody calls is dead code that still has to be migrated."""
    root = QUERIES_DIR.parent.parent
    code = "\n".join(
        file.read_text()
        for folder in ("domain", "infra", "tasks", "web", "realtime")
        for file in (root / folder).rglob("*.py")
    )
    # Called, or named where several are gone through.
    unused = [name for name in queries_of(path) if not re.search(rf"\.{name}[(,]", code)]
    assert unused == []
