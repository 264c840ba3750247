-- migrate:up

-- What a streamer collects for. How far it is comes from the facts (view goal_progress): money that was there before,
-- what the goal before it had too much, donations less what went back, and what she wrote down by hand.
CREATE TABLE goals (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    streamer_id integer NOT NULL REFERENCES streamers,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 60),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 300),
    status text NOT NULL DEFAULT 'planned' CHECK (status IN ('planned', 'active', 'reached', 'ended', 'archived')),
    -- The planned ones start in this order.
    place integer NOT NULL,
    currency text NOT NULL DEFAULT 'RUB' CHECK (currency = 'RUB'),
    target_minor bigint NOT NULL CHECK (target_minor BETWEEN 100 AND 9999999999),
    start_minor bigint NOT NULL DEFAULT 0 CHECK (start_minor BETWEEN 0 AND 9999999999),
    -- Running sums of the donations that have this goal_id, kept with the totals; the self-check counts them anew.
    -- No sign is demanded of them: a booking is never refused for a goal's sake.
    given_minor bigint NOT NULL DEFAULT 0,
    returned_minor bigint NOT NULL DEFAULT 0,
    -- What the goal before has above its target, which later refunds change.
    carried_minor bigint NOT NULL DEFAULT 0 CHECK (carried_minor >= 0),
    carried_from integer UNIQUE REFERENCES goals,
    starts_at timestamptz,
    ends_at timestamptz,
    started_at timestamptz,
    -- Once, and for good: what goes back later does not undo it.
    reached_at timestamptz,
    ended_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, streamer_id),
    CHECK (ends_at > starts_at),
    CHECK (carried_minor = 0 OR carried_from IS NOT NULL),
    CHECK ((started_at IS NULL) = (status = 'planned')),
    CHECK ((ended_at IS NOT NULL) = (status IN ('reached', 'ended', 'archived'))),
    CHECK (status <> 'reached' OR reached_at IS NOT NULL),
    CHECK (reached_at IS NULL OR started_at IS NOT NULL)
);
CREATE UNIQUE INDEX goals_one_active ON goals (streamer_id) WHERE status = 'active';
CREATE INDEX goals_of_streamer ON goals (streamer_id, id DESC);
CREATE INDEX goals_starting ON goals (starts_at) WHERE status = 'planned' AND starts_at IS NOT NULL;

ALTER TABLE streamers
    -- When a goal is reached or over, the first planned one starts.
    ADD COLUMN goals_go_on boolean NOT NULL DEFAULT false,
    -- What a goal has above its target is where the next one starts.
    ADD COLUMN goals_carry boolean NOT NULL DEFAULT true;

-- The goal that was active when the donation was paid; written with the booking and never moved.
ALTER TABLE donations
    ADD COLUMN goal_id integer,
    ADD FOREIGN KEY (goal_id, streamer_id) REFERENCES goals (id, streamer_id);
CREATE INDEX donations_goal ON donations (goal_id) WHERE goal_id IS NOT NULL;

-- Money written down by hand belongs to the goal that was active when it was written down.
CREATE INDEX manual_donations_written ON manual_donations (streamer_id, created_at) INCLUDE (amount_minor)
    WHERE deleted_at IS NULL;

CREATE VIEW goal_progress AS
SELECT goals.id, manual.minor AS manual_minor, sums.raised_minor,
       greatest(sums.raised_minor - goals.target_minor, 0) AS surplus_minor
FROM goals
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount_minor), 0)::bigint AS minor FROM manual_donations
    WHERE manual_donations.streamer_id = goals.streamer_id AND manual_donations.deleted_at IS NULL
      AND manual_donations.created_at >= goals.started_at
      AND (goals.ended_at IS NULL OR manual_donations.created_at < goals.ended_at)
) AS manual
CROSS JOIN LATERAL (
    SELECT goals.start_minor + goals.carried_minor + goals.given_minor - goals.returned_minor + manual.minor
        AS raised_minor
) AS sums;

-- Planned goals that may start now.
CREATE VIEW startable_goals AS
SELECT id, streamer_id, place, starts_at FROM goals
WHERE status = 'planned' AND (starts_at IS NULL OR starts_at <= now()) AND (ends_at IS NULL OR ends_at > now());

-- The active goals and what is to become of them.
CREATE VIEW running_goals AS
SELECT goals.id, goals.streamer_id, streamers.goals_go_on,
       goals.reached_at IS NULL AND progress.raised_minor >= goals.target_minor AS is_reaching,
       coalesce(goals.ends_at <= now(), false)
           OR (goals.reached_at IS NOT NULL AND streamers.goals_go_on
               AND EXISTS (SELECT FROM startable_goals next WHERE next.streamer_id = goals.streamer_id)) AS is_over
FROM goals
JOIN streamers ON streamers.id = goals.streamer_id
JOIN goal_progress progress ON progress.id = goals.id
WHERE goals.status = 'active';

-- A goal's celebration is an alert like any other: it waits, is shown once and survives all that alerts survive.
ALTER TABLE alerts
    DROP CONSTRAINT alerts_kind_check,
    ADD CONSTRAINT alerts_kind_check CHECK (kind IN ('donation', 'replay', 'test', 'summary', 'goal')),
    ADD COLUMN goal_id integer REFERENCES goals,
    ADD CHECK ((goal_id IS NOT NULL) = (kind = 'goal'));
CREATE UNIQUE INDEX alerts_one_per_goal ON alerts (goal_id) WHERE goal_id IS NOT NULL;

-- Whether a streamer who was away is asked about this alert. Tests are nobody's loss, and a goal brings no money.
CREATE OR REPLACE FUNCTION is_askable(alert alerts) RETURNS boolean LANGUAGE sql STABLE
RETURN alert.status = 'queued' AND alert.summary_id IS NULL AND alert.kind NOT IN ('test', 'goal') AND is_paid(alert);

-- migrate:down
