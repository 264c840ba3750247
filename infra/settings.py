"""Settings of every program, read from the environment once, at its start."""

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """What a program may know about the place it runs in.

    Field names are the environment variables' names in lower case. Programs get one
    `Settings` and pass it on; nothing reads the environment elsewhere. Raises
    `pydantic.ValidationError`, which names the variable, when a value is missing or wrong.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True)

    environment: Literal["development", "production"] = "production"
    data_dir: Path = ROOT / "var"

    database_url: str
    redis_url: str
    rabbitmq_url: str | None = None
    """None: Dramatiq's Redis broker on `redis_url` and no events exchange."""

    secret_keys: SecretStr
    """Comma-separated Fernet keys, newest first; the first encrypts, all decrypt (rotation)."""

    web_url: str
    """Where people reach us, scheme and host, no slash at the end."""
    realtime_url: str
    """Where browsers reach the Socket.IO service; the same as `web_url` behind nginx."""
    notification_url: str | None = None
    """Base for the bank's notifications when it differs from `web_url`."""
    trusted_proxies: str = ""
    """Comma-separated networks whose X-Forwarded-For is believed (our own nginx)."""

    bind_host: str = "127.0.0.1"
    web_port: int = 8000
    realtime_port: int = 8001
    simulator_port: int = 8010
    simulator_retry_seconds: float = Field(default=3.0, gt=0)
    """The simulated bank's "hour" between its tries to deliver a notification."""

    notification_networks: str = ""
    """Comma-separated networks that unsigned notifications (YooKassa's) may come from; empty: those it publishes."""
    provider_api_urls: dict[str, str] = Field(default_factory=dict)
    """JSON: where payment providers are reached, for those not at their own address: {"tbank": "https://…/v2"}."""
    provider_connect_timeout_seconds: float = 5.0
    provider_timeout_seconds: float = 15.0
    """For a whole call to a provider, connecting included."""

    payment_link_minutes: int = Field(default=30, ge=5, le=60 * 24)
    """How long a payment link lives (RedirectDueDate)."""

    alive_file: Path | None = None
    """What workers and relays touch every few seconds, for a container's health check (`infra/liveness.py`)."""
    certificate_file: Path | None = None
    """The certificate that people see, if it is ours to look at; one that nobody trusts is said on the dashboard."""

    metrics_token: SecretStr | None = None
    """Who sends it as `Authorization: Bearer …` may read `/metrics`; without it only this machine and our networks."""

    legal_dir: Path | None = None
    """The operator's legal pages, `<name>.<language>.md`; None: the folder `legal` in `data_dir`."""

    database_pool_size: int = Field(default=8, ge=1)
    log_level: str = "INFO"

    @field_validator("web_url", "realtime_url", "notification_url")
    @classmethod
    def _without_trailing_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else value

    @cached_property
    def in_development(self) -> bool:
        return self.environment == "development"

    @cached_property
    def legal_folder(self) -> Path:
        return self.legal_dir or self.data_dir / "legal"

    @cached_property
    def notifications_base_url(self) -> str:
        return self.notification_url or self.web_url
