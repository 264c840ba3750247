-- migrate:up

-- A form sent twice writes down one.
ALTER TABLE manual_donations ADD COLUMN form_key text CHECK (length(form_key) BETWEEN 16 AND 64);
CREATE UNIQUE INDEX manual_donations_form ON manual_donations (streamer_id, form_key) WHERE form_key IS NOT NULL;

-- A selection of donations being made a file, and the file for a week after. `words` are those of the file, in the
-- language it was asked for in. A worker holds it by `run` and renews next_try_at; from then on another may begin anew.
CREATE TABLE exports (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id text NOT NULL UNIQUE CHECK (length(public_id) >= 22),
    streamer_id integer NOT NULL REFERENCES streamers,
    user_id integer REFERENCES users ON DELETE SET NULL,
    format text NOT NULL CHECK (format IN ('csv', 'xlsx')),
    filters jsonb NOT NULL,
    words jsonb NOT NULL,
    time_zone text NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    run uuid,
    tries integer NOT NULL DEFAULT 0,
    rows_done integer NOT NULL DEFAULT 0,
    rows_total integer,
    bytes bigint NOT NULL DEFAULT 0,
    next_try_at timestamptz DEFAULT now() + interval '30 seconds',
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((run IS NOT NULL) = (state = 'running')),
    CHECK ((finished_at IS NOT NULL) = (state IN ('done', 'failed', 'cancelled'))),
    CHECK ((next_try_at IS NULL) = (state IN ('done', 'failed', 'cancelled')))
);
CREATE UNIQUE INDEX exports_one_open ON exports (streamer_id) WHERE state IN ('queued', 'running');
CREATE INDEX exports_streamer ON exports (streamer_id, id DESC);
CREATE INDEX exports_due ON exports (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX exports_user ON exports (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE export_chunks (
    export_id integer NOT NULL REFERENCES exports ON DELETE CASCADE,
    number integer NOT NULL CHECK (number >= 0),
    body bytea NOT NULL,
    PRIMARY KEY (export_id, number)
);

-- migrate:down
