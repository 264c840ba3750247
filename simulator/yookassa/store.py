"""The simulated YooKassa's memory: tables of its own in the bank's SQLite file, over a connection of its own.

As in `simulator/store.py`: one thread, nothing waits for the disk, no `await` stands inside a transaction.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from simulator.records import Delivery, Notification
from simulator.yookassa.records import AcceptedByStatus, Payment, Refund, RefundPlan, Shop

SCHEMA = Path(__file__).with_name("schema.sql")
REQUESTS_KEPT = 50_000
"""Raw requests beyond this many are forgotten at the next start."""

_PAYMENT_COLUMNS = tuple(field.name for field in fields(Payment))
_REFUND_COLUMNS = tuple(field.name for field in fields(Refund))
_NOTIFICATION_COLUMNS = tuple(field.name for field in fields(Notification))

_SELECT_PAYMENT = f"SELECT {', '.join(_PAYMENT_COLUMNS)} FROM yookassa_payments"  # noqa: S608 - our own names
_SELECT_REFUND = f"SELECT {', '.join(_REFUND_COLUMNS)} FROM yookassa_refunds"  # noqa: S608
_SELECT_NOTIFICATION = f"SELECT {', '.join(_NOTIFICATION_COLUMNS)} FROM yookassa_notifications"  # noqa: S608


class YooKassaStore:
    """Opens the file and adds what is missing; `close` when done."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.executescript(SCHEMA.read_text())
        self._run(
            "DELETE FROM yookassa_requests WHERE id <= (SELECT max(id) FROM yookassa_requests) - ?", REQUESTS_KEPT
        )

    def close(self) -> None:
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what is done inside; one inside another is part of it."""
        if self._database.in_transaction:
            yield
            return
        self._run("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._run("ROLLBACK")
            raise
        self._run("COMMIT")

    # Shops

    def save_shop(self, shop: Shop) -> None:
        """Add a shop or change the one with this id."""
        self._run(
            "INSERT OR REPLACE INTO yookassa_shops VALUES (?, ?, ?, ?, ?, ?)",
            shop.shop_id,
            shop.secret_key,
            shop.notification_url,
            shop.refunds.seconds,
            shop.refunds.result,
            shop.refunds.reason,
        )

    def find_shop(self, shop_id: str) -> Shop | None:
        row = self._one("SELECT * FROM yookassa_shops WHERE shop_id = ?", shop_id)
        return Shop(row[0], row[1], row[2], RefundPlan(*row[3:])) if row else None

    # Payments

    def insert_payment(self, values: dict[str, Any]) -> Payment:
        """`values` are all columns but `number`, which the store gives."""
        names = [name for name in _PAYMENT_COLUMNS if name != "number"]
        cursor = self._run(
            f"INSERT INTO yookassa_payments ({', '.join(names)})"  # noqa: S608 - names are ours
            f" VALUES ({', '.join('?' for _ in names)})",
            *(_stored(values[name]) for name in names),
        )
        return Payment(number=cursor.lastrowid or 0, **values)

    def update_payment(self, payment_id: str, changes: dict[str, Any]) -> None:
        assignments = ", ".join(f"{name} = ?" for name in changes)
        self._run(
            f"UPDATE yookassa_payments SET {assignments} WHERE id = ?",  # noqa: S608 - names are ours
            *(_stored(value) for value in changes.values()),
            payment_id,
        )

    def find_payment(self, payment_id: str) -> Payment | None:
        found = self._payments("WHERE id = ?", payment_id)
        return found[0] if found else None

    def list_recent_payments(self, order_id: str | None, limit: int) -> list[Payment]:
        """Newest first, of every shop."""
        if order_id is None:
            return self._payments("ORDER BY number DESC LIMIT ?", limit)
        return self._payments("WHERE order_id = ? ORDER BY number DESC LIMIT ?", order_id, limit)

    def list_payments_of_shop(self, shop_id: str, status: str | None, before: int, limit: int) -> list[Payment]:
        """Newest first, with a `number` less than `before`."""
        return self._payments(
            "WHERE shop_id = ? AND number < ? AND status = coalesce(?, status) ORDER BY number DESC LIMIT ?",
            shop_id,
            before,
            status,
            limit,
        )

    def list_overdue_payments(self, now: float) -> list[Payment]:
        """Those that nobody paid or captured in time."""
        return self._payments("WHERE status IN ('pending', 'waiting_for_capture') AND expires_at <= ? LIMIT 500", now)

    # Refunds

    def save_refund(self, refund: Refund) -> None:
        """Add it or change the one with this id."""
        self._run(
            f"INSERT OR REPLACE INTO yookassa_refunds ({', '.join(_REFUND_COLUMNS)})"  # noqa: S608 - names are ours
            f" VALUES ({', '.join('?' for _ in _REFUND_COLUMNS)})",
            *(getattr(refund, name) for name in _REFUND_COLUMNS),
        )

    def find_refund(self, refund_id: str) -> Refund | None:
        row = self._one(f"{_SELECT_REFUND} WHERE id = ?", refund_id)
        return Refund(*row) if row else None

    def list_refunds(self, payment_id: str) -> list[Refund]:
        """Oldest first."""
        rows = self._all(f"{_SELECT_REFUND} WHERE payment_id = ? ORDER BY created_at, rowid", payment_id)
        return [Refund(*row) for row in rows]

    def list_finished_refunds(self, now: float) -> list[Refund]:
        """Pending ones whose time has come."""
        return [Refund(*row) for row in self._all(f"{_SELECT_REFUND} WHERE done_at <= ? LIMIT 500", now)]

    # Idempotency

    def find_answer(self, shop_id: str, key: str, since: float) -> tuple[str, int, str] | None:
        """Request, HTTP status and answer that came with this key after `since`."""
        return self._one(
            "SELECT request, http_status, answer FROM yookassa_answers"
            " WHERE shop_id = ? AND key = ? AND answered_at > ?",
            shop_id,
            key,
            since,
        )

    def save_answer(self, shop_id: str, key: str, request: str, http_status: int, answer: str, now: float) -> None:
        self._run(
            "INSERT OR REPLACE INTO yookassa_answers VALUES (?, ?, ?, ?, ?, ?)",
            shop_id,
            key,
            request,
            http_status,
            answer,
            now,
        )

    # Raw requests

    def save_request(
        self, payment_id: str | None, call: str, key: str | None, body: bytes, http_status: int, answer: str, now: float
    ) -> None:
        self._run(
            "INSERT INTO yookassa_requests (payment_id, call, key, body, http_status, answer, received_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            payment_id,
            call,
            key,
            body,
            http_status,
            answer,
            now,
        )

    def list_requests(self, payment_id: str) -> list[dict[str, Any]]:
        """Oldest first."""
        rows = self._all(
            "SELECT call, key, body, http_status, answer, received_at FROM yookassa_requests"
            " WHERE payment_id = ? ORDER BY id",
            payment_id,
        )
        names = ("call", "key", "body", "http_status", "answer", "received_at")
        return [{**dict(zip(names, row, strict=True)), "body": row[2].decode(errors="replace")} for row in rows]

    # Notifications, as a courier knows them

    def insert_notification(self, number: int, event: str, url: str, body: bytes, next_try_at: float | None) -> int:
        """`next_try_at` None: nobody retries it but who asked for it."""
        cursor = self._run(
            "INSERT INTO yookassa_notifications (payment_id, status, url, body, next_try_at) VALUES (?, ?, ?, ?, ?)",
            number,
            event,
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

    def list_notifications(self, number: int) -> list[Notification]:
        """Oldest first."""
        rows = self._all(f"{_SELECT_NOTIFICATION} WHERE payment_id = ? ORDER BY id", number)
        return [Notification(*row) for row in rows]

    def list_due_notifications(self, now: float) -> list[int]:
        rows = self._all(
            "SELECT id FROM yookassa_notifications WHERE next_try_at <= ? ORDER BY next_try_at LIMIT 500", now
        )
        return [row[0] for row in rows]

    def set_next_try(self, notification_id: int, next_try_at: float) -> None:
        self._run("UPDATE yookassa_notifications SET next_try_at = ? WHERE id = ?", next_try_at, notification_id)

    def count_waiting_notifications(self) -> int:
        row = self._one("SELECT count(*) FROM yookassa_notifications WHERE next_try_at IS NOT NULL")
        return int(row[0]) if row else 0

    def save_delivery(self, notification_id: int, delivery: Delivery, next_try_at: float | None) -> None:
        """One try and what follows from it; `next_try_at` None: delivered or given up."""
        with self.transaction():
            self._run(
                "INSERT INTO yookassa_deliveries VALUES (?, ?, ?, ?, ?)",
                notification_id,
                delivery.sent_at,
                delivery.http_status,
                delivery.answer,
                delivery.error,
            )
            self._run(
                "UPDATE yookassa_notifications SET tries = tries + 1, next_try_at = ?,"
                " delivered_at = coalesce(delivered_at, ?) WHERE id = ?",
                next_try_at,
                delivery.sent_at if delivery.accepted else None,
                notification_id,
            )

    def list_deliveries(self, notification_id: int) -> list[AcceptedByStatus]:
        """Oldest first."""
        rows = self._all(
            "SELECT sent_at, http_status, answer, error FROM yookassa_deliveries"
            " WHERE notification_id = ? ORDER BY rowid",
            notification_id,
        )
        return [AcceptedByStatus(*row) for row in rows]

    # SQLite

    def _run(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return self._database.execute(sql, values)

    def _one(self, sql: str, *values: Any) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._run(sql, *values).fetchone()
        return row

    def _all(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._run(sql, *values).fetchall()

    def _payments(self, condition: str, *values: Any) -> list[Payment]:
        return [_payment(row) for row in self._all(f"{_SELECT_PAYMENT} {condition}", *values)]


def _stored(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, tuple | dict) else value


def _payment(row: tuple[Any, ...]) -> Payment:
    values = dict(zip(_PAYMENT_COLUMNS, row, strict=True))
    values["history"] = tuple((status, at) for status, at in json.loads(values["history"]))
    values["metadata"] = json.loads(values["metadata"])
    values["capture"], values["has_receipt"] = bool(values["capture"]), bool(values["has_receipt"])
    return Payment(**values)
