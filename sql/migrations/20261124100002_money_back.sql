-- migrate:up

ALTER TABLE payments
    -- The link inside an SBP QR code.
    ADD COLUMN sbp_payload text,
    -- The bank made a second payment of one order and it brought money: this is that one, a payment of its own.
    ADD COLUMN twin_of integer REFERENCES payments,
    -- Why it was refused, sorted (a provider's RefusalReason); error_code and error_message are the provider's own.
    ADD COLUMN error_reason text NOT NULL DEFAULT '',
    -- How it was paid, as far as the provider says: card, sbp, …
    ADD COLUMN method text NOT NULL DEFAULT '',
    -- Money of another amount than asked for that the streamer took as it came.
    ADD COLUMN accepted_at timestamptz,
    ADD COLUMN accepted_by integer REFERENCES users,
    -- Somebody asks the provider about it until then; nobody else does.
    ADD COLUMN asked_until timestamptz;
DO $$
DECLARE
    found text;
BEGIN
    FOR found IN SELECT conname FROM pg_constraint
        WHERE conrelid = 'payments'::regclass AND contype = 'c'
          AND pg_get_constraintdef(oid) LIKE '%booked_as IS DISTINCT FROM%confirmed_minor = amount_minor%'
    LOOP
        EXECUTE format('ALTER TABLE payments DROP CONSTRAINT %I', found);
    END LOOP;
END $$;
ALTER TABLE payments ADD CONSTRAINT payments_right_amount
    CHECK (booked_as IS DISTINCT FROM 'donation' OR confirmed_minor = amount_minor OR accepted_at IS NOT NULL);

-- Who did it, where a person of ours did; and what a provider's registry told.
ALTER TABLE payment_news DROP CONSTRAINT payment_news_source_check;
ALTER TABLE payment_news ADD CONSTRAINT payment_news_source_check
    CHECK (source IN ('notification', 'poll', 'own', 'registry'));
ALTER TABLE payment_news ADD COLUMN user_id integer REFERENCES users;

-- What came back by the donor's bank (chargeback) beside what we or the provider's cabinet gave back (refund). Both may
-- befall one donation, so together they may exceed it.
ALTER TABLE donations
    ADD COLUMN charged_back_minor bigint NOT NULL DEFAULT 0 CHECK (charged_back_minor >= 0),
    -- What the donor had chosen, where the streamer accepted another amount.
    ADD COLUMN wished_minor bigint CHECK (wished_minor > 0);
DO $$
DECLARE
    found text;
BEGIN
    FOR found IN SELECT conname FROM pg_constraint
        WHERE conrelid = 'donations'::regclass AND contype = 'c'
          AND (conname = 'donations_status_check' OR pg_get_constraintdef(oid) LIKE '%paid_at IS NOT NULL%')
    LOOP
        EXECUTE format('ALTER TABLE donations DROP CONSTRAINT %I', found);
    END LOOP;
END $$;
ALTER TABLE donations
    ADD CONSTRAINT donations_status_check CHECK (status IN
        ('pending', 'failed', 'paid', 'review', 'partially_refunded', 'refunded', 'charged_back')),
    ADD CONSTRAINT donations_paid_at CHECK ((paid_at IS NOT NULL)
        = (status IN ('paid', 'partially_refunded', 'refunded', 'charged_back')));

-- Refunds and chargebacks stand beside what was credited, so that a streamer's gross stays readable.
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_account_check;
ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_account_check CHECK (account IN
    ('provider_clearing', 'streamer', 'surplus', 'review', 'refunds', 'fees', 'chargebacks'));
ALTER TABLE ledger_transactions DROP CONSTRAINT ledger_transactions_kind_check;
ALTER TABLE ledger_transactions ADD CONSTRAINT ledger_transactions_kind_check CHECK (kind IN
    ('payment', 'refund', 'chargeback', 'chargeback_reversal', 'fee', 'acceptance'));

-- A wish to give money back, and what became of it. The public id is the provider's idempotency key.
CREATE TABLE refunds (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text NOT NULL UNIQUE CHECK (length(public_id) BETWEEN 16 AND 36),
    payment_id integer NOT NULL REFERENCES payments,
    streamer_id integer NOT NULL REFERENCES streamers,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 300),
    requested_by integer REFERENCES users,
    status text NOT NULL DEFAULT 'wished' CHECK (status IN ('wished', 'asking', 'pending', 'done', 'refused')),
    -- What had gone back before, when the provider was asked: tells afterwards whether a lost answer meant yes.
    before_minor bigint CHECK (before_minor >= 0),
    provider_refund_id text NOT NULL DEFAULT '',
    error_code text NOT NULL DEFAULT '',
    error_reason text NOT NULL DEFAULT '',
    error_message text NOT NULL DEFAULT '',
    tries integer NOT NULL DEFAULT 0,
    -- When somebody looks at it again; null once it is over.
    next_try_at timestamptz DEFAULT now() + interval '60 seconds',
    asked_at timestamptz,
    finished_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((finished_at IS NOT NULL) = (status IN ('done', 'refused'))),
    CHECK ((next_try_at IS NULL) = (status IN ('done', 'refused')))
);
-- One at a time: two halves asked for at once could not be told apart after a lost answer.
CREATE UNIQUE INDEX refunds_one_open ON refunds (payment_id) WHERE status IN ('wished', 'asking', 'pending');
CREATE INDEX refunds_due ON refunds (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX refunds_payment ON refunds (payment_id, id);

-- migrate:down
