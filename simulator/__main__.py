"""`python -m simulator`: the simulated bank on `simulator_port`. Development and tests only."""

import asyncio
import logging
import signal

import uvloop
from hypercorn.asyncio import serve
from hypercorn.config import Config

from infra import logs
from infra.settings import Settings
from simulator.app import create_app

logger = logging.getLogger(__name__)


async def main(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    config = Config()
    config.bind = [f"{settings.bind_host}:{settings.simulator_port}"]
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    config.graceful_timeout = 1
    app = create_app(
        settings.data_dir / "simulator.sqlite3",
        retry_seconds=settings.simulator_retry_seconds,
        demo_shop_url=f"{settings.notifications_base_url}/api/v1/payments/webhook/yookassa",
        smtp_address=(settings.bind_host, settings.mailbox_port),
    )
    logger.info("the simulated bank listens on http://%s:%s", settings.bind_host, settings.simulator_port)
    await serve(app, config, shutdown_trigger=stopped.wait)


if __name__ == "__main__":
    settings = Settings()  # values come from the environment
    logs.configure("simulator", settings.log_level)
    uvloop.run(main(settings))
