"""The simulator's memory: one SQLite file, used by one thread only.

Every call takes well under a millisecond since nothing waits for the disk (synchronous=OFF): a
power cut may cost the last payments of a simulated bank, a restart or a kill costs nothing.
No `await` ever stands inside a transaction, so the event loop itself keeps changes apart.
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from simulator.records import Delivery, Notification, Payment, Terminal

SCHEMA = Path(__file__).with_name("schema.sql")
REQUESTS_KEPT = 50_000
"""Raw requests beyond this many are forgotten at the next start."""

PAYMENT_COLUMNS = tuple(field.name for field in fields(Payment))
NOTIFICATION_COLUMNS = tuple(field.name for field in fields(Notification))

_SELECT_PAYMENT = f"SELECT {', '.join(PAYMENT_COLUMNS)} FROM payments"  # noqa: S608 - our own names
_SELECT_NOTIFICATION = f"SELECT {', '.join(NOTIFICATION_COLUMNS)} FROM notifications"  # noqa: S608


class Store:
    """Opens (and if needed creates) the file; `close` when done."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(SCHEMA.read_text())
        if self._one("SELECT 1 FROM sqlite_sequence WHERE name = 'payments'") is None:
            # A fresh bank must not give out the ids of a forgotten one again: shops remember them.
            self._run("INSERT INTO sqlite_sequence (name, seq) VALUES ('payments', ?)", int(time.time()) * 100)
        self._run("DELETE FROM requests WHERE id <= (SELECT max(id) FROM requests) - ?", REQUESTS_KEPT)

    def close(self) -> None:
        """Writes everything into the one file and closes it."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is done inside; must not contain an `await`."""
        self._run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK")
            raise
        self._run("COMMIT")

    # Terminals

    def save_terminal(self, terminal: Terminal) -> None:
        """Add a terminal or change the one with this key."""
        self._run(
            "INSERT INTO terminals VALUES (?, ?, ?) ON CONFLICT (terminal_key) DO UPDATE"
            " SET password = excluded.password, notification_url = excluded.notification_url",
            terminal.terminal_key,
            terminal.password,
            terminal.notification_url,
        )

    def find_terminal(self, terminal_key: str) -> Terminal | None:
        row = self._one("SELECT * FROM terminals WHERE terminal_key = ?", terminal_key)
        return Terminal(*row) if row else None

    # Payments

    def insert_payment(self, values: dict[str, Any]) -> Payment:
        """`values` are all columns but `id`, which the store gives."""
        names = [name for name in PAYMENT_COLUMNS if name != "id"]
        cursor = self._run(
            f"INSERT INTO payments ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)})",  # noqa: S608
            *(_stored(values[name]) for name in names),
        )
        return Payment(id=cursor.lastrowid or 0, **values)

    def update_payment(self, payment_id: int, changes: dict[str, Any]) -> None:
        assignments = ", ".join(f"{name} = ?" for name in changes)
        self._run(
            f"UPDATE payments SET {assignments} WHERE id = ?",  # noqa: S608 - names are ours
            *(_stored(value) for value in changes.values()),
            payment_id,
        )

    def find_payment(self, payment_id: int) -> Payment | None:
        return _payment(self._one(f"{_SELECT_PAYMENT} WHERE id = ?", payment_id))

    def find_payment_by_code(self, code: str) -> Payment | None:
        return _payment(self._one(f"{_SELECT_PAYMENT} WHERE code = ?", code))

    def list_payments_of_order(self, terminal_key: str, order_id: str) -> list[Payment]:
        """Oldest first."""
        return self._payments("WHERE terminal_key = ? AND order_id = ? ORDER BY id", terminal_key, order_id)

    def list_recent_payments(self, order_id: str | None, limit: int) -> list[Payment]:
        """Newest first, of every terminal."""
        if order_id is None:
            return self._payments("ORDER BY id DESC LIMIT ?", limit)
        return self._payments("WHERE order_id = ? ORDER BY id DESC LIMIT ?", order_id, limit)

    def list_overdue_payments(self, now: float) -> list[Payment]:
        """Unpaid ones whose link has run out."""
        return self._payments("WHERE status IN ('NEW', 'FORM_SHOWED') AND due_at <= ? LIMIT 500", now)

    def list_finished_refunds(self, now: float) -> list[Payment]:
        """Refunds through SBP whose time has come."""
        return self._payments("WHERE refund_done_at <= ? LIMIT 500", now)

    # Cancel's idempotency

    def find_cancellation(self, payment_id: int, external_request_id: str) -> dict[str, Any] | None:
        row = self._one(
            "SELECT answer FROM cancellations WHERE payment_id = ? AND external_request_id = ?",
            payment_id,
            external_request_id,
        )
        return json.loads(row[0]) if row else None

    def save_cancellation(self, payment_id: int, external_request_id: str, answer: dict[str, Any]) -> None:
        self._run("INSERT INTO cancellations VALUES (?, ?, ?)", payment_id, external_request_id, json.dumps(answer))

    # Raw requests

    def save_request(self, payment_id: int | None, method: str, body: bytes, answer: str, now: float) -> None:
        self._run(
            "INSERT INTO requests (payment_id, method, body, answer, received_at) VALUES (?, ?, ?, ?, ?)",
            payment_id,
            method,
            body,
            answer,
            now,
        )

    def list_requests(self, payment_id: int) -> list[dict[str, Any]]:
        """Oldest first: method, body, answer, received_at."""
        rows = self._all(
            "SELECT method, body, answer, received_at FROM requests WHERE payment_id = ? ORDER BY id",
            payment_id,
        )
        return [
            {"method": method, "body": body.decode(errors="replace"), "answer": answer, "received_at": at}
            for method, body, answer, at in rows
        ]

    # Notifications

    def insert_notification(
        self, payment_id: int, status: str, url: str, body: bytes, next_try_at: float | None
    ) -> int:
        """`next_try_at` None: nobody retries it but who asked for it."""
        cursor = self._run(
            "INSERT INTO notifications (payment_id, status, url, body, next_try_at) VALUES (?, ?, ?, ?, ?)",
            payment_id,
            status,
            url,
            body,
            next_try_at,
        )
        return cursor.lastrowid or 0

    def find_notification(self, notification_id: int) -> Notification | None:
        row = self._one(f"{_SELECT_NOTIFICATION} WHERE id = ?", notification_id)
        return Notification(*row) if row else None

    def list_notifications_by_id(self, notification_ids: list[int]) -> list[Notification]:
        """In the order asked for."""
        return [found for wanted in notification_ids if (found := self.find_notification(wanted))]

    def list_notifications(self, payment_id: int) -> list[Notification]:
        """Oldest first."""
        rows = self._all(f"{_SELECT_NOTIFICATION} WHERE payment_id = ? ORDER BY id", payment_id)
        return [Notification(*row) for row in rows]

    def list_due_notifications(self, now: float) -> list[int]:
        rows = self._all("SELECT id FROM notifications WHERE next_try_at <= ? ORDER BY next_try_at LIMIT 500", now)
        return [row[0] for row in rows]

    def count_waiting_notifications(self) -> int:
        row = self._one("SELECT count(*) FROM notifications WHERE next_try_at IS NOT NULL")
        return int(row[0]) if row else 0

    def save_delivery(self, notification_id: int, delivery: Delivery, next_try_at: float | None) -> None:
        """One try and what follows from it; `next_try_at` None: delivered or given up."""
        with self.transaction():
            self._run(
                "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?)",
                notification_id,
                delivery.sent_at,
                delivery.http_status,
                delivery.answer,
                delivery.error,
            )
            self._run(
                "UPDATE notifications SET tries = tries + 1, next_try_at = ?,"
                " delivered_at = coalesce(delivered_at, ?) WHERE id = ?",
                next_try_at,
                delivery.sent_at if delivery.accepted else None,
                notification_id,
            )

    def list_deliveries(self, notification_id: int) -> list[Delivery]:
        """Oldest first."""
        rows = self._all(
            "SELECT sent_at, http_status, answer, error FROM deliveries WHERE notification_id = ? ORDER BY rowid",
            notification_id,
        )
        return [Delivery(*row) for row in rows]

    # SQLite

    def _run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self._database.execute(sql, values)

    def _one(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._run(sql, *values).fetchone()
        return row

    def _all(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._run(sql, *values).fetchall()

    def _payments(self, condition: str, *values: Any) -> list[Payment]:
        rows = self._all(f"{_SELECT_PAYMENT} {condition}", *values)
        return [payment for row in rows if (payment := _payment(row))]


def _stored(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, tuple) else value


def _payment(row: tuple[Any, ...] | None) -> Payment | None:
    if row is None:
        return None
    values = dict(zip(PAYMENT_COLUMNS, row, strict=True))
    values["history"] = tuple((status, at) for status, at in json.loads(values["history"]))
    return Payment(**values)
