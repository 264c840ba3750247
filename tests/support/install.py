"""What the tests need beside Python packages: `python -m tests.support.install`.

RabbitMQ, Chromium and PHP come from PATH. On Debian and its kin, as root, they are installed from the
distribution's packages. Elsewhere this says what to install, and fails: nothing is skipped.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.embedded_rabbitmq import find_rabbitmq
from tests.support.chromium import find_chromium

POLICY = Path("/usr/sbin/policy-rc.d")
"""Debian asks this script whether a freshly installed service may start."""


def missing_packages() -> list[str]:
    """Debian's names of what is not there yet."""
    missing = []
    if find_rabbitmq() is None:
        missing.append("rabbitmq-server")
    if find_chromium() is None:
        # Without a font of its own a bare machine's Chromium shows boxes.
        missing += ["chromium", "fonts-dejavu-core"]
    if shutil.which("php") is None:
        # The check of a webhook's signature that we give away in PHP is run as it stands.
        missing.append("php-cli")
    return missing


def main() -> int:
    missing = missing_packages()
    if not missing:
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Tests need {', '.join(missing)}: installing from the distribution.", flush=True)
        _apt_install(missing)
        missing = missing_packages()
        if not missing:
            return 0
    names = " ".join(missing)
    print(
        f"Tests need programs that are not on PATH: {names}\n"
        f"  Debian, Ubuntu:  sudo apt-get install {names}\n"
        "  macOS:           brew install rabbitmq php; brew install --cask chromium\n"
        "  elsewhere:       your system's packages of RabbitMQ (3.10 or newer), Chromium and PHP\n"
        "Then run the tests again. They start servers of their own and never touch yours.",
        file=sys.stderr,
    )
    return 1


def _apt_install(packages: list[str]) -> None:
    """Install, quietly, and without starting the system's broker: tests have their own."""
    forbids_start = not POLICY.exists()
    if forbids_start:
        POLICY.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
        POLICY.chmod(0o755)
    try:
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            done = subprocess.run(
                ["apt-get", "--quiet", *arguments],
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            if done.returncode != 0:
                print(done.stdout[-4000:], file=sys.stderr)
    finally:
        if forbids_start:
            POLICY.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
