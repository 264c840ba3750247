"""The servers of a test run: real ones of its own, on free ports, in a temporary folder.

Never the user's: nothing here looks at DATABASE_URL and its like.
"""

import shutil
import tempfile
from functools import cached_property
from pathlib import Path

from infra.embedded import servers_dir
from infra.embedded_postgres import EmbeddedPostgres
from infra.embedded_rabbitmq import EmbeddedRabbitMQ
from infra.embedded_valkey import EmbeddedValkey
from infra.migrations import migrate

TEMPLATE = "migrated_template"


class Servers:
    """PostgreSQL, Valkey and RabbitMQ, each started when it is first asked for.

    Each has `url()`, `stop()`, `start()`, `restart()`, `kill()` and keeps its address through all of
    them. Call these from the test itself, not from a thread.
    """

    def __init__(self, *, fsync: bool = False) -> None:
        self._fsync = fsync
        self.folder = Path(tempfile.mkdtemp(prefix="streamcash-tests-"))
        self._home = servers_dir(self.folder)
        self._started: list[EmbeddedPostgres | EmbeddedValkey | EmbeddedRabbitMQ] = []

    @cached_property
    def postgres(self) -> EmbeddedPostgres:
        """Has the migrated database TEMPLATE to copy from; nobody may stay connected to that one."""
        postgres = EmbeddedPostgres(self._home / "postgres", fsync=self._fsync)
        self._started.append(postgres)
        postgres.start()
        migrate(postgres.url(TEMPLATE))
        return postgres

    @cached_property
    def valkey(self) -> EmbeddedValkey:
        valkey = EmbeddedValkey(self._home / "valkey")
        self._started.append(valkey)
        valkey.start()
        return valkey

    @cached_property
    def rabbitmq(self) -> EmbeddedRabbitMQ:
        rabbitmq = EmbeddedRabbitMQ(self._home / "rabbitmq")
        self._started.append(rabbitmq)
        rabbitmq.start()
        return rabbitmq

    def heal(self) -> None:
        """Start again what a test stopped and, because it failed, did not start again."""
        for server in self._started:
            if not server.running:
                server.kill()
                server.start()

    def stop(self) -> None:
        for server in reversed(self._started):
            server.stop()
        shutil.rmtree(self._home, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)
