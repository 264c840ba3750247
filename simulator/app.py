"""The simulated bank and YooKassa as a Quart application: their APIs, their pages, their control APIs."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from quart import Quart, Response

from infra.settings import ROOT
from simulator import api, bank_app, control, control_bank, developer_pages, identity, mailbox, pages
from simulator.bank import Bank
from simulator.clock import Clock
from simulator.courier import RetrySchedule, SimulatedCourier
from simulator.faults import Faults
from simulator.mailbox import Mailbox
from simulator.poster import Poster
from simulator.records import Terminal
from simulator.store import Store
from simulator.yookassa import api as yookassa_api
from simulator.yookassa import control as yookassa_control
from simulator.yookassa import messages as yookassa_messages
from simulator.yookassa import pages as yookassa_pages
from simulator.yookassa.bank import YooKassaBank
from simulator.yookassa.records import AcceptedByStatus, Shop
from simulator.yookassa.store import YooKassaStore

PUBLIC_TEST_TERMINAL = Terminal("TinkoffBankTest", "TinkoffBankTest", None)
"""The bank's published one, so that the examples of its documents are valid requests."""

DEMO_SHOP = Shop("100500", "test_not_a_real_key", None)
"""YooKassa publishes none; its documents' examples use this number."""

CLOCK_SECONDS = 0.25
"""How often links expire and refunds arrive by themselves."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_app(
    database: Path,
    *,
    retry_seconds: float = 3.0,
    now: Callable[[], float] = time.time,
    demo_shop_url: str | None = None,
    smtp_address: tuple[str, int] | None = None,
) -> Quart:
    """The application over the file `database`; `now` (unix seconds) may be another clock than ours.

    `demo_shop_url` is where YooKassa's demo shop wants its notifications: what a streamer types into its cabinet.
    `smtp_address` is the host and port where mail is taken; None: nowhere.
    """
    app = Quart(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
        static_url_path="/static",
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    bank_parts = (api, pages, bank_app, developer_pages, control, control_bank)
    for part in (*bank_parts, yookassa_api, yookassa_pages, yookassa_control, identity, mailbox):
        app.register_blueprint(part.blueprint)

    @app.while_serving
    async def live() -> AsyncGenerator[None, None]:
        store, yookassa_store = Store(database), YooKassaStore(database)
        if store.find_terminal(PUBLIC_TEST_TERMINAL.terminal_key) is None:
            store.save_terminal(PUBLIC_TEST_TERMINAL)
        if demo_shop_url or yookassa_store.find_shop(DEMO_SHOP.shop_id) is None:
            yookassa_store.save_shop(replace(DEMO_SHOP, notification_url=demo_shop_url))
        faults, poster, clock, schedule = Faults(), Poster(), Clock(now), RetrySchedule(retry_seconds)
        courier = SimulatedCourier(store, poster, faults, schedule, clock)
        bank = Bank(store, courier, faults, clock)
        app.extensions.update({"bank": bank, "courier": courier, "faults": faults, "clock": clock})
        yookassa_courier = SimulatedCourier(
            yookassa_store,
            poster,
            faults,
            schedule,
            clock,
            delivery=AcceptedByStatus,
            fault_method="yookassa.notifications",
            forge=yookassa_messages.forged,
        )
        yookassa_bank = YooKassaBank(yookassa_store, yookassa_courier, clock)
        app.extensions.update({"yookassa_bank": yookassa_bank, "yookassa_courier": yookassa_courier})
        box = Mailbox(clock)
        app.extensions["mailbox"] = box
        smtp = None if smtp_address is None else await box.listen(*smtp_address)
        loops = [
            asyncio.create_task(loop)
            for loop in (courier.run(), yookassa_courier.run(), _let_time_pass(bank, yookassa_bank))
        ]
        yield
        if smtp is not None:
            smtp.close()
        for loop in loops:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop
        await courier.stop()
        await yookassa_courier.stop()
        poster.close()
        yookassa_store.close()
        store.close()

    @app.after_request
    async def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return app


async def _let_time_pass(bank: Bank, yookassa_bank: YooKassaBank) -> None:
    while True:
        bank.let_time_pass()
        yookassa_bank.let_time_pass()
        await asyncio.sleep(CLOCK_SECONDS)
