-- migrate:up

-- The relays that live, and what each of them knows; one whose renewed_at is old is dead or cut off.
CREATE TABLE relays (
    id uuid PRIMARY KEY,
    -- Whether NOTIFY wakes it; otherwise it looks each second.
    listening boolean NOT NULL,
    -- Messages that no retry may try again, when it counted them last; null while the broker is away.
    dead_letters integer CHECK (dead_letters >= 0),
    started_at timestamptz NOT NULL DEFAULT now(),
    renewed_at timestamptz NOT NULL DEFAULT now()
);

-- migrate:down
