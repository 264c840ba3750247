-- migrate:up

-- What bots missed is read by the time it happened. An index each, in a file of its own: none is built under another's lock.
CREATE INDEX donations_retold ON donations (streamer_id, retold_at) WHERE retold_at IS NOT NULL;

-- migrate:down
