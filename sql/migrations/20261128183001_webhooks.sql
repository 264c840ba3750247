-- migrate:up

-- Addresses of a streamer's own that are told what happens (docs/webhooks.md).
CREATE TABLE webhooks (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    streamer_id integer NOT NULL REFERENCES streamers ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    url text NOT NULL CHECK (length(url) BETWEEN 8 AND 500),
    format text NOT NULL DEFAULT 'standard' CHECK (format IN ('standard', 'kofi')),
    events text[] NOT NULL CHECK (cardinality(events) > 0 AND array_position(events, NULL) IS NULL),
    secret_encrypted text NOT NULL,
    -- The one before, which signs too until then.
    former_secret_encrypted text,
    former_until timestamptz,
    off_reason text NOT NULL DEFAULT '' CHECK (off_reason IN ('', 'owner', 'gone', 'failing')),
    off_at timestamptz,
    is_on boolean GENERATED ALWAYS AS (off_reason = '') STORED,
    delivered_at timestamptz,
    failing_since timestamptz,
    -- When there is something to send, null: nothing waits. Until when somebody was asked to, and is at it.
    due_at timestamptz,
    asked_until timestamptz NOT NULL DEFAULT '-infinity',
    claimed_until timestamptz NOT NULL DEFAULT '-infinity',
    run integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((off_reason = '') = (off_at IS NULL)),
    CHECK ((former_secret_encrypted IS NULL) = (former_until IS NULL))
);
CREATE INDEX webhooks_streamer ON webhooks (streamer_id);
CREATE INDEX webhooks_due ON webhooks (due_at) WHERE due_at IS NOT NULL;

-- What is told or was, in the order of the ids. No words of donors: `data` has numbers of things and sums; the words are
-- read when it is sent, as they may leave us then.
CREATE TABLE webhook_deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id integer NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    event_id uuid NOT NULL,
    name text NOT NULL,
    data jsonb NOT NULL,
    is_test boolean NOT NULL DEFAULT false,
    occurred_at timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'failed', 'dropped')),
    -- Tried once, at once, outside the order: a test, or one sent again by hand.
    is_single boolean NOT NULL DEFAULT false,
    next_try_at timestamptz DEFAULT now(),
    tries integer NOT NULL DEFAULT 0,
    -- Of the last try.
    tried_at timestamptz,
    took_ms integer,
    http_status integer,
    error text NOT NULL DEFAULT '' CHECK (length(error) <= 40),
    detail text NOT NULL DEFAULT '' CHECK (length(detail) <= 300),
    answer text NOT NULL DEFAULT '' CHECK (length(answer) <= 1024),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (webhook_id, event_id),
    CHECK ((status = 'waiting') = (next_try_at IS NOT NULL))
);
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook_id, is_single, id) WHERE status = 'waiting';
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (webhook_id, id DESC);
CREATE INDEX webhook_deliveries_old ON webhook_deliveries (created_at);

-- migrate:down
