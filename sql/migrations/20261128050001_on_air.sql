-- migrate:up

-- The on-air mode hides what must not be seen on a shared screen (decision 0028).

-- Whether OBS streams, as this overlay's page heard from it.
ALTER TABLE overlays ADD COLUMN streaming boolean NOT NULL DEFAULT false;

-- Since when a streamer's OBS streams, and since when no overlay is left that could say so.
ALTER TABLE speakers
    ADD COLUMN streaming_since timestamptz,
    ADD COLUMN streaming_left_at timestamptz,
    ADD CONSTRAINT speakers_streaming_left CHECK (streaming_left_at IS NULL OR streaming_since IS NOT NULL);

-- What a person chose last, and when: a stream that begins later than that overrules it.
ALTER TABLE users
    ADD COLUMN on_air boolean NOT NULL DEFAULT false,
    ADD COLUMN on_air_chosen_at timestamptz;

-- migrate:down
