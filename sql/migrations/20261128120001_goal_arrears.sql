-- migrate:up

-- Donations whose goal could not be moved when their money was booked: money is never kept waiting for a goal. The next
-- sweep makes up for it. `goal_id` is the goal they belong to; null: none was active.
CREATE TABLE goal_arrears (
    donation_id integer PRIMARY KEY,
    streamer_id integer NOT NULL,
    goal_id integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (donation_id, streamer_id) REFERENCES donations (id, streamer_id),
    FOREIGN KEY (goal_id, streamer_id) REFERENCES goals (id, streamer_id)
);
CREATE INDEX goal_arrears_streamer ON goal_arrears (streamer_id);

-- migrate:down
