"""`GET /metrics`, for Prometheus: what waits, how the programs are, and what the self-check knows.

Numbers of the whole site, never of a streamer. For this machine and our own networks, or with `METRICS_TOKEN`; to
anyone else the page does not exist. What nginx passes on comes from strangers, so it needs the token.
"""

import hmac
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from quart import Blueprint, Response, request

from domain import self_check
from domain.errors import NotFoundError
from infra import queries
from infra.addresses import is_within
from web.context import parts
from web.health import RELAY_SILENT_SECONDS

blueprint = Blueprint("metrics", __name__)

_LOOPBACK = "127.0.0.0/8,::1/128"


@blueprint.get("/metrics")
async def show() -> Response:
    if not _may_read():
        raise NotFoundError("page")
    registry = CollectorRegistry()
    registry.register(_Collected([*await _collect()]))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read() -> bool:
    settings = parts().settings
    if settings.metrics_token is not None:
        expected = f"Bearer {settings.metrics_token.get_secret_value()}"
        if hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
            return True
    if "X-Forwarded-For" in request.headers:
        return False
    client = request.scope.get("client")
    return is_within(str(client[0]) if client else "", f"{_LOOPBACK},{settings.trusted_proxies}")


class _Collected(Collector):
    """Metrics that were read before: prometheus_client asks without waiting."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


async def _collect() -> list[Metric]:
    async with parts().pool.acquire() as connection:
        outbox = await queries.outbox.read_outbox_age(connection)
        waiting = await queries.metrics.count_waiting(connection)
        payments = [row async for row in queries.metrics.count_waiting_payments(connection)]
        estimates = [row async for row in queries.metrics.estimate_payments(connection)]
        providers = [row async for row in queries.metrics.list_provider_health(connection)]
        relays = await queries.relays.read_relays(connection, silent_seconds=RELAY_SILENT_SECONDS)
        state = await self_check.read_state(connection)
    return [
        _gauge("outbox_rows", "Rows of the outbox past their time.", outbox["rows"]),
        _gauge("outbox_oldest_seconds", "For how long the oldest of them waits.", outbox["oldest_seconds"]),
        _gauge("notifications_unprocessed", "Notifications of providers nobody acted on.", waiting["notifications"]),
        _gauge("alerts_waiting", "Alerts queued for an overlay.", waiting["alerts"]),
        _gauge("refunds_open", "Refunds under way.", waiting["refunds"]),
        _gauge("webhook_deliveries_waiting", "What webhooks are still to be told.", waiting["deliveries"]),
        _gauge("webhooks_failing", "Webhooks that are tried again.", waiting["webhooks_failing"]),
        _gauge("relays_running", "Relays that renewed themselves lately.", relays["running"]),
        _gauge("dead_letters", "Messages no retry will try again; absent while unknown.", relays["dead_letters"]),
        _gauges(
            "payments_waiting",
            "Payments that will be looked at again, by state.",
            "status",
            {row["status"]: row["payments"] for row in payments},
        ),
        _gauges(
            "payments_estimate",
            "All payments by state, as of PostgreSQL's last ANALYZE.",
            "status",
            {row["status"]: row["payments"] for row in estimates},
        ),
        _gauges(
            "provider_failures",
            "Failures in a row of a payment provider.",
            "provider",
            {row["provider"]: row["failures"] for row in providers},
        ),
        *_of_self_check(state),
    ]


def _of_self_check(state: self_check.State | None) -> list[Metric]:
    """Nothing before the first run: an alert on absent metrics notices."""
    if state is None:
        return []
    found = GaugeMetricFamily(
        "streamcash_self_check_found", "What a rule of the self-check finds.", labels=["rule", "severity"]
    )
    for finding in state.findings:
        found.add_metric([finding.rule, self_check.ALL_RULES[finding.rule].severity], finding.found)
    ages = {"recent": state.last.age_seconds}
    if state.last_full is not None:
        ages["full"] = state.last_full.age_seconds
    return [found, _gauges("self_check_age_seconds", "Since the last run of this depth or deeper.", "depth", ages)]


def _gauge(name: str, text: str, value: float | None) -> Metric:
    gauge = GaugeMetricFamily(f"streamcash_{name}", text)
    if value is not None:
        gauge.add_metric([], value)
    return gauge


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(f"streamcash_{name}", text, labels=[label])
    for name_of, value in values.items():
        gauge.add_metric([name_of], value)
    return gauge
