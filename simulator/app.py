"""The simulated bank as a Quart application: its API, its pages, its control API."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path

from quart import Quart, Response

from infra.settings import ROOT
from simulator import api, bank_app, control, control_bank, developer_pages, pages
from simulator.bank import Bank
from simulator.clock import Clock
from simulator.courier import RetrySchedule, SimulatedCourier
from simulator.faults import Faults
from simulator.poster import Poster
from simulator.records import Terminal
from simulator.store import Store

PUBLIC_TEST_TERMINAL = Terminal("TinkoffBankTest", "TinkoffBankTest", None)
"""The bank's published one, so that the examples of its documents are valid requests."""

CLOCK_SECONDS = 0.25
"""How often links expire and refunds arrive by themselves."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_app(database: Path, *, retry_seconds: float = 3.0, now: Callable[[], float] = time.time) -> Quart:
    """The application over the file `database`; `now` (unix seconds) may be another clock than ours."""
    app = Quart(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
        static_url_path="/static",
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    for part in (api, pages, bank_app, developer_pages, control, control_bank):
        app.register_blueprint(part.blueprint)

    @app.while_serving
    async def live() -> AsyncGenerator[None, None]:
        store = Store(database)
        if store.find_terminal(PUBLIC_TEST_TERMINAL.terminal_key) is None:
            store.save_terminal(PUBLIC_TEST_TERMINAL)
        faults, poster, clock = Faults(), Poster(), Clock(now)
        courier = SimulatedCourier(store, poster, faults, RetrySchedule(retry_seconds), clock)
        bank = Bank(store, courier, faults, clock)
        app.extensions.update({"bank": bank, "courier": courier, "faults": faults, "clock": clock})
        loops = [asyncio.create_task(courier.run()), asyncio.create_task(_let_time_pass(bank))]
        yield
        for loop in loops:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop
        await courier.stop()
        poster.close()
        store.close()

    @app.after_request
    async def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return app


async def _let_time_pass(bank: Bank) -> None:
    while True:
        bank.let_time_pass()
        await asyncio.sleep(CLOCK_SECONDS)
