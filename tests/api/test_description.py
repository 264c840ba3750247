"""The API's description: the document in git is the one that is served, and the page for people shows it."""

import json
import os

import httpx

from infra.settings import ROOT
from tests.support.site import Site
from web.api.openapi import document_text
from web.app import create_app

DOCUMENT = ROOT / "docs" / "openapi.json"


async def test_the_document_in_git_is_current(site: Site) -> None:
    """After a change of the API: `UPDATE_OPENAPI=1 make test ARGS=tests/api/test_description.py`."""
    text = document_text(create_app(site.settings))
    if os.environ.get("UPDATE_OPENAPI"):
        DOCUMENT.write_text(text, encoding="utf-8")
    assert DOCUMENT.read_text(encoding="utf-8") == text
    assert (await site.client.get("/api/v1/openapi.json")).text == text


def test_every_operation_is_described() -> None:
    """With a sentence, an answer of its own, and examples of what it takes and gives."""
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    lacking = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for what, is_there in {
                "a summary": operation.get("summary"),
                "an answer": any(status < "400" for status in operation["responses"]),
                "an example of its body": _has_example(operation.get("requestBody")),
                "an example of its answer": any(
                    _has_example(answer) for status, answer in operation["responses"].items() if status < "400"
                ),
            }.items():
                if not is_there:
                    lacking.append(f"{method.upper()} {path} lacks {what}")
    assert lacking == []


def _has_example(thing: dict[str, object] | None) -> bool:
    """True also where there is nothing to give an example of."""
    contents = (thing or {}).get("content")
    return not isinstance(contents, dict) or all(
        "example" in content or not content.get("schema") for content in contents.values()
    )


async def test_names_of_operations_are_unique() -> None:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


async def test_the_page_needs_no_script(site: Site, nobody: httpx.AsyncClient) -> None:
    page = (await site.client.get("/docs/api")).text
    document = (await nobody.get("/openapi.json")).json()
    for path in document["paths"]:
        assert path in page
