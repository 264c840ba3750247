-- migrate:up

-- Decisions, by their time.
CREATE INDEX holds_settled ON holds (streamer_id, settled_at) WHERE settled_at IS NOT NULL;

-- migrate:down
