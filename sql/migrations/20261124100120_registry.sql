-- migrate:up

-- When the money moved, where that is not when it was booked: a provider tells of its fees and of chargebacks days later.
ALTER TABLE ledger_transactions ADD COLUMN moved_at timestamptz;
CREATE INDEX ledger_moved ON ledger_transactions (streamer_id, (coalesce(moved_at, created_at)), id);
CREATE INDEX ledger_returns ON ledger_transactions (streamer_id, id)
    WHERE kind IN ('refund', 'chargeback', 'chargeback_reversal');

-- What the provider's registry says it took for a payment; null while no registry told of it.
ALTER TABLE payments ADD COLUMN registry_minor bigint CHECK (registry_minor > 0);
-- Payments that no registry has told of, and those that it says something else about.
CREATE INDEX payments_untold ON payments (streamer_id, confirmed_at)
    WHERE registry_minor IS NULL AND confirmed_at IS NOT NULL;
CREATE INDEX payments_told_otherwise ON payments (streamer_id)
    WHERE registry_minor IS NOT NULL AND registry_minor IS DISTINCT FROM confirmed_minor;

-- A provider's registry of operations, as a person brought it: the same bytes again are the same file. What several
-- terminals did is a file for each.
CREATE TABLE registry_files (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    streamer_id integer NOT NULL,
    terminal_id integer NOT NULL,
    provider text NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    uploaded_by integer REFERENCES users,
    -- Days by the clocks of Moscow, as in the file.
    first_day date NOT NULL,
    last_day date NOT NULL,
    rows integer NOT NULL CHECK (rows > 0),
    -- Rows that no file had told before.
    new_rows integer NOT NULL DEFAULT 0 CHECK (new_rows BETWEEN 0 AND rows),
    payments integer NOT NULL DEFAULT 0,
    payments_minor bigint NOT NULL DEFAULT 0,
    refunds integer NOT NULL DEFAULT 0,
    refunds_minor bigint NOT NULL DEFAULT 0,
    chargebacks integer NOT NULL DEFAULT 0,
    chargebacks_minor bigint NOT NULL DEFAULT 0,
    fees_minor bigint NOT NULL DEFAULT 0,
    -- Last read to the end; and when it is read again, because something in it is still open.
    read_at timestamptz,
    next_read_at timestamptz DEFAULT now() + interval '60 seconds',
    reads integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (terminal_id, streamer_id) REFERENCES terminals (id, streamer_id),
    UNIQUE (terminal_id, sha256),
    CHECK (first_day <= last_day)
);
CREATE INDEX registry_files_streamer ON registry_files (streamer_id, last_day DESC, id DESC);
CREATE INDEX registry_files_due ON registry_files (next_read_at) WHERE next_read_at IS NOT NULL;

-- A line of such a file. The same operation in two files is one row; two alike in one file are two (occurrence).
CREATE TABLE registry_rows (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_id integer NOT NULL REFERENCES registry_files,
    streamer_id integer NOT NULL,
    terminal_id integer NOT NULL,
    number integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('payment', 'refund', 'chargeback', 'chargeback_reversal', 'fee', 'other')),
    provider_kind text NOT NULL,
    provider_payment_id text NOT NULL,
    order_id text NOT NULL,
    operated_at timestamptz NOT NULL,
    settled_on date,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    fee_minor bigint NOT NULL CHECK (fee_minor >= 0),
    net_minor bigint NOT NULL CHECK (net_minor >= 0),
    reference text NOT NULL,
    occurrence integer NOT NULL CHECK (occurrence >= 1),
    raw text NOT NULL,
    payment_id integer REFERENCES payments,
    FOREIGN KEY (terminal_id, streamer_id) REFERENCES terminals (id, streamer_id),
    CONSTRAINT registry_rows_once UNIQUE (terminal_id, provider_payment_id, provider_kind, operated_at, amount_minor,
        fee_minor, reference, order_id, occurrence)
);
CREATE INDEX registry_rows_file ON registry_rows (file_id, number);
CREATE INDEX registry_rows_payment ON registry_rows (payment_id) WHERE payment_id IS NOT NULL;
CREATE INDEX registry_rows_unmatched ON registry_rows (terminal_id) WHERE payment_id IS NULL;
CREATE INDEX registry_rows_returns ON registry_rows (streamer_id, payment_id)
    WHERE kind IN ('refund', 'chargeback', 'chargeback_reversal');
CREATE INDEX registry_rows_other ON registry_rows (streamer_id) WHERE kind = 'other';

-- Differences are computed, so that they vanish when they are mended; what a person has looked at is written here.
CREATE TABLE registry_marks (
    streamer_id integer NOT NULL REFERENCES streamers,
    difference text NOT NULL,
    note text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    settled_by integer REFERENCES users,
    settled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (streamer_id, difference)
);

-- Payments that a donor's bank disputed; the sums are the ledger's.
CREATE TABLE chargebacks (
    payment_id integer PRIMARY KEY REFERENCES payments,
    streamer_id integer NOT NULL REFERENCES streamers,
    happened_at timestamptz NOT NULL,
    -- When we learned of it first, and when its sums changed last.
    told_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    read_at timestamptz,
    read_by integer REFERENCES users
);
CREATE INDEX chargebacks_streamer ON chargebacks (streamer_id, changed_at DESC);
CREATE INDEX chargebacks_unread ON chargebacks (streamer_id) WHERE read_at IS NULL;

-- What the ledger says of each day of the streamer's time zone, counted up to a transaction (ledger_folds) and never
-- the truth: it may be deleted and is counted anew.
CREATE TABLE ledger_days (
    streamer_id integer NOT NULL REFERENCES streamers,
    day date NOT NULL,
    came_minor bigint NOT NULL,
    refunded_minor bigint NOT NULL,
    charged_back_minor bigint NOT NULL,
    fees_minor bigint NOT NULL,
    donations integer NOT NULL,
    PRIMARY KEY (streamer_id, day)
);
CREATE TABLE ledger_folds (
    streamer_id integer PRIMARY KEY REFERENCES streamers,
    time_zone text NOT NULL,
    ledger_transaction_id bigint NOT NULL DEFAULT 0
);

-- A donation that its donor's bank took back, even in part, is not shown again.
CREATE OR REPLACE FUNCTION is_paid(alert alerts) RETURNS boolean LANGUAGE sql STABLE
RETURN alert.donation_id IS NULL
    OR (SELECT status IN ('paid', 'partially_refunded') AND (alert.kind <> 'replay' OR charged_back_minor = 0)
        FROM donations WHERE id = alert.donation_id);

-- migrate:down
