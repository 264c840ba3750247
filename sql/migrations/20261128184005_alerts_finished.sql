-- migrate:up

-- Alerts that ended, by their time.
CREATE INDEX alerts_finished ON alerts (streamer_id, finished_at) WHERE finished_at IS NOT NULL;

-- migrate:down
