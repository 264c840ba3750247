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

from simulator.records import Delivery, Notification, Operation, Payment, RefundAttempt, Terminal

SCHEMA = Path(__file__).with_name("schema.sql")
REQUESTS_KEPT = 50_000
"""Raw requests beyond this many are forgotten at the next start."""

ADDED_COLUMNS = (
    ("terminals", "sbp", "INTEGER NOT NULL DEFAULT 1"),
    ("terminals", "cash_register", "INTEGER NOT NULL DEFAULT 0"),
    ("terminals", "refund_limits", "INTEGER NOT NULL DEFAULT 0"),
    ("payments", "data", "TEXT NOT NULL DEFAULT '{}'"),
    ("payments", "charged_back_minor", "INTEGER NOT NULL DEFAULT 0"),
    ("requests", "fault", "TEXT"),
)
"""What files of earlier versions lack: table, column, type."""

TERMINAL_COLUMNS = tuple(field.name for field in fields(Terminal))
PAYMENT_COLUMNS = tuple(field.name for field in fields(Payment))
NOTIFICATION_COLUMNS = tuple(field.name for field in fields(Notification))

_SELECT_TERMINAL = f"SELECT {', '.join(TERMINAL_COLUMNS)} FROM terminals"  # noqa: S608 - our own names
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
        for table, column, kind in ADDED_COLUMNS:
            if self._one("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", table, column) is None:
                self._run(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
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
            f"INSERT OR REPLACE INTO terminals ({', '.join(TERMINAL_COLUMNS)})"  # noqa: S608 - our own names
            f" VALUES ({', '.join('?' for _ in TERMINAL_COLUMNS)})",
            *(getattr(terminal, column) for column in TERMINAL_COLUMNS),
        )

    def find_terminal(self, terminal_key: str) -> Terminal | None:
        return _terminal(self._one(f"{_SELECT_TERMINAL} WHERE terminal_key = ?", terminal_key))

    def list_terminals(self) -> list[Terminal]:
        """By key."""
        rows = self._all(f"{_SELECT_TERMINAL} ORDER BY terminal_key")
        return [terminal for row in rows if (terminal := _terminal(row))]

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

    # SBP

    def find_qr_code(self, payment_id: int) -> str | None:
        """The code of this payment's QR, if it has one."""
        row = self._one("SELECT code FROM qr_codes WHERE payment_id = ?", payment_id)
        return str(row[0]) if row else None

    def save_qr_code(self, payment_id: int, code: str) -> None:
        self._run("INSERT INTO qr_codes (code, payment_id) VALUES (?, ?)", code, payment_id)

    def find_payment_by_qr_code(self, code: str) -> Payment | None:
        row = self._one("SELECT payment_id FROM qr_codes WHERE code = ?", code)
        return self.find_payment(row[0]) if row else None

    def insert_refund_attempt(self, attempt: RefundAttempt) -> None:
        self._run(
            "INSERT INTO refund_attempts (payment_id, amount_minor, asked_at, code) VALUES (?, ?, ?, ?)",
            attempt.payment_id,
            attempt.amount_minor,
            attempt.asked_at,
            attempt.code,
        )

    def change_last_refund_attempt(self, payment_id: int, code: str) -> None:
        """Let the refund that is on its way end with this code, or well ("")."""
        self._run(
            "UPDATE refund_attempts SET code = ? WHERE id = (SELECT max(id) FROM refund_attempts WHERE payment_id = ?)",
            code,
            payment_id,
        )

    def list_refund_attempts(self, payment_id: int) -> list[RefundAttempt]:
        """Oldest first."""
        rows = self._all(
            "SELECT payment_id, amount_minor, asked_at, code FROM refund_attempts WHERE payment_id = ? ORDER BY id",
            payment_id,
        )
        return [RefundAttempt(*row) for row in rows]

    # Movements of money

    def insert_operation(self, payment_id: int, kind: str, amount_minor: int, now: float) -> None:
        self._run(
            "INSERT INTO operations (payment_id, kind, amount_minor, happened_at) VALUES (?, ?, ?, ?)",
            payment_id,
            kind,
            amount_minor,
            now,
        )

    def list_operations(self, payment_id: int) -> list[Operation]:
        """Oldest first."""
        rows = self._all(
            "SELECT id, payment_id, kind, amount_minor, happened_at FROM operations WHERE payment_id = ? ORDER BY id",
            payment_id,
        )
        return [Operation(*row) for row in rows]

    def list_operations_between(self, terminal_key: str, since: float, before: float) -> list[Operation]:
        """This terminal's, in the order they happened."""
        rows = self._all(
            "SELECT o.id, o.payment_id, o.kind, o.amount_minor, o.happened_at FROM operations o"
            " JOIN payments p ON p.id = o.payment_id"
            " WHERE p.terminal_key = ? AND o.happened_at >= ? AND o.happened_at < ? ORDER BY o.happened_at, o.id",
            terminal_key,
            since,
            before,
        )
        return [Operation(*row) for row in rows]

    def list_operation_days(self, zone_seconds: int, limit: int) -> list[tuple[str, str, int]]:
        """Days with operations in the zone so far ahead of UTC, newest first: YYYY-MM-DD, terminal, how many."""
        rows = self._all(
            "SELECT date(o.happened_at + ?, 'unixepoch') AS day, p.terminal_key, count(*) FROM operations o"
            " JOIN payments p ON p.id = o.payment_id GROUP BY 1, 2 ORDER BY 1 DESC, 2 LIMIT ?",
            zone_seconds,
            limit,
        )
        return [(day, terminal_key, count) for day, terminal_key, count in rows]

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

    def save_request(
        self, payment_id: int | None, method: str, body: bytes, answer: str, now: float, fault: str | None = None
    ) -> None:
        self._run(
            "INSERT INTO requests (payment_id, method, body, answer, received_at, fault) VALUES (?, ?, ?, ?, ?, ?)",
            payment_id,
            method,
            body,
            answer,
            now,
            fault,
        )

    def list_requests(self, payment_id: int) -> list[dict[str, Any]]:
        """Oldest first: method, body, answer, received_at, and the fault that befell the call, if any."""
        rows = self._all(
            "SELECT method, body, answer, received_at, fault FROM requests WHERE payment_id = ? ORDER BY id",
            payment_id,
        )
        return [
            {
                "method": method,
                "body": body.decode(errors="replace"),
                "answer": answer,
                "received_at": at,
                "fault": fault,
            }
            for method, body, answer, at, fault in rows
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

    def set_next_try(self, notification_id: int, next_try_at: float) -> None:
        self._run("UPDATE notifications SET next_try_at = ? WHERE id = ?", next_try_at, notification_id)

    def revive_notifications(self, terminal_key: str, payment_id: int | None, given_up_after: int, now: float) -> int:
        """Send again at once what this terminal has not accepted: how many. `payment_id` None: of all payments."""
        cursor = self._run(
            "UPDATE notifications SET tries = 0, next_try_at = ? WHERE delivered_at IS NULL"
            " AND (next_try_at IS NOT NULL OR tries > ?)"
            " AND payment_id IN (SELECT id FROM payments WHERE terminal_key = ? AND (? IS NULL OR id = ?))",
            now,
            given_up_after,
            terminal_key,
            payment_id,
            payment_id,
        )
        return cursor.rowcount

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


def _terminal(row: tuple[Any, ...] | None) -> Terminal | None:
    if row is None:
        return None
    terminal_key, password, notification_url, *switches = row
    return Terminal(terminal_key, password, notification_url, *map(bool, switches))


def _payment(row: tuple[Any, ...] | None) -> Payment | None:
    if row is None:
        return None
    values = dict(zip(PAYMENT_COLUMNS, row, strict=True))
    values["history"] = tuple((status, at) for status, at in json.loads(values["history"]))
    return Payment(**values)
