-- migrate:up

-- The same name again is the same alert.
CREATE UNIQUE INDEX alerts_external_id ON alerts (streamer_id, external_id) WHERE external_id IS NOT NULL;

-- migrate:down
