"""What the site keeps and for how long, for everybody: `/kept`. The list itself is `domain/retention.py`."""

from quart import Blueprint, Response, render_template
from quart.typing import ResponseReturnValue

from domain.retention import RULES, days_of
from web.context import parts
from web.kept_words import always_kept, rule_words, span_words

blueprint = Blueprint("kept", __name__)


@blueprint.get("/kept")
async def show() -> ResponseReturnValue:
    keep_days = parts().settings.keep_days.model_dump()
    rules = [(*rule_words(rule.name), span_words(rule, days_of(rule, keep_days))) for rule in RULES]
    html = await render_template("pages/kept.html", rules=rules, always=always_kept())
    return Response(html, content_type="text/html; charset=utf-8")
