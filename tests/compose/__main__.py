"""`make compose-test`: the composed system, brought up for real, used, hit, scaled and taken down.

    python -m tests.compose [--keep] [--pictures FOLDER] [--streamers N]

Steps: up; a donation in Chromium through nginx, and one by the API; memory at rest and under 20 donations a second;
each container restarted in turn while donations flow; two of each scalable program; the books. A project, ports,
secrets and a network of its own, so that it never touches a running system. Exit status 0: nothing was lost or doubled.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infra.embedded import free_port
from infra.server_environment import environment_text
from infra.settings import ROOT
from tests.compose.engine import Composed, EngineError
from tests.compose.engine import run as run_command
from tests.compose.people import Streamer, add_streamer, donate_in_a_browser

PROJECT = "streamcash-compose-test"
IMAGE = "streamcash-compose-test"
DOMAIN = "стримкэш-проверка.рф"
SUBNET = "10.211.78.0/24"
RESTARTED = (
    "api-gateway",
    "notifications-service",
    "donations-service",
    "payments-service",
    "payment-checker-service",
    "exports-service",
    "relay",
    "redis",
    "rabbitmq",
    "db",
    "nginx",
)
SCALED = ("api-gateway=2", "notifications-service=2", "donations-service=2")
FLOW_PER_SECOND = 5.0
LOAD_PER_SECOND = 20.0
LOAD_SECONDS = 30.0
SCALED_SECONDS = 15.0

BOOKS = {
    "donations that are not paid": "SELECT count(*) FROM donations WHERE status <> 'paid'",
    "paid donations without exactly one alert that was shown": """
        SELECT count(*) FROM donations WHERE status = 'paid' AND 1 <> (
            SELECT count(*) FROM alerts WHERE donation_id = donations.id AND kind = 'donation' AND status = 'shown')
    """,
    "donations paid twice": "SELECT count(*) FROM payments WHERE booked_as <> 'donation'",
    "kopecks by which the ledger does not balance": "SELECT coalesce(abs(sum(amount_minor)), 0) FROM ledger_entries",
    "kopecks by which totals differ from the ledger": """
        SELECT abs((SELECT coalesce(sum(net_minor), 0) FROM streamer_totals)
                   + (SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries
                      WHERE account IN ('streamer', 'refunds', 'chargebacks')))
    """,
    "kopecks by which the ledger differs from the donations": """
        SELECT abs((SELECT coalesce(sum(amount_minor), 0) FROM donations WHERE status = 'paid')
                   + (SELECT coalesce(sum(amount_minor), 0) FROM ledger_entries
                      WHERE account IN ('streamer', 'refunds', 'chargebacks')))
    """,
    "rows left in the outbox": "SELECT count(*) FROM outbox WHERE available_at <= now()",
}
"""What has to be nothing in the end."""


def values(folder: Path) -> dict[str, str]:
    """The .env of this run: made as an operator's is, with free ports of the loopback interface."""
    lines = [line.split("=", 1) for line in environment_text(DOMAIN).splitlines() if "=" in line and line[0] != "#"]
    return {
        **dict(lines),
        "IMAGE": IMAGE,
        "SUBNET": SUBNET,
        "CERTIFICATES": str(folder / "certificates"),
        "ACME": str(folder / "acme"),
        "HTTP_PORT": f"127.0.0.1:{free_port()}",
        "HTTPS_PORT": f"127.0.0.1:{free_port()}",
        **{name: str(free_port()) for name in ("API_PORT", "FRONT_PORT", "RABBITMQ_PORT", "SIMULATOR_PORT")},
    }


