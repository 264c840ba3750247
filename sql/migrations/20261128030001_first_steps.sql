-- migrate:up

-- What a new streamer decided on the way through the first steps. Most of the progress is read from facts: a page, an
-- alert that was shown, a terminal. No row: nothing decided yet.
CREATE TABLE first_steps (
    streamer_id integer PRIMARY KEY REFERENCES streamers ON DELETE CASCADE,
    payee text CHECK (payee IN ('business', 'npd', 'nobody')),
    skipped text[] NOT NULL DEFAULT '{}' CHECK (skipped <@ ARRAY['page', 'obs', 'alert', 'money']),
    -- When the step about the page was saved, with or without words in it.
    page_saved_at timestamptz,
    -- When OBS was first seen: a fact that nothing else remembers once it has left.
    obs_seen_at timestamptz,
    -- "Do not remind me": the card on the dashboard is gone.
    dismissed_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- migrate:down
