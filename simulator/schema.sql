-- The simulator's whole memory. Times are unix seconds, sums are kopecks.

CREATE TABLE IF NOT EXISTS terminals (
    terminal_key TEXT PRIMARY KEY,
    password TEXT NOT NULL,
    notification_url TEXT,
    sbp INTEGER NOT NULL DEFAULT 1,
    cash_register INTEGER NOT NULL DEFAULT 0,
    refund_limits INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    code TEXT NOT NULL UNIQUE,
    terminal_key TEXT NOT NULL REFERENCES terminals (terminal_key),
    order_id TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    remaining_minor INTEGER NOT NULL,
    status TEXT NOT NULL,
    history TEXT NOT NULL,
    pay_type TEXT NOT NULL,
    source TEXT,
    description TEXT NOT NULL,
    language TEXT NOT NULL,
    notification_url TEXT,
    success_url TEXT,
    fail_url TEXT,
    due_at REAL NOT NULL,
    error_code TEXT NOT NULL,
    error_message TEXT NOT NULL,
    error_details TEXT NOT NULL,
    refund_minor INTEGER NOT NULL,
    refund_done_at REAL,
    created_at REAL NOT NULL,
    data TEXT NOT NULL DEFAULT '{}',
    charged_back_minor INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX IF NOT EXISTS payments_by_order ON payments (terminal_key, order_id);
CREATE INDEX IF NOT EXISTS payments_by_order_alone ON payments (order_id);
CREATE INDEX IF NOT EXISTS payments_unpaid ON payments (due_at) WHERE status IN ('NEW', 'FORM_SHOWED');
CREATE INDEX IF NOT EXISTS payments_refunding ON payments (refund_done_at) WHERE refund_done_at IS NOT NULL;

-- Answers to Cancel that carried an ExternalRequestId, to be given again.
CREATE TABLE IF NOT EXISTS cancellations (
    payment_id INTEGER NOT NULL REFERENCES payments (id),
    external_request_id TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (payment_id, external_request_id)
);

-- Codes of SBP, one for a payment.
CREATE TABLE IF NOT EXISTS qr_codes (
    code TEXT PRIMARY KEY,
    payment_id INTEGER NOT NULL UNIQUE REFERENCES payments (id)
);

-- code is empty unless the refund is refused.
CREATE TABLE IF NOT EXISTS refund_attempts (
    id INTEGER PRIMARY KEY,
    payment_id INTEGER NOT NULL REFERENCES payments (id),
    amount_minor INTEGER NOT NULL,
    asked_at REAL NOT NULL,
    code TEXT NOT NULL
);

CREATE INDEX IF NOT EXISTS refund_attempts_by_payment ON refund_attempts (payment_id);

-- What the daily registry is made of.
CREATE TABLE IF NOT EXISTS operations (
    id INTEGER PRIMARY KEY,
    payment_id INTEGER NOT NULL REFERENCES payments (id),
    kind TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    happened_at REAL NOT NULL
);

CREATE INDEX IF NOT EXISTS operations_by_payment ON operations (payment_id);
CREATE INDEX IF NOT EXISTS operations_by_time ON operations (happened_at);

-- fault is what befell the call, null for a good day.
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY,
    payment_id INTEGER,
    method TEXT NOT NULL,
    body BLOB NOT NULL,
    answer TEXT NOT NULL,
    received_at REAL NOT NULL,
    fault TEXT
);

CREATE INDEX IF NOT EXISTS requests_by_payment ON requests (payment_id);

-- next_try_at is null once a notification was answered with OK or given up.
CREATE TABLE IF NOT EXISTS notifications (
    id INTEGER PRIMARY KEY,
    payment_id INTEGER NOT NULL REFERENCES payments (id),
    status TEXT NOT NULL,
    url TEXT NOT NULL,
    body BLOB NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_try_at REAL,
    delivered_at REAL
);

CREATE INDEX IF NOT EXISTS notifications_by_payment ON notifications (payment_id);
CREATE INDEX IF NOT EXISTS notifications_waiting ON notifications (next_try_at) WHERE next_try_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS deliveries (
    notification_id INTEGER NOT NULL REFERENCES notifications (id),
    sent_at REAL NOT NULL,
    http_status INTEGER,
    answer TEXT NOT NULL,
    error TEXT
);

CREATE INDEX IF NOT EXISTS deliveries_by_notification ON deliveries (notification_id);
