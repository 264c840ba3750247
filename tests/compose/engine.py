"""The composed system as an operator handles it: Compose's commands on a project of its own."""

import json
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.settings import ROOT

FILES = ("docker-compose.ssl.yml", "docker-compose.simulator.yml")
HEALTHY_SECONDS = 240.0
ONCE = ("migrate", "certificate")
"""Services that run and are done."""


class EngineError(Exception):
    """A command failed; the message is what it said."""


def find_compose() -> list[str]:
    """Compose 2 as Docker's plugin, or Compose 1.29. Raises EngineError."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and subprocess.run([*command, "version"], capture_output=True).returncode == 0:
            return command
    raise EngineError(
        "Neither `docker compose` nor `docker-compose` works here. Debian: apt-get install docker-compose"
    )


class Composed:
    """One project. `values` is what its .env says; the file and the certificate are in `folder`."""

    def __init__(self, project: str, folder: Path, values: Mapping[str, str]) -> None:
        self.project = project
        self.values = values
        env_file = folder / "env"
        env_file.write_text("".join(f"{name}={value}\n" for name, value in values.items()), encoding="utf-8")
        files = [part for name in FILES for part in ("-f", str(ROOT / name))]
        self._compose = [*find_compose(), "-p", project, "--env-file", str(env_file), *files]

    def run(self, *arguments: str, stdin: str = "") -> str:
        """`docker-compose ARGUMENTS`; returns its standard output. Raises EngineError."""
        return run([*self._compose, *arguments], stdin=stdin)

    def up(self, *arguments: str) -> float:
        """`up -d`; returns how many seconds passed until everything was healthy."""
        began_at = time.monotonic()
        self.run("up", "-d", *arguments)
        self.wait_until_healthy()
        return time.monotonic() - began_at

    def containers(self) -> list[dict[str, str]]:
        """Name, service and state of each: `healthy`, `starting`, `unhealthy`, `exited 0`, …"""
        numbers = self.run("ps", "-q").split()
        found = []
        for one in json.loads(run(["docker", "inspect", *numbers])) if numbers else []:
            state = one["State"]
            health = state.get("Health", {}).get("Status")
            found.append(
                {
                    "name": one["Name"].lstrip("/"),
                    "service": one["Config"]["Labels"]["com.docker.compose.service"],
                    "state": health if state["Running"] else f"exited {state['ExitCode']}",
                }
            )
        return found

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + HEALTHY_SECONDS
        while True:
            waiting = [
                f"{one['name']}: {one['state']}"
                for one in self.containers()
                if one["state"] != ("exited 0" if one["service"] in ONCE else "healthy")
            ]
            if not waiting:
                return
            if time.monotonic() > deadline:
                raise EngineError(f"not healthy: {', '.join(waiting)}\n{self.run('logs', '--tail', '40')}")
            time.sleep(0.5)

    def sql(self, query: str) -> str:
        """One value from the database, as text."""
        return self.run("exec", "-T", "db", "psql", "-U", "streamcash", "-d", "streamcash", "-Atqc", query).strip()

    def memory(self) -> dict[str, float]:
        """Megabytes by container, as the engine counts them."""
        names = [one["name"] for one in self.containers() if not one["state"].startswith("exited")]
        told = run(["docker", "stats", "--no-stream", "--format", "{{json .}}", *names])
        return {one["Name"]: _megabytes(one["MemUsage"].split("/")[0]) for one in map(json.loads, told.splitlines())}

    def down(self) -> None:
        self.run("down", "--volumes", "--remove-orphans", "--timeout", "5")


def _megabytes(text: str) -> float:
    for unit, factor in (("GiB", 1024.0), ("MiB", 1.0), ("KiB", 1 / 1024), ("B", 1 / 1024**2)):
        if text.strip().endswith(unit):
            return float(text.strip().removesuffix(unit)) * factor
    raise EngineError(f"{text!r} is no amount of memory")


def run(command: Sequence[str], *, stdin: str = "") -> str:
    """Raises EngineError."""
    done = subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        raise EngineError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout
