"""Runs the site: `python -m web`. SIGTERM or Ctrl-C lets running requests finish, then stops."""

import sys

import uvloop
from hypercorn.asyncio import serve
from hypercorn.config import Config
from pydantic import ValidationError

from infra import logs
from infra.settings import Settings
from web.app import create_app

GRACE_SECONDS = 5.0
KEEP_ALIVE_SECONDS = 75


def hypercorn_config(settings: Settings) -> Config:
    config = Config()
    host = f"[{settings.bind_host}]" if ":" in settings.bind_host else settings.bind_host
    config.bind = [f"{host}:{settings.web_port}"]
    config.graceful_timeout = GRACE_SECONDS
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.keep_alive_max_requests = 10_000
    config.backlog = 1024
    config.include_server_header = False
    config.accesslog = None
    config.errorlog = None
    return config


def main() -> None:
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(f"The settings are not right:\n{error}")
    logs.configure("web", settings.log_level)
    uvloop.run(serve(create_app(settings), hypercorn_config(settings)))


if __name__ == "__main__":
    main()
