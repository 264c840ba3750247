-- migrate:up

-- Left out of public lists and of the best donors, at the streamer's wish.
ALTER TABLE donations ADD COLUMN hidden_at timestamptz;

-- Whether a name has given before a period.
CREATE INDEX donations_by_name ON donations (streamer_id, lower(public_donor_name), paid_at)
    WHERE paid_at IS NOT NULL AND public_donor_name IS NOT NULL;

-- What was counted of a period and are many, kept for a while. Never the truth: it may be deleted (decision 0028).
CREATE TABLE statistics_counts (
    streamer_id integer NOT NULL REFERENCES streamers ON DELETE CASCADE,
    first_day date NOT NULL,
    last_day date NOT NULL,
    time_zone text NOT NULL,
    counted jsonb NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT now(),
    good_until timestamptz NOT NULL,
    PRIMARY KEY (streamer_id, first_day, last_day),
    CHECK (first_day <= last_day)
);

-- migrate:down
