"""The API's description: the document in git is the one that is served, and the page for people shows it."""

import importlib
import json
import os
import pkgutil

import httpx
from pydantic import BaseModel

from domain.passwords import MAX_LENGTH
from infra.settings import ROOT
from tests.api.conftest import contract
from tests.support.site import Site
from web.api import schemas
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


def test_a_body_is_asked_for_as_the_first_version_did() -> None:
    """Programs made from the document leave out what it does not ask for."""
    document, first = json.loads(DOCUMENT.read_text(encoding="utf-8")), contract()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "requestBody" in operation:
                theirs = first["paths"].get(path, {}).get(method, {}).get("requestBody", {"required": True})
                assert operation["requestBody"]["required"] is theirs.get("required", False), (method, path)


def test_a_new_password_is_described_as_the_rule_has_it() -> None:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    found = []
    for path, field in (("auth/register", "password"), ("auth/reset-password", "new_password"), ("users/", "password")):
        content = document["paths"][f"/api/v1/{path}"]["post"]["requestBody"]["content"]
        found.append(content["application/json"]["schema"]["properties"][field])
    changed = document["paths"]["/api/v1/users/me"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    found.append(changed["properties"]["password"]["anyOf"][0])
    assert [one["maxLength"] for one in found] == [MAX_LENGTH] * 4


async def test_names_of_operations_are_unique() -> None:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_a_models_name_means_one_thing() -> None:
    """Models inside others stand in the document by their names alone, whichever module they are of."""
    meanings: dict[str, set[str]] = {}
    for module in pkgutil.iter_modules(schemas.__path__):
        for model in vars(importlib.import_module(f"{schemas.__name__}.{module.name}")).values():
            if isinstance(model, type) and issubclass(model, BaseModel) and model is not BaseModel:
                for name, meaning in model.model_json_schema(mode="serialization").get("$defs", {}).items():
                    meanings.setdefault(name, set()).add(json.dumps(meaning, sort_keys=True))
    assert meanings
    assert [name for name, different in meanings.items() if len(different) > 1] == []


async def test_the_page_needs_no_script(site: Site, nobody: httpx.AsyncClient) -> None:
    page = (await site.client.get("/docs/api")).text
    document = (await nobody.get("/openapi.json")).json()
    for path in document["paths"]:
        assert path in page
