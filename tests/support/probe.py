"""A program that says how it finds itself, for the test that compares those started warm with those started cold."""

import atexit
import json
import os
import signal
import sys
import threading
from pathlib import Path


def main() -> None:
    atexit.register(print, "good-bye")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    facts = {
        "arguments": sys.argv,
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "descriptors": sorted(path.name for path in Path("/proc/self/fd").iterdir()),
        "leads its session": os.getpid() == os.getpgid(0) == os.getsid(0),
        "blocked signals": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        "interrupts": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        "ends with": Path("/proc/self/status").read_text().partition("NoNewPrivs:")[2].split()[0],
        "threads": threading.active_count(),
        "input": sys.stdin.read(),
    }
    print("FACTS", json.dumps(facts), "END", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
