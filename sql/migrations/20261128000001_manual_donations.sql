-- migrate:up

-- Money a streamer received elsewhere (cash, a transfer, another service) and wrote down herself. It counts in goals and
-- in lists, marked; it is no payment of ours, so the ledger and the totals know nothing of it. Deleted rows are kept.
CREATE TABLE manual_donations (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text NOT NULL UNIQUE CHECK (length(public_id) >= 22),
    streamer_id integer NOT NULL REFERENCES streamers,
    donor_name text CHECK (length(donor_name) BETWEEN 1 AND 60),
    message text NOT NULL DEFAULT '' CHECK (length(message) <= 1000),
    amount_minor bigint NOT NULL CHECK (amount_minor BETWEEN 1 AND 9999999999),
    currency text NOT NULL DEFAULT 'RUB' CHECK (currency = 'RUB'),
    -- Where it came from, in the streamer's words.
    source text NOT NULL DEFAULT '' CHECK (length(source) <= 60),
    received_at timestamptz NOT NULL,
    created_by integer REFERENCES users,
    created_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
);
CREATE INDEX manual_donations_received ON manual_donations (streamer_id, received_at DESC, id DESC)
    WHERE deleted_at IS NULL;

-- migrate:down
