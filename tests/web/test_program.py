"""`python -m web` as a process: it serves, stops when told, and says what is wrong with its settings."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import httpx

from infra.settings import ROOT
from tests.support.programs import Stack


def test_it_serves_and_stops_at_sigterm(stack: Stack) -> None:
    stack.start("web")
    answer = httpx.get(f"{stack.web_url}/")
    assert answer.status_code == 200
    assert "server" not in answer.headers
    assert stack["web"].terminate() == 0
    assert "Traceback" not in stack["web"].log


def test_a_request_on_its_way_is_still_answered_after_sigterm(stack: Stack) -> None:
    stack.start("web")
    demo = stack.manage("seed-demo", stdin='{"password": "demo-password"}')
    assert "demo" in demo
    answers: list[httpx.Response] = []

    def slow_body() -> Iterator[bytes]:
        yield b"email=demo%40example.com&pass"
        os.kill(stack["web"].pid, signal.SIGTERM)
        yield b"word=demo-password"

    def sign_in() -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": stack.web_url}
        answers.append(httpx.post(f"{stack.web_url}/sign-in", content=slow_body(), headers=headers, timeout=20))

    asking = threading.Thread(target=sign_in)
    asking.start()
    asking.join()
    assert [answer.status_code for answer in answers] == [303]


def test_wrong_settings_are_named_and_not_shown() -> None:
    secret = "postgres://user:pa55word@db/x"
    done = subprocess.run(
        [sys.executable, "-m", "web"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": secret, "WEB_PORT": "eight thousand"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "web_port" in done.stderr
    assert "redis_url" in done.stderr
    assert "pa55word" not in done.stderr
    assert "Traceback" not in done.stderr
