-- migrate:up

-- What the relay has to publish: facts (events) and wishes to act (tasks), written with the rows they speak of.
CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('event', 'task')),
    -- An event's type or an actor's name, both from domain/events.py.
    name text NOT NULL,
    data jsonb NOT NULL,
    event_id uuid NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now(),
    available_at timestamptz NOT NULL DEFAULT now(),
    tries integer NOT NULL DEFAULT 0,
    last_error text NOT NULL DEFAULT ''
);
CREATE INDEX outbox_available ON outbox (available_at, id);
-- Rows live for milliseconds: vacuum by count, not by share.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

-- migrate:down