class Test:
    def __init__(self, composed: Composed, folder: Path, pictures: Path | None, streamers: int) -> None:
        self._composed = composed
        self._folder = folder
        self._pictures = pictures
        self._count = streamers
        self._streamers: list[Streamer] = []
        self.made = 0
        self.bad: list[str] = []

    def run(self) -> None:
        composed = self._composed
        composed.run("build", "--quiet")
        size = json.loads(run_command(["docker", "image", "inspect", IMAGE]))[0]["Size"]
        say(f"image: {size / 1e6:.0f} MB")
        say(f"from `up` to healthy: {composed.up():.1f} s")
        simulator_url = f"http://127.0.0.1:{composed.values['SIMULATOR_PORT']}"
        self._streamers = [add_streamer(composed, number, simulator_url) for number in range(self._count)]

        asyncio.run(donate_in_a_browser(composed, self._streamers[0], self._pictures))
        self.made += 1
        say("a donor paid in Chromium, the alert played, the dashboard shows it")

        run_command(self._inside("tests.compose.program", asdict(self._streamers[0])))
        self.made += 1
        say("a program uploaded a picture and a sound, and heard of a donation it had made")

        self._say_memory("at rest")
        with self._load(f"{LOAD_PER_SECOND:.0f} donations/s", LOAD_PER_SECOND):
            time.sleep(LOAD_SECONDS)
            self._say_memory(f"under {LOAD_PER_SECOND:.0f} donations/s")

        with self._load("while each container was restarted", FLOW_PER_SECOND):
            for service in RESTARTED:
                began_at = time.monotonic()
                composed.run("restart", service)
                composed.wait_until_healthy()
                say(f"restarted {service}, healthy after {time.monotonic() - began_at:.1f} s")
                time.sleep(3)

        composed.up(*(part for wish in SCALED for part in ("--scale", wish)))
        with self._load(f"with {', '.join(SCALED)}", LOAD_PER_SECOND):
            time.sleep(SCALED_SECONDS)
        self._look_at_books()

    @contextmanager
    def _load(self, what: str, per_second: float) -> Iterator[None]:
        """Donations flow meanwhile; afterwards all of them were shown, once."""
        streamers = [asdict(streamer) for streamer in self._streamers]
        command = self._inside("tests.compose.load", streamers, "--per-second", str(per_second))
        load = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            yield
            told, _ = load.communicate()
        finally:
            load.kill()
            load.wait()
        if load.returncode != 0:
            raise EngineError(f"the load ended with {load.returncode}")
        seen: dict[str, Any] = json.loads(told)
        self.made += seen["made"]
        say(f"{what}: {seen['made']} donations, {seen['shown']} shown, {seen['doubled']} doubled")
        if seen["shown"] != seen["made"] or seen["doubled"] or seen["problems"]:
            self.bad.append(f"{what}: {seen}")

    def _inside(self, module: str, told: Any, *arguments: str) -> list[str]:
        """The command that runs one of our modules in the network of the containers; `told` is its first argument."""
        file = self._folder / "told.json"
        file.write_text(json.dumps(told), encoding="utf-8")
        mounts = {
            ROOT / "simulator": "/app/simulator",
            ROOT / "tests": "/app/tests",
            file: "/told.json",
            Path(self._composed.values["CERTIFICATES"]): "/certificates",
        }
        command = ["docker", "run", "--rm", "--interactive", "--network", f"{PROJECT}_default"]
        command += [part for ours, theirs in mounts.items() for part in ("-v", f"{ours}:{theirs}:ro")]
        # Donors and programs trust this certificate, and no other.
        command += ["-e", "SSL_CERT_FILE=/certificates/fullchain.pem", IMAGE]
        return [*command, "python", "-m", module, "/told.json", *arguments]

    def _say_memory(self, when: str) -> None:
        memory = self._composed.memory()
        say(f"memory {when}: {sum(memory.values()):.0f} MB")
        for name, megabytes in sorted(memory.items(), key=lambda item: -item[1]):
            say(f"    {megabytes:6.0f} MB  {name.removeprefix(PROJECT).strip('_-')}")

    def _look_at_books(self) -> None:
        wait_for(lambda: self._composed.sql(BOOKS["rows left in the outbox"]) == "0")
        wait_for(lambda: self._composed.sql("SELECT count(*) FROM alerts WHERE status IN ('queued', 'playing')") == "0")
        donations = int(self._composed.sql("SELECT count(*) FROM donations"))
        if donations != self.made:
            self.bad.append(f"{self.made} donations were made, {donations} are stored")
        for what, query in BOOKS.items():
            found = self._composed.sql(query)
            if found != "0":
                self.bad.append(f"{what}: {found}")
        say(f"books: {donations} donations, " + ("all is well" if not self.bad else "not well"))


def wait_for(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.5)


def say(what: str) -> None:
    print(f"· {what}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.compose", description="Try the composed system for real.")
    parser.add_argument("--keep", action="store_true", help="leave it running, to look at it")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="where to put screenshots")
    parser.add_argument("--streamers", type=int, default=20, metavar="N", help="default: %(default)s")
    wish = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="streamcash-compose-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        composed = Composed(PROJECT, folder, values(folder))
        # What an interrupted run left behind would be in the way.
        composed.down()
        test = Test(composed, folder, wish.pictures, wish.streamers)
        try:
            test.run()
        except EngineError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            if not wish.keep:
                composed.down()
                subprocess.run(["docker", "image", "rm", "--force", IMAGE], capture_output=True)
    for what in test.bad:
        print(f"not well: {what}", file=sys.stderr)
    return 1 if test.bad else 0


if __name__ == "__main__":
    sys.exit(main())
