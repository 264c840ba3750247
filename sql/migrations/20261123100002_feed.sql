-- migrate:up

-- The feed is in the order the money came: donations_paid, and the few under review beside it.
CREATE INDEX donations_review ON donations (streamer_id) WHERE status = 'review';
DROP INDEX donations_feed;

-- migrate:down
