"""`python -m tests.support.nosy PATH PORT`: a decoder that somebody took over, and what it gets hold of."""

import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from infra.apart import limit_this_process


def is_done(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def main() -> None:
    limit_this_process(cpu_seconds=10, memory_bytes=1024**3)
    parent, path, port = os.getppid(), Path(sys.argv[1]), int(sys.argv[2])
    attempts: dict[str, Callable[[], object]] = {
        "our environment": Path(f"/proc/{parent}/environ").read_bytes,
        "our memory": lambda: os.open(f"/proc/{parent}/mem", os.O_RDONLY),
        "a file": path.read_bytes,
        "a new file": lambda: os.open(path.with_name("new"), os.O_WRONLY | os.O_CREAT),
        "the folder": lambda: list(path.parent.iterdir()),
        "a program": lambda: socket.create_connection(("127.0.0.1", port), 1),
        "a signal": lambda: os.kill(parent, signal.SIGCONT),
        "a library": lambda: Path(json.__file__).read_bytes(),
    }
    print(json.dumps({name: is_done(attempt) for name, attempt in attempts.items()}))


if __name__ == "__main__":
    main()
