"""What `make run` is running with, for commands beside it: `web.manage` then needs no variable at all.

The launcher writes the settings of its programs into `environment.json` beside `run.json`, readable by its owner only
since keys and passwords are among them, and takes the file away when it stops.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from infra.embedded import SYSTEM_DATA_DIR
from infra.settings import ROOT, Settings

FILE_NAME = "environment.json"


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """DATA_DIR, or where `make run` keeps its data without one."""
    if environ.get("DATA_DIR"):
        return Path(environ["DATA_DIR"]).expanduser().resolve()
    return SYSTEM_DATA_DIR if os.geteuid() == 0 else ROOT / "var"


def running_text(environment: Mapping[str, str]) -> str:
    """The file's text: of the environment only what Settings read."""
    kept = {name.upper() for name in Settings.model_fields} & environment.keys()
    return json.dumps({name: environment[name] for name in sorted(kept)}, indent=2) + "\n"


def read_running(environ: Mapping[str, str]) -> dict[str, str] | None:
    """The environment of what runs here: of DATA_DIR, without one also of this checkout. None: nothing runs."""
    folders = [default_data_dir(environ)]
    if not environ.get("DATA_DIR"):
        folders.append(ROOT / "var")
    for folder in folders:
        try:
            found: dict[str, str] = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        except (FileNotFoundError, PermissionError):
            continue
        return found
    return None
