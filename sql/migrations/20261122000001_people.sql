-- migrate:up

-- Ids are integers (API v1 shows them, below 2^31); what strangers see is a random public id beside them.

CREATE TABLE users (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL CHECK (email = lower(email) AND length(email) BETWEEN 3 AND 254),
    password_hash text NOT NULL,
    is_superuser boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (email)
);

-- A signed-in browser. The cookie holds the token, this table only its SHA-256.
CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    user_agent text NOT NULL DEFAULT ''
);
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE streamers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_id integer NOT NULL UNIQUE REFERENCES users,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?$'),
    display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 60),
    about text NOT NULL DEFAULT '' CHECK (length(about) <= 500),
    -- A zone this server does not know would stop every payment of its streamer: refused here, with an error.
    time_zone text NOT NULL DEFAULT 'Europe/Moscow'
        CHECK (timestamptz '2026-01-01 00:00+00' AT TIME ZONE time_zone IS NOT NULL),
    currency text NOT NULL DEFAULT 'RUB' CHECK (currency = 'RUB'),
    min_amount_minor bigint NOT NULL DEFAULT 1000,
    max_amount_minor bigint NOT NULL DEFAULT 1500000,
    preset_amounts_minor bigint[] NOT NULL DEFAULT '{10000,30000,50000,100000}'
        CHECK (cardinality(preset_amounts_minor) BETWEEN 0 AND 6),
    message_max_length integer NOT NULL DEFAULT 300 CHECK (message_max_length BETWEEN 0 AND 1000),
    -- Alert settings: how long one may stay, and how long the queue waits after an overlay was away.
    alert_min_seconds integer NOT NULL DEFAULT 5 CHECK (alert_min_seconds BETWEEN 3 AND 60),
    alert_max_seconds integer NOT NULL DEFAULT 25 CHECK (alert_max_seconds BETWEEN 3 AND 120),
    overlay_return_seconds integer NOT NULL DEFAULT 15 CHECK (overlay_return_seconds BETWEEN 0 AND 300),
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (min_amount_minor BETWEEN 1000 AND max_amount_minor),
    CHECK (max_amount_minor <= 100000000),
    CHECK (alert_min_seconds <= alert_max_seconds)
);

-- migrate:down
