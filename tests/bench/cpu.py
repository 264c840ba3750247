"""What a donation costs the processors, by program: where to look when the burst is too slow."""

import psutil

from tests.support.leftovers import processes_of_this_run
from tests.support.programs import Stack

PROGRAMS = ("web", "relay", "worker", "realtime")
"""Those on a paid donation's way."""
SERVERS = {"postgres": "PostgreSQL", "beam.smp": "RabbitMQ"}
REST = "the rest"
"""Valkey, and programs that only wait."""


def cpu_seconds(stack: Stack) -> dict[str, float]:
    """Processor time used until now by each program and server; not by the bench itself."""
    owners = {pid: name for name in PROGRAMS for pid in _with_children(stack[name].pid)}
    used = dict.fromkeys((*PROGRAMS, *SERVERS.values(), REST), 0.0)
    for process in processes_of_this_run():
        name = owners.get(process.pid) or SERVERS.get(process.name(), REST)
        times = process.cpu_times()
        used[name] += times.user + times.system
    return used


def _with_children(pid: int) -> list[int]:
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
