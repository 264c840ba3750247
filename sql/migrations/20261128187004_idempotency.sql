-- migrate:up

-- Requests of the API that name themselves (`Idempotency-Key`), and what they were answered, for a day: the same request
-- again gets the same answer and does nothing.
CREATE TABLE idempotency_keys (
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    -- The access token that called; 0: the person herself.
    key_id integer NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    -- Of the method, the path and the body.
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    -- Who works on it: a process that died is replaced by another attempt.
    attempt uuid NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now(),
    -- When what it asks for was done; committed together with it.
    acted_at timestamptz,
    status smallint,
    headers jsonb,
    body bytea,
    PRIMARY KEY (user_id, key_id, key),
    CHECK ((status IS NULL) = (body IS NULL)),
    CHECK ((status IS NULL) = (headers IS NULL)),
    CHECK (status IS NULL OR acted_at IS NOT NULL)
);
CREATE INDEX idempotency_keys_begun ON idempotency_keys (begun_at);

-- migrate:down
