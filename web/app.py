"""The web program: `create_app(settings)` is the whole site."""

import asyncio
import contextlib
import logging

import httpx
from jinja2 import StrictUndefined
from quart import Quart

from infra.crypto import SecretBox
from infra.database import DATABASE_AWAY, open_pool
from infra.redis import open_redis
from infra.settings import ROOT, Settings
from providers.catalogue import open_providers
from web import api, health, metrics, notifications
from web.api.access import setup_access
from web.api.etags import setup_etags
from web.api.headers import setup_headers
from web.api.idempotency import setup_idempotency
from web.api.openapi import setup_openapi
from web.api.path_ids import add_id_converter, setup_path_ids
from web.assets import setup_assets
from web.context import EXTENSION, Parts
from web.errors import setup_errors
from web.first_account import announce_first_account
from web.i18n import setup_i18n
from web.limits import Limiter
from web.moderator_sessions import setup_moderator_sessions
from web.on_air import is_on_air
from web.pages import operator_legal, styleguide, with_routes
from web.secret_cookies import setup_secret_cookies
from web.security import setup_security
from web.sessions import setup_sessions
from web.sorted_terminals import sort_terminals
from web.uploads import SizedRequest
from web.waiters import Waiters

log = logging.getLogger(__name__)

MAX_REQUEST_BYTES = 64 * 1024
BODY_TIMEOUT_SECONDS = 20
DATABASE_RETRY_SECONDS = 1.0
# How pages name the command line to who runs the site: beside `make run`, and as docs/server.md sets a server up.
MANAGE_HERE = ".venv/bin/python -m web.manage"
MANAGE_ON_SERVER = "docker-compose -f docker-compose.ssl.yml exec api-gateway python -m web.manage"


def create_app(settings: Settings) -> Quart:
    """The site as an ASGI app. It starts, and answers 503, even while PostgreSQL or Redis is away.

    Raises ValueError when `secret_keys` holds no good key.
    """
    box = SecretBox(settings.secret_keys.get_secret_value())
    app = Quart("web", static_folder=None, template_folder=str(ROOT / "templates"))
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        BODY_TIMEOUT=BODY_TIMEOUT_SECONDS,
        TEMPLATES_AUTO_RELOAD=settings.in_development,
        IN_DEVELOPMENT=settings.in_development,
    )
    app.request_class = SizedRequest
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.undefined = StrictUndefined
    setup_errors(app)
    setup_assets(app)
    setup_i18n(app)
    setup_security(app)
    setup_headers(app)
    setup_secret_cookies(app)
    setup_sessions(app)
    setup_moderator_sessions(app)
    app.jinja_env.globals.update(
        is_on_air=is_on_air,
        operator_pages=operator_legal.operator_pages,
        manage=MANAGE_HERE if settings.in_development else MANAGE_ON_SERVER,
    )
    for module in (health, metrics, notifications, *with_routes()):
        # How pages are made is for who makes them.
        if module is not styleguide or settings.in_development:
            app.register_blueprint(module.blueprint)

    setup_openapi(app)
    add_id_converter(app)
    for module in api.with_routes():
        app.register_blueprint(module.blueprint)
    setup_access(app)
    setup_path_ids(app)
    setup_idempotency(app)
    setup_etags(app)

    @app.while_serving
    async def hold_parts():  # type: ignore[no-untyped-def]
        redis = open_redis(settings.redis_url)
        waiters = Waiters(settings.redis_url)
        http = httpx.AsyncClient()
        providers = open_providers(
            http,
            api_urls=settings.provider_api_urls,
            timeout_seconds=settings.provider_timeout_seconds,
            connect_timeout_seconds=settings.provider_connect_timeout_seconds,
        )
        held = Parts(settings, box, redis, Limiter(redis), waiters, providers, http)
        app.extensions[EXTENSION] = held
        tasks = [asyncio.create_task(waiters.run(), name="waiters")]
        if not await _open_pool(held):
            tasks.append(asyncio.create_task(_keep_opening_pool(held), name="open pool"))
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await held.relay.close()
        await http.aclose()
        await redis.aclose()
        if held.opened_pool is not None:
            await _close_pool(held)

    return app


async def _open_pool(held: Parts) -> bool:
    settings = held.settings
    try:
        held.opened_pool = await open_pool(settings.database_url, size=settings.database_pool_size, program="web")
    except DATABASE_AWAY as error:
        log.warning("The database is away: %s: %s", type(error).__name__, error)
        return False
    await announce_first_account(held)
    await sort_terminals(held)
    return True


async def _keep_opening_pool(held: Parts) -> None:
    while True:
        await asyncio.sleep(DATABASE_RETRY_SECONDS)
        if await _open_pool(held):
            log.info("The database answers now")
            return


async def _close_pool(held: Parts) -> None:
    assert held.opened_pool is not None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            await held.opened_pool.close()
            return
    held.opened_pool.terminate()
