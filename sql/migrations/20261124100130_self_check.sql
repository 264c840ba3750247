-- migrate:up

-- What `self_check` found, one row a run. A row is also the wish for a run: written first, and claimed by who does it.
CREATE TABLE self_checks (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    depth text NOT NULL CHECK (depth IN ('recent', 'full')),
    asked_at timestamptz NOT NULL DEFAULT now(),
    -- Null: the schedule, or the command line.
    asked_by integer REFERENCES users,
    started_at timestamptz,
    finished_at timestamptz,
    -- A list of {"rule", "found", "examples"}, one for each rule that was looked at.
    results jsonb,
    CHECK ((finished_at IS NULL) = (results IS NULL)),
    CHECK (finished_at IS NULL OR started_at IS NOT NULL)
);

-- Whether something was offered lately; its rows are written in this order, and BRIN leaves updates alone.
CREATE INDEX alert_leases_offered ON alert_leases USING brin (offered_at);

-- migrate:down
