"""What the compose files say agrees with the programs; that it works is tried by `make compose-test`."""

import re
from typing import Any

import yaml

from domain.events import Queue
from infra.launcher_programs import PROGRAMS
from infra.server_environment import environment_text
from infra.settings import ROOT
from web.uploads import LARGE_BODIES

SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.ssl.yml").read_text(encoding="utf-8"))["services"]
SERVERS = {"nginx", "db", "redis", "rabbitmq"}


def queues_of(command: list[str]) -> frozenset[str]:
    return frozenset(command[command.index("--queues") + 1 :]) if "--queues" in command else frozenset()


def test_workers_share_queues_here_as_on_one_machine() -> None:
    here = {queues_of(service["command"]) for service in SERVICES.values() if "command" in service}
    there = {queues_of(list(program.arguments)) for program in PROGRAMS}
    assert here == there
    assert frozenset[str]().union(*here) == {queue.value for queue in Queue}


def test_only_nginx_is_reached_from_outside() -> None:
    published = {
        name: [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]
        for name, service in SERVICES.items()
    }
    assert {name for name, ports in published.items() if ports} == {"nginx"}
    assert [port.rpartition(":")[2] for port in published["nginx"]] == ["80", "443"]


def test_every_service_logs_within_limits_and_what_stays_up_has_a_health_check() -> None:
    for name, service in SERVICES.items():
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, name
        if service["restart"] == "no":
            continue
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"], name
        assert service["stop_grace_period"], name
        if name not in SERVERS:
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name


def test_the_env_file_gives_every_secret_that_has_no_default() -> None:
    text = (ROOT / "docker-compose.ssl.yml").read_text(encoding="utf-8")
    for name in ("DOMAIN", "SECRET_KEYS", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "RABBITMQ_PASSWORD"):
        assert f"${{{name}:?" in text, name
        assert f"${{{name}:-" not in text, name
        assert f"\n{name}=" in environment_text("example.org"), name


def test_what_the_page_says_of_the_env_file_is_so() -> None:
    """In both languages: each variable of the table is one that the compose file hands on."""
    composed = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.ssl.yml").read_text(encoding="utf-8")))
    tables = []
    for page in ("server.md", "server.ru.md"):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        rows = text[text.index("| `DOMAIN`") :].partition("\n\n")[0].splitlines()
        tables.append([re.findall(r"`(\w+)`", row.split("|")[1]) for row in rows])
    assert tables[0] == tables[1]
    named = {name for row in tables[0] for name in row}
    assert named - composed == set()
    # What this page's neighbour, api.md, sends the operator here for.
    assert {"CORS_ORIGINS", "API_CALLS_PER_MINUTE", "JWT_DAYS"} <= named


def test_nginx_lets_sockets_through_to_the_realtime_service() -> None:
    conf = (ROOT / "nginx/streamcash/site.conf").read_text(encoding="utf-8")
    for path in ("/socket.io/", "/api/v1/ws/"):
        block = conf.split(f"location {path} {{", 1)[1].split("}", 1)[0]
        assert "proxy_pass $realtime;" in block
        assert "proxy_set_header Upgrade $http_upgrade;" in block
        assert "proxy_set_header Connection $connection_upgrade;" in block
    # An expression would come before the plain prefix.
    for expression in re.findall(r"location ~\*? (\S+)", conf):
        assert not re.search(expression, "/api/v1/ws/widget/5"), expression


def test_nginx_writes_no_address_down_that_is_a_key() -> None:
    conf = (ROOT / "nginx/streamcash/site.conf").read_text(encoding="utf-8")
    for path in ("/link/", "/button/", "/api/v1/ws/"):
        block = conf.split(f"location {path} {{", 1)[1].split("}", 1)[0]
        assert "access_log off;" in block
        # nginx's lines about errors quote the whole request.
        assert "error_log /var/log/nginx/error.log crit;" in block


def test_nginx_lets_through_what_may_be_large() -> None:
    """The first regular expression that fits decides, and else the exact address (nginx's own rule, as we use it)."""
    conf = (ROOT / "nginx/streamcash/site.conf").read_text(encoding="utf-8")
    locations = re.findall(r"location (=|~) (\S+) \{(.*?)\n\}", conf, re.DOTALL)
    for path, size in LARGE_BODIES.items():
        fitting = [
            body for kind, where, body in locations if (path == where if kind == "=" else re.search(where, path))
        ]
        megabytes = [int(found) for body in fitting for found in re.findall(r"client_max_body_size (\d+)m;", body)]
        assert megabytes, path
        assert min(megabytes) * 1024 * 1024 > size, path
