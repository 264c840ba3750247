"""`make run`, from its first line to its last."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.embedded import SYSTEM_DATA_DIR, accepts_connections, free_port
from infra.launcher import LaunchError, Ports, read_ports
from infra.running import default_data_dir
from infra.settings import ROOT


def test_ports_come_from_the_environment() -> None:
    chosen = [free_port() for _ in range(3)]
    names = ("WEB_PORT", "REALTIME_PORT", "SIMULATOR_PORT")
    assert read_ports({name: str(port) for name, port in zip(names, chosen, strict=True)}) == Ports(*chosen)


def test_a_taken_port_is_named_with_its_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        with pytest.raises(LaunchError, match=rf"port {port} \(REALTIME_PORT\) is taken"):
            read_ports({"WEB_PORT": str(free_port()), "REALTIME_PORT": str(port)})


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "80 00"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(LaunchError, match=r"WEB_PORT=.* is not a port"):
        read_ports({"WEB_PORT": text})


def test_two_programs_cannot_share_a_port() -> None:
    port = str(free_port())
    with pytest.raises(LaunchError, match="REALTIME_PORT and WEB_PORT are both"):
        read_ports({"WEB_PORT": port, "REALTIME_PORT": port})


def test_where_data_lives() -> None:
    expected = SYSTEM_DATA_DIR if os.geteuid() == 0 else ROOT / "var"
    assert default_data_dir({}) == expected
    assert default_data_dir({"DATA_DIR": "/srv/../srv/data"}) == Path("/srv/data")


class Launch:
    """One run of the launcher with ports and a DATA_DIR of its own."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.ports = {name: free_port() for name in ("WEB_PORT", "REALTIME_PORT", "SIMULATOR_PORT")}
        kept = {"PATH", "HOME", "TMPDIR", "STREAMCASH_TEST_RUN"} & os.environ.keys()
        self.environment = {
            **{name: os.environ[name] for name in kept},
            **{name: str(port) for name, port in self.ports.items()},
            "DATA_DIR": str(data_dir),
            **environment,
        }
        self.output = data_dir.with_name(data_dir.name + ".out")
        with self.output.open("wb") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "infra.launcher"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for_report(self) -> dict[str, str]:
        deadline = time.monotonic() + 90
        report = self.data_dir / "run.json"
        while not report.exists() or "Ctrl-C stops everything" not in self.output.read_text():
            assert self.popen.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.1)
        found: dict[str, str] = json.loads(report.read_text(encoding="utf-8"))
        return found

    def stop(self, which: signal.Signals) -> int:
        self.popen.send_signal(which)
        return self.popen.wait(60)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="streamcash-tests-", ignore_cleanup_errors=True) as folder:
        # As root, the servers' user must get through to DATA_DIR, or their files go elsewhere and stay there.
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


def make_superuser(data_dir: Path) -> "subprocess.CompletedProcess[str]":
    """`web.manage`, told nothing but DATA_DIR."""
    return subprocess.run(
        [sys.executable, "-m", "web.manage", "create-superuser", "--email", "root@example.org"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(data_dir)},
        input="correct horse battery\n",
        capture_output=True,
        text=True,
    )


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as response:
        assert response.status == 200
        text: str = response.read().decode()
        return text


def test_it_runs_says_where_everything_is_and_leaves_nothing_but_data(data_dir: Path) -> None:
    launch = Launch(data_dir)
    try:
        report = launch.wait_for_report()
        web_url = f"http://127.0.0.1:{launch.ports['WEB_PORT']}"
        assert report["web_url"] == web_url
        assert report["donate_url"].startswith(f"{web_url}/donate/")
        assert report["overlay_url"] == f"{web_url}/overlay#{report['overlay_token']}"
        assert report["dashboard_url"] == f"{web_url}/dashboard"
        assert (data_dir / "run.json").stat().st_mode & 0o777 == 0o600
        in_checkout = ROOT / "var" / "run.json"
        # Whoever develops here may have a start of their own running: that one keeps the file.
        if f"The same in {in_checkout}" in launch.output.read_text():
            assert json.loads(in_checkout.read_text(encoding="utf-8")) == report
        assert "<form" in fetch(report["donate_url"])
        assert (data_dir / "environment.json").stat().st_mode & 0o777 == 0o600
        superuser = make_superuser(data_dir)
        assert (superuser.returncode, superuser.stderr) == (0, "")
        family = psutil.Process(launch.popen.pid).children(recursive=True)
        status = launch.stop(signal.SIGINT)
        output = launch.output.read_text()
        assert status == 0, output
        assert output.index("Broker: RabbitMQ") < output.index("is running")
        for shown in ("donate_url", "overlay_url", "dashboard_url", "simulator_url", "login", "password"):
            assert report[shown] in output
        _, alive = psutil.wait_procs(family, timeout=20)
        # Whose parent is gone is buried by the system, when it comes to it.
        assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
        assert not any(accepts_connections(port) for port in launch.ports.values())
        assert not (data_dir / "run.json").exists(), "it would send people to where nobody is"
        nothing = make_superuser(data_dir)
        assert (nothing.returncode, nothing.stderr.count("\n")) == (1, 1)
        assert f"`make run` is not running here ({data_dir})" in nothing.stderr

        # The second start finds everything as it was; here without RabbitMQ.
        without = os.pathsep.join(
            folder for folder in os.environ["PATH"].split(os.pathsep) if not Path(folder, "rabbitmq-server").exists()
        )
        again = Launch(data_dir, PATH=without)
        try:
            second = again.wait_for_report()
            assert (second["password"], second["overlay_token"]) == (report["password"], report["overlay_token"])
            assert again.stop(signal.SIGTERM) == 0
            assert "Broker: Redis" in again.output.read_text()
        finally:
            again.popen.kill()
            again.popen.wait()
    finally:
        launch.popen.kill()
        launch.popen.wait()


def test_a_taken_port_ends_the_start_and_leaves_nothing_running(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        launch = Launch(data_dir, WEB_PORT=str(port))
        assert launch.popen.wait(60) == 1
    assert f"port {port} (WEB_PORT) is taken" in launch.output.read_text()
    assert not data_dir.exists()
