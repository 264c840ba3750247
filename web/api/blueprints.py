"""A noun of the API: its address, and the age of its promises."""

from typing import Any

from quart import Blueprint, current_app, has_request_context, request

PREFIX = "/api/v1"
_BESIDE = ("/oauth/token", "/oauth/revoke", "/.well-known/oauth-authorization-server")
"""For the same programs: errors of theirs that are not OAuth's own are told as the API's."""
_OLD = "rest_old_"
_NEW = "rest_"


class ApiBlueprint(Blueprint):
    """Answers with and without a slash at the end alike: clients of the first version wrote both."""

    def add_url_rule(self, rule: str, *arguments: Any, **options: Any) -> None:
        options.setdefault("strict_slashes", False)
        super().add_url_rule(rule, *arguments, **options)


def old_api(noun: str, path: str | None = None) -> ApiBlueprint:
    """What the first version had: its statuses and error shapes stay as they were."""
    return ApiBlueprint(f"{_OLD}{noun}", __name__, url_prefix=f"{PREFIX}/{noun if path is None else path}")


def new_api(noun: str, path: str | None = None) -> ApiBlueprint:
    """Our own additions: errors are problem documents."""
    return ApiBlueprint(f"{_NEW}{noun}", __name__, url_prefix=f"{PREFIX}/{noun if path is None else path}")


def is_api(endpoint: str | None) -> bool:
    return endpoint is not None and endpoint.startswith(_NEW)


def is_old(endpoint: str | None) -> bool:
    return endpoint is not None and endpoint.startswith(_OLD)


def in_old() -> bool:
    """Whether this request is for what the first version had: an operation, or an address of one of its nouns that
    there is not, or not with this method."""
    if request.endpoint is not None:
        return is_old(request.endpoint)
    prefixes = {one.url_prefix for name, one in current_app.blueprints.items() if is_old(name)}
    return any(prefix and f"{request.path}/".startswith(f"{prefix}/") for prefix in prefixes)


def in_api() -> bool:
    """Whether this request is for an address of the API, one that there is or one that there is not."""
    return has_request_context() and (
        is_api(request.endpoint) or request.path.startswith("/api/") or request.path in _BESIDE
    )
