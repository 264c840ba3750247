-- What the simulated YooKassa remembers, beside the bank's tables. Times are unix seconds, sums are kopecks.

CREATE TABLE IF NOT EXISTS yookassa_shops (
    shop_id TEXT PRIMARY KEY,
    secret_key TEXT NOT NULL,
    notification_url TEXT,
    refund_seconds REAL NOT NULL,
    refund_result TEXT NOT NULL,
    refund_reason TEXT NOT NULL
);

-- `number` is ours, `id` is what everybody else knows a payment by.
CREATE TABLE IF NOT EXISTS yookassa_payments (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    shop_id TEXT NOT NULL REFERENCES yookassa_shops (shop_id),
    order_id TEXT,
    amount_minor INTEGER NOT NULL,
    refunded_minor INTEGER NOT NULL,
    status TEXT NOT NULL,
    history TEXT NOT NULL,
    capture INTEGER NOT NULL,
    wished_method TEXT,
    method TEXT,
    description TEXT NOT NULL,
    metadata TEXT NOT NULL,
    return_url TEXT NOT NULL,
    language TEXT NOT NULL,
    has_receipt INTEGER NOT NULL,
    cancel_party TEXT NOT NULL,
    cancel_reason TEXT NOT NULL,
    expires_at REAL NOT NULL,
    captured_at REAL,
    created_at REAL NOT NULL
);

CREATE INDEX IF NOT EXISTS yookassa_payments_by_order ON yookassa_payments (order_id);
CREATE INDEX IF NOT EXISTS yookassa_payments_open ON yookassa_payments (expires_at)
    WHERE status IN ('pending', 'waiting_for_capture');

-- `done_at` is null once a refund is final; until then `result` is what it will become.
CREATE TABLE IF NOT EXISTS yookassa_refunds (
    id TEXT PRIMARY KEY,
    payment_id TEXT NOT NULL REFERENCES yookassa_payments (id),
    amount_minor INTEGER NOT NULL,
    status TEXT NOT NULL,
    result TEXT NOT NULL,
    reason TEXT NOT NULL,
    done_at REAL,
    created_at REAL NOT NULL
);

CREATE INDEX IF NOT EXISTS yookassa_refunds_by_payment ON yookassa_refunds (payment_id);
CREATE INDEX IF NOT EXISTS yookassa_refunds_pending ON yookassa_refunds (done_at) WHERE done_at IS NOT NULL;

-- Answers to calls that changed something, to be given again to the same key.
CREATE TABLE IF NOT EXISTS yookassa_answers (
    shop_id TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    http_status INTEGER NOT NULL,
    answer TEXT NOT NULL,
    answered_at REAL NOT NULL,
    PRIMARY KEY (shop_id, key)
);

CREATE TABLE IF NOT EXISTS yookassa_requests (
    id INTEGER PRIMARY KEY,
    payment_id TEXT,
    call TEXT NOT NULL,
    key TEXT,
    body BLOB NOT NULL,
    http_status INTEGER NOT NULL,
    answer TEXT NOT NULL,
    received_at REAL NOT NULL
);

CREATE INDEX IF NOT EXISTS yookassa_requests_by_payment ON yookassa_requests (payment_id);

-- next_try_at is null once a notification was answered with HTTP 200 or given up.
CREATE TABLE IF NOT EXISTS yookassa_notifications (
    id INTEGER PRIMARY KEY,
    payment_id INTEGER NOT NULL REFERENCES yookassa_payments (number),
    status TEXT NOT NULL,
    url TEXT NOT NULL,
    body BLOB NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_try_at REAL,
    delivered_at REAL
);

CREATE INDEX IF NOT EXISTS yookassa_notifications_by_payment ON yookassa_notifications (payment_id);
CREATE INDEX IF NOT EXISTS yookassa_notifications_waiting ON yookassa_notifications (next_try_at)
    WHERE next_try_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS yookassa_deliveries (
    notification_id INTEGER NOT NULL REFERENCES yookassa_notifications (id),
    sent_at REAL NOT NULL,
    http_status INTEGER,
    answer TEXT NOT NULL,
    error TEXT
);

CREATE INDEX IF NOT EXISTS yookassa_deliveries_by_notification ON yookassa_deliveries (notification_id);
