"""Settings of every program, read from the environment once, at its start."""

from email.utils import parseaddr
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class IdentityClient(BaseModel):
    """What another site gave for this one."""

    model_config = ConfigDict(frozen=True)

    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None


class KeepDays(BaseModel):
    """For how many days what says something about people is kept (`domain/retention.py`). Money is kept for good, and
    the bank's own messages about it for more than a year, so that a payment can be explained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    links: int = Field(default=30, ge=1)
    letters: int = Field(default=30, ge=1)
    account_log: int = Field(default=1095, ge=366)
    exports: int = Field(default=7, ge=1)
    archives: int = Field(default=3, ge=1)
    addresses: int = Field(default=7, ge=1, le=30)
    unpaid_texts: int = Field(default=30, ge=2)
    receipt_emails: int = Field(default=1095, ge=366)
    deleted_by_hand: int = Field(default=30, ge=1)
    controls: int = Field(default=180, ge=7)
    webhook_log: int = Field(default=30, ge=2)
    decisions: int = Field(default=365, ge=30)
    notifications: int = Field(default=400, ge=366)


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

    identity_clients: dict[str, IdentityClient] = Field(default_factory=dict)
    """JSON: sites whose accounts sign in or are linked: {"yandex": {"client_id": "…", "client_secret": "…"}}, and
    likewise "vk", "twitch", "youtube". What is not named is off."""
    identity_urls: dict[str, str] = Field(default_factory=dict)
    """JSON: where those are reached that are not at their own address (the simulator plays them)."""

    payment_link_minutes: int = Field(default=30, ge=5, le=60 * 24)
    """How long a payment link lives (RedirectDueDate)."""

    alive_file: Path | None = None
    """What workers and relays touch every few seconds, for a container's health check (`infra/liveness.py`)."""
    certificate_file: Path | None = None
    """The certificate that people see, if it is ours to look at; one that nobody trusts is said on the dashboard."""

    smtp_host: str | None = None
    """The server that takes our mail; None: this site sends none."""
    smtp_port: int | None = Field(default=None, ge=1, le=65535)
    """None: 587, 465 or 25, as `smtp_security` says."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    mail_from: str | None = None
    """Whom letters come from: `name@example.org` or `Name <name@example.org>`; None: noreply@ the site's host."""
    smtp_timeout_seconds: float = Field(default=20.0, gt=0)
    simulator_smtp_port: int | None = Field(default=None, ge=1, le=65535)
    """Where the simulator takes mail; None: the port after `simulator_port`."""

    registration: Literal["open", "invite", "closed"] | None = None
    """Who may make an account; None: anybody in development, who has an invitation elsewhere."""

    cors_origins: str = ""
    """Comma-separated origins whose pages may call the API: `https://example.org,https://front.example.org`."""
    api_calls_per_minute: int = Field(default=600, ge=1)
    """Of one caller of the API: a person, a key, or (twice as many) an address."""
    jwt_days: int = Field(default=8, ge=1, le=90)
    """How long a sign-in through the API lasts."""

    metrics_token: SecretStr | None = None
    """Who sends it as `Authorization: Bearer …` may read `/metrics`; without it only this machine and our networks."""

    legal_dir: Path | None = None
    """The operator's legal pages, `<name>.<language>.md`; None: the folder `legal` in `data_dir`."""

    keep_days: KeepDays = KeepDays()
    """JSON: what is kept how long where the days differ from ours: {"letters": 14}."""

    webhooks_to_loopback: bool = False
    """Development only: webhooks may lead to a program on this machine, by http."""

    database_pool_size: int = Field(default=8, ge=1)
    log_level: str = "INFO"

    @field_validator("web_url", "realtime_url", "notification_url")
    @classmethod
    def _without_trailing_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else value

    @field_validator("cors_origins")
    @classmethod
    def _with_origins(cls, value: str) -> str:
        for origin in (part.strip() for part in value.split(",") if part.strip()):
            split = urlsplit(origin)
            if (
                split.scheme not in ("http", "https")
                or not split.netloc
                or origin != f"{split.scheme}://{split.netloc}"
            ):
                raise ValueError("origins are wanted, such as https://example.org; * is none")
        return value

    @field_validator("mail_from")
    @classmethod
    def _with_an_address(cls, value: str | None) -> str | None:
        if value is not None and not all(parseaddr(value)[1].rpartition("@")[::2]):
            raise ValueError("name@example.org or Name <name@example.org> is wanted")
        return value

    @cached_property
    def in_development(self) -> bool:
        return self.environment == "development"

    @cached_property
    def mailbox_port(self) -> int:
        return self.simulator_smtp_port or self.simulator_port + 1

    @cached_property
    def sends_mail(self) -> bool:
        return self.smtp_host is not None

    @cached_property
    def registration_wish(self) -> Literal["open", "invite", "closed"]:
        """Who may make an account whose address somebody else has proved (another site)."""
        return self.registration or ("open" if self.in_development else "invite")

    @cached_property
    def registration_mode(self) -> Literal["open", "invite", "closed"]:
        """Who may by a letter with a code: without mail, what is open is open to the invited only."""
        mode = self.registration_wish
        return "invite" if mode == "open" and not self.sends_mail else mode

    @cached_property
    def cors_origin_list(self) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.cors_origins.split(",") if part.strip())

    @cached_property
    def web_host(self) -> str:
        return urlsplit(self.web_url).hostname or "localhost"

    @cached_property
    def own_hosts(self) -> frozenset[str]:
        """Where people, browsers and banks reach us: no webhook leads there."""
        urls = (self.web_url, self.realtime_url, self.notifications_base_url)
        return frozenset(host for host in (urlsplit(url).hostname for url in urls) if host)

    @cached_property
    def tells_loopback(self) -> bool:
        return self.in_development and self.webhooks_to_loopback

    @cached_property
    def legal_folder(self) -> Path:
        return self.legal_dir or self.data_dir / "legal"

    @cached_property
    def notifications_base_url(self) -> str:
        return self.notification_url or self.web_url
