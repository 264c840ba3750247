"""The site's routes as they are, and addresses about the cast's own things."""

import re

from werkzeug.routing import Rule

from tests.pages.cast import Cast
from tests.pages.routes import Route
from web.api.blueprints import is_api
from web.app import create_app


def rules_of(cast: Cast) -> list[tuple[Rule, str]]:
    """Every route of the site with each of its methods; what reads first, what writes after it. The API's operations
    are in `tests/api`."""
    rules = [rule for rule in create_app(cast.site.settings).url_map.iter_rules() if not is_api(rule.endpoint)]
    pairs = [(rule, method) for rule in rules for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return sorted(pairs, key=lambda pair: (pair[1] != "GET", pair[0].rule))


def address_of(cast: Cast, rule: Rule, route: Route, *, wrong: bool = False) -> str:
    """The route's address about the streamer's own thing, or about one that nobody has."""

    def fill_in(match: re.Match[str]) -> str:
        converter, name = match.group(1), match.group(2)
        value = route.ids[name]
        if wrong and value in cast.ids:
            return "2147483647" if converter else "x" * 22
        return cast.ids.get(value, value)

    path = re.sub(r"<(?:(int|path)(?:\([^)]*\))?:)?(\w+)>", fill_in, rule.rule)
    return f"{path}?{route.query}" if route.query else path


def form_of(cast: Cast, route: Route) -> dict[str, str]:
    return {name: cast.ids.get(value, value) for name, value in route.form.items()}
