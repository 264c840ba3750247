"""The static files' version: pages ask for assets by it, and overlays learn from realtime that there is a newer one."""

import hashlib
from functools import cache

from infra.settings import ROOT

STATIC_DIR = ROOT / "static"


@cache
def assets_version() -> str:
    """Twelve hex digits that change when any static file does."""
    digest = hashlib.sha256()
    for path in sorted(STATIC_DIR.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            contents = path.read_bytes()
            digest.update(f"{path.relative_to(STATIC_DIR)}\0{len(contents)}\0".encode())
            digest.update(contents)
    return digest.hexdigest()[:12]
