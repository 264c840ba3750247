-- migrate:up

-- A streamer's account at a provider. Retired when replaced, never deleted: old payments still need its secret.
CREATE TABLE terminals (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    streamer_id integer NOT NULL REFERENCES streamers,
    provider text NOT NULL CHECK (provider IN ('tbank')),
    terminal_key text NOT NULL CHECK (length(terminal_key) BETWEEN 1 AND 64),
    secret_encrypted text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    UNIQUE (provider, terminal_key),
    UNIQUE (id, streamer_id)
);
CREATE UNIQUE INDEX terminals_active ON terminals (streamer_id, provider) WHERE retired_at IS NULL;

-- What a donor wishes. name and message are as written; the public_ ones are what may leave us (DESIGN 15).
CREATE TABLE donations (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text NOT NULL UNIQUE CHECK (length(public_id) >= 22),
    streamer_id integer NOT NULL REFERENCES streamers,
    status text NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'failed', 'paid', 'review', 'partially_refunded', 'refunded')),
    amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 9999999999),
    refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    currency text NOT NULL DEFAULT 'RUB' CHECK (currency = 'RUB'),
    donor_name text CHECK (length(donor_name) BETWEEN 1 AND 60),
    message text NOT NULL DEFAULT '' CHECK (length(message) <= 1000),
    public_donor_name text CHECK (length(public_donor_name) BETWEEN 1 AND 60),
    public_message text NOT NULL DEFAULT '' CHECK (length(public_message) <= 1000),
    locale text NOT NULL DEFAULT 'ru' CHECK (locale IN ('ru', 'en')),
    consent_version text NOT NULL,
    consented_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    paid_at timestamptz,
    UNIQUE (id, streamer_id),
    CHECK ((paid_at IS NOT NULL) = (status IN ('paid', 'partially_refunded', 'refunded')))
);
CREATE INDEX donations_paid ON donations (streamer_id, paid_at DESC, id DESC) WHERE paid_at IS NOT NULL;
CREATE INDEX donations_created ON donations (streamer_id, created_at DESC, id DESC);
CREATE INDEX donations_feed ON donations (streamer_id, id DESC)
    WHERE status IN ('paid', 'review', 'partially_refunded', 'refunded');

-- Which donation a form's key belongs to now, so that a doubled submit is one donation (DESIGN 17).
CREATE TABLE donation_forms (
    streamer_id integer NOT NULL REFERENCES streamers,
    form_key text NOT NULL CHECK (length(form_key) BETWEEN 16 AND 64),
    fields_digest bytea NOT NULL,
    donation_id integer REFERENCES donations,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (streamer_id, form_key)
);
CREATE INDEX donation_forms_created_at ON donation_forms (created_at);

-- One attempt to collect a donation through a provider.
CREATE TABLE payments (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    donation_id integer NOT NULL,
    streamer_id integer NOT NULL,
    terminal_id integer NOT NULL,
    attempt integer NOT NULL CHECK (attempt >= 1),
    -- Ours, random, stored before the provider hears of it.
    order_id text NOT NULL CHECK (length(order_id) BETWEEN 16 AND 36),
    provider_payment_id text,
    -- The provider's own word, as last heard.
    provider_status text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'new'
        CHECK (status IN ('new', 'opening', 'pending', 'authorized', 'confirmed', 'failed', 'expired',
                          'cancelled', 'partially_refunded', 'refunded')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL DEFAULT 'RUB' CHECK (currency = 'RUB'),
    -- What the provider says it took; differs from amount_minor only for booked_as = 'review'.
    confirmed_minor bigint CHECK (confirmed_minor > 0),
    booked_as text CHECK (booked_as IN ('donation', 'surplus', 'review')),
    payment_url text,
    error_code text NOT NULL DEFAULT '',
    error_message text NOT NULL DEFAULT '',
    due_at timestamptz NOT NULL,
    opening_at timestamptz,
    opened_at timestamptz,
    confirmed_at timestamptz,
    closed_at timestamptz,
    -- When somebody looks again: create_payment before it has a URL, check_payment after. Null: nothing more is expected.
    next_check_at timestamptz,
    checks integer NOT NULL DEFAULT 0,
    -- Raised by every piece of news; a poll writes only onto the version it read.
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (donation_id, streamer_id) REFERENCES donations (id, streamer_id),
    FOREIGN KEY (terminal_id, streamer_id) REFERENCES terminals (id, streamer_id),
    UNIQUE (donation_id, attempt),
    UNIQUE (terminal_id, order_id),
    UNIQUE (terminal_id, provider_payment_id),
    CHECK ((confirmed_at IS NULL) = (confirmed_minor IS NULL)),
    CHECK ((confirmed_at IS NULL) = (booked_as IS NULL)),
    CHECK (status NOT IN ('confirmed', 'partially_refunded', 'refunded') OR confirmed_at IS NOT NULL),
    CHECK (booked_as IS DISTINCT FROM 'donation' OR confirmed_minor = amount_minor),
    CHECK (status NOT IN ('pending', 'authorized', 'confirmed') OR provider_payment_id IS NOT NULL)
);
CREATE UNIQUE INDEX payments_paying ON payments (donation_id) WHERE booked_as = 'donation';
CREATE INDEX payments_due ON payments (next_check_at) WHERE next_check_at IS NOT NULL;

-- A provider's notification, stored as it came before anyone acts on it.
CREATE TABLE inbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    terminal_id integer NOT NULL REFERENCES terminals,
    -- What makes two notifications the same: T-Bank's Token signs every field.
    dedup_key text NOT NULL,
    body bytea NOT NULL,
    order_id text,
    repeats integer NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL DEFAULT now(),
    last_received_at timestamptz NOT NULL DEFAULT now(),
    -- When the sweeper asks the actor again, unless it is processed by then.
    next_ask_at timestamptz NOT NULL DEFAULT now() + interval '30 seconds',
    asks integer NOT NULL DEFAULT 0,
    processed_at timestamptz,
    -- What became of it: applied, stale, unknown_order, amount_mismatch, ...
    outcome text,
    payment_id integer REFERENCES payments,
    UNIQUE (terminal_id, dedup_key)
);
CREATE INDEX inbox_unprocessed ON inbox (next_ask_at) WHERE processed_at IS NULL;

