"""What a donation costs the processors, by program: where to look when the burst is too slow."""

import psutil

from tests.support.leftovers import processes_of_this_run
from tests.support.programs import Stack

PROGRAMS = ("web", "relay", "worker", "realtime")
"""Those on a paid donation's way."""
REST = "servers and the rest"
"""PostgreSQL, RabbitMQ, Valkey; programs that only wait cost next to nothing."""


def cpu_seconds(stack: Stack) -> dict[str, float]:
    """Processor time used until now by each program and by the rest; not by the bench itself."""
    owners = {pid: name for name in PROGRAMS for pid in _with_children(stack[name].pid)}
    used = dict.fromkeys((*PROGRAMS, REST), 0.0)
    for process in processes_of_this_run():
        times = process.cpu_times()
        used[owners.get(process.pid, REST)] += times.user + times.system
    return used


def _with_children(pid: int) -> list[int]:
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
