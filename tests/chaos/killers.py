"""Who kills: programs by SIGKILL, servers by SIGKILL or a restart. In the main thread only, as servers must be."""

import time
from collections import Counter

import redis

from tests.chaos.house import Programs
from tests.chaos.load import Load
from tests.chaos.plan import PROGRAMS, Blow
from tests.support.servers import Servers

LOOK_SECONDS = 0.1


class Killer:
    def __init__(self, servers: Servers, programs: Programs, load: Load) -> None:
        self._servers = servers
        self._programs = programs
        self._load = load
        self.blows: Counter[str] = Counter()
        self.fallen: Counter[str] = Counter()
        """Programs that ended by themselves and were started again, as a process manager does."""

    def strike(self, blow: Blow) -> None:
        """What is killed is started again at once; nobody waits until a program is ready."""
        self.blows[blow] += 1
        match blow:
            case Blow.POSTGRES_RESTART:
                self._servers.postgres.restart()
            case Blow.POSTGRES_KILL:
                self._servers.postgres.kill()
                self._servers.postgres.start()
            case Blow.RABBITMQ_RESTART:
                self._servers.rabbitmq.restart()
            case Blow.RABBITMQ_KILL:
                self._servers.rabbitmq.kill()
                self._servers.rabbitmq.start()
            case Blow.VALKEY_RESTART:
                self._servers.valkey.restart()
            case Blow.VALKEY_KILL:
                self._servers.valkey.kill()
                self._servers.valkey.start()
            case Blow.VALKEY_FLUSH:
                with redis.Redis.from_url(self._servers.valkey.url()) as client:
                    client.flushall()
            case Blow.SOCKETS_CUT:
                self._load.cut_sockets()
            case _:
                program = self._programs[blow.removesuffix(" killed")]
                program.kill()
                program.start(wait=False)

    def watch(self, seconds: float = LOOK_SECONDS) -> None:
        """Wait a little, and start again what has fallen."""
        for name in PROGRAMS:
            if not self._programs[name].running:
                self.fallen[name] += 1
                self._programs[name].start(wait=False)
        time.sleep(seconds)