-- Every piece of news a payment got, for whoever asks a year later.
CREATE TABLE payment_news (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment_id integer NOT NULL REFERENCES payments,
    source text NOT NULL CHECK (source IN ('notification', 'poll', 'own')),
    status_before text NOT NULL,
    status_after text NOT NULL,
    provider_status text NOT NULL DEFAULT '',
    -- As it came; null where nothing came (our own action).
    raw bytea,
    note text NOT NULL DEFAULT '',
    inbox_id bigint REFERENCES inbox,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payment_news_payment_id ON payment_news (payment_id, id);

-- The ledger: double entry, append only. Debits are positive, each transaction sums to zero.
CREATE TABLE ledger_transactions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('payment', 'refund', 'chargeback', 'fee')),
    streamer_id integer NOT NULL REFERENCES streamers,
    payment_id integer NOT NULL REFERENCES payments,
    -- The total of this kind that the payment has reached with this transaction; makes a repeat impossible.
    reached_minor bigint NOT NULL CHECK (reached_minor > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (payment_id, kind, reached_minor),
    UNIQUE (id, streamer_id)
);
CREATE INDEX ledger_transactions_streamer ON ledger_transactions (streamer_id, id);
CREATE UNIQUE INDEX ledger_one_payment ON ledger_transactions (payment_id) WHERE kind = 'payment';

CREATE TABLE ledger_entries (
    transaction_id bigint NOT NULL,
    streamer_id integer NOT NULL,
    account text NOT NULL CHECK (account IN ('provider_clearing', 'streamer', 'surplus', 'review', 'fees', 'chargebacks')),
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    currency text NOT NULL DEFAULT 'RUB' CHECK (currency = 'RUB'),
    PRIMARY KEY (transaction_id, account),
    FOREIGN KEY (transaction_id, streamer_id) REFERENCES ledger_transactions (id, streamer_id)
);
CREATE INDEX ledger_entries_account ON ledger_entries (streamer_id, account) INCLUDE (amount_minor);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_news
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION check_ledger_balance(checked bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    total numeric;
    entries integer;
BEGIN
    SELECT coalesce(sum(amount_minor), 0), count(*) INTO total, entries
    FROM ledger_entries WHERE transaction_id = checked;
    IF total <> 0 OR entries < 2 THEN
        RAISE EXCEPTION 'ledger transaction % does not balance: % entries, sum %', checked, entries, total
            USING ERRCODE = 'check_violation';
    END IF;
END $$;
CREATE FUNCTION check_ledger_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM check_ledger_balance(NEW.id); RETURN NULL; END $$;
CREATE FUNCTION check_ledger_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM check_ledger_balance(NEW.transaction_id); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_transactions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_transaction();
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_ledger_entry();

-- Running totals of what donations brought, less refunds; maintained with the ledger, checked against it. They are
-- derived, so nothing here may refuse what the ledger has to book.
CREATE TABLE streamer_totals (
    streamer_id integer PRIMARY KEY REFERENCES streamers,
    net_minor bigint NOT NULL DEFAULT 0,
    donations integer NOT NULL DEFAULT 0,
    -- The newest ledger transaction counted here.
    ledger_transaction_id bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- The same by day of the streamer's time zone (the day the money came). After the zone was changed a refund may
-- find another day than its payment did: that one is below zero until the days are counted anew.
CREATE TABLE streamer_days (
    streamer_id integer NOT NULL REFERENCES streamers,
    day date NOT NULL,
    net_minor bigint NOT NULL DEFAULT 0,
    donations integer NOT NULL DEFAULT 0,
    PRIMARY KEY (streamer_id, day)
);

-- migrate:down
