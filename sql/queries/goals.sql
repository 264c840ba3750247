-- name: is_running_due$
-- Whether the time of a streamer's active goal is over; null: there is none.
SELECT coalesce(ends_at <= now(), false) FROM goals WHERE streamer_id = :streamer_id AND status = 'active';

-- name: count_donation$
-- A donation was paid and belongs to the active goal, for good. True: this reaches the goal, as nothing did before.
WITH linked AS (
    UPDATE donations SET goal_id = goals.id FROM goals
    WHERE donations.id = :donation_id AND donations.goal_id IS NULL
      AND goals.streamer_id = :streamer_id AND goals.status = 'active'
    RETURNING goals.id
), counted AS (
    UPDATE goals SET given_minor = given_minor + :amount_minor::bigint FROM linked WHERE goals.id = linked.id
    RETURNING goals.id
)
SELECT goals.reached_at IS NULL AND progress.raised_minor + :amount_minor::bigint >= goals.target_minor
FROM counted JOIN goals USING (id) JOIN goal_progress progress USING (id);

-- name: count_return$
-- So much more of a donation went back (below zero: came again), whatever its goal has become.
UPDATE goals SET returned_minor = returned_minor + :delta_minor::bigint
FROM donations WHERE donations.id = :donation_id AND goals.id = donations.goal_id
RETURNING goals.id;

-- name: follow_carried$
-- Goals that start with what another has too much have just that; how many had not. The next ones may follow.
WITH moved AS (
    UPDATE goals SET carried_minor = before.surplus_minor
    FROM goal_progress before
    WHERE goals.streamer_id = :streamer_id AND before.id = goals.carried_from
      AND goals.carried_minor <> before.surplus_minor
    RETURNING goals.id
)
SELECT count(*) FROM moved;

-- name: get_running^
SELECT id, goals_go_on, is_reaching, is_over FROM running_goals WHERE streamer_id = :streamer_id;

-- name: mark_reached$
UPDATE goals SET reached_at = now() WHERE id = :goal_id AND status = 'active' AND reached_at IS NULL RETURNING id;

-- name: close_goal$
UPDATE goals SET status = CASE WHEN reached_at IS NULL THEN 'ended' ELSE 'reached' END, ended_at = now()
WHERE id = :goal_id AND streamer_id = :streamer_id AND status = 'active'
RETURNING id;

-- name: find_next$
-- The first of the planned goals; `only_timed`: of those whose own time has come.
SELECT id FROM startable_goals
WHERE streamer_id = :streamer_id AND (starts_at IS NOT NULL OR NOT :only_timed::boolean)
ORDER BY place, id LIMIT 1;

-- name: start_goal$
-- With what the goal that ended last has above its target, if the streamer wants that.
UPDATE goals
SET status = 'active', started_at = now(), starts_at = CASE WHEN starts_at <= now() THEN starts_at END,
    carried_from = before.id, carried_minor = coalesce(before.surplus_minor, 0)
FROM streamers
LEFT JOIN LATERAL (
    SELECT last.id, last.reached_at, progress.surplus_minor
    FROM goals last JOIN goal_progress progress USING (id)
    WHERE last.streamer_id = streamers.id AND last.ended_at IS NOT NULL
    ORDER BY last.ended_at DESC, last.id DESC LIMIT 1
) AS before ON streamers.goals_carry AND before.reached_at IS NOT NULL AND before.surplus_minor > 0
    AND NOT EXISTS (SELECT FROM goals other WHERE other.carried_from = before.id)
WHERE goals.id = :goal_id AND goals.streamer_id = :streamer_id AND streamers.id = goals.streamer_id
  AND goals.status = 'planned' AND (goals.ends_at IS NULL OR goals.ends_at > now())
  AND NOT EXISTS (SELECT FROM goals active WHERE active.streamer_id = :streamer_id AND active.status = 'active')
RETURNING goals.id;

-- name: insert_arrear!
-- A donation whose goal could not be moved when its money was; it belongs to the goal that is active, unless it has one.
INSERT INTO goal_arrears (donation_id, streamer_id, goal_id)
SELECT donations.id, donations.streamer_id, coalesce(donations.goal_id, goals.id)
FROM donations LEFT JOIN goals ON goals.streamer_id = donations.streamer_id AND goals.status = 'active'
                              AND (goals.ends_at IS NULL OR goals.ends_at > now())
WHERE donations.id = :donation_id
ON CONFLICT (donation_id) DO NOTHING;

-- name: lock_arrears
-- What a streamer's goals are owed; with the donations, which no refund moves meanwhile.
SELECT arrears.donation_id FROM goal_arrears arrears JOIN donations ON donations.id = arrears.donation_id
WHERE arrears.streamer_id = :streamer_id
ORDER BY donations.id LIMIT 1000 FOR NO KEY UPDATE OF donations;

-- name: link_arrears!
UPDATE donations SET goal_id = arrears.goal_id FROM goal_arrears arrears
WHERE donations.id = ANY(:donation_ids::integer[]) AND arrears.donation_id = donations.id
  AND donations.goal_id IS NULL AND arrears.goal_id IS NOT NULL AND donations.paid_at IS NOT NULL;

-- name: delete_arrears!
DELETE FROM goal_arrears WHERE donation_id = ANY(:donation_ids::integer[]);

-- name: list_unsettled
-- Streamers with a goal that something is to become of by now, or that is owed a donation.
SELECT streamer_id FROM running_goals WHERE is_reaching OR is_over
UNION
SELECT streamer_id FROM goal_arrears
UNION
SELECT streamer_id FROM startable_goals
WHERE starts_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM goals WHERE goals.streamer_id = startable_goals.streamer_id AND status = 'active')
UNION
SELECT goals.streamer_id FROM goals JOIN goal_progress before ON before.id = goals.carried_from
WHERE goals.carried_minor <> before.surplus_minor
LIMIT :limit;

-- name: recount_goals$
-- The running sums anew from the donations; how many were wrong.
WITH counted AS (
    SELECT goal_id, sum(amount_minor) AS given, sum(refunded_minor + charged_back_minor) AS returned
    FROM donations
    WHERE goal_id IN (SELECT id FROM goals WHERE streamer_id = :streamer_id) AND paid_at IS NOT NULL
    GROUP BY goal_id
), corrected AS (
    UPDATE goals SET given_minor = coalesce(counted.given, 0), returned_minor = coalesce(counted.returned, 0)
    FROM goals goal LEFT JOIN counted ON counted.goal_id = goal.id
    WHERE goals.id = goal.id AND goals.streamer_id = :streamer_id
      AND (goals.given_minor <> coalesce(counted.given, 0) OR goals.returned_minor <> coalesce(counted.returned, 0))
    RETURNING goals.id
)
SELECT count(*) FROM corrected;

-- name: list_goals
-- The active one, the planned in their order, then those that are over, the newest first.
SELECT goals.id, title, description, status, target_minor, start_minor, given_minor, returned_minor, carried_minor,
       progress.manual_minor, progress.raised_minor, starts_at, ends_at, started_at, reached_at, ended_at,
       EXISTS (SELECT FROM alerts WHERE alerts.goal_id = goals.id AND alerts.status IN ('queued', 'playing'))
           AS celebration_waits
FROM goals JOIN goal_progress progress USING (id)
WHERE streamer_id = :streamer_id AND goals.id = coalesce(:goal_id::integer, goals.id)
ORDER BY status = 'active' DESC, status = 'planned' DESC, CASE WHEN status = 'planned' THEN place END,
         ended_at DESC, id DESC
LIMIT :limit;

-- name: get_shown_goal^
-- What donors and the dashboard see: the active goal, unless its time is over.
SELECT goals.id, title, description, status, target_minor, start_minor, given_minor, returned_minor, carried_minor,
       progress.manual_minor, progress.raised_minor, starts_at, ends_at, started_at, reached_at, ended_at,
       false AS celebration_waits
FROM goals JOIN goal_progress progress USING (id)
WHERE streamer_id = :streamer_id AND status = 'active' AND (ends_at IS NULL OR ends_at > now());

-- name: count_open$
SELECT count(*) FROM goals WHERE streamer_id = :streamer_id AND status IN ('planned', 'active');

-- name: insert_goal$
INSERT INTO goals (streamer_id, title, description, target_minor, start_minor, starts_at, ends_at, place)
VALUES (:streamer_id, :title, :description, :target_minor, :start_minor, :starts_at, :ends_at,
        (SELECT coalesce(max(place), 0) + 1 FROM goals WHERE streamer_id = :streamer_id))
RETURNING id;

-- name: update_goal$
-- What is over keeps its numbers: only its words may change.
UPDATE goals
SET title = :title, description = :description,
    target_minor = CASE WHEN ended_at IS NULL THEN :target_minor ELSE target_minor END,
    start_minor = CASE WHEN ended_at IS NULL THEN :start_minor ELSE start_minor END,
    starts_at = CASE WHEN status = 'planned' THEN :starts_at::timestamptz ELSE starts_at END,
    ends_at = CASE WHEN ended_at IS NULL THEN :ends_at::timestamptz ELSE ends_at END
WHERE id = :goal_id AND streamer_id = :streamer_id
RETURNING id;

-- name: set_archived$
-- A goal that is over goes out of sight, or comes back.
UPDATE goals SET status = CASE WHEN :archived::boolean THEN 'archived' WHEN reached_at IS NULL THEN 'ended' ELSE 'reached' END
WHERE id = :goal_id AND streamer_id = :streamer_id AND ended_at IS NOT NULL
RETURNING id;

-- name: delete_goal$
-- Only one that no money and no celebration speaks of.
DELETE FROM goals USING goal_progress progress
WHERE goals.id = :goal_id AND goals.streamer_id = :streamer_id AND progress.id = goals.id
  AND goals.reached_at IS NULL AND goals.carried_from IS NULL AND progress.manual_minor = 0
  AND NOT EXISTS (SELECT FROM donations WHERE donations.goal_id = goals.id)
  AND NOT EXISTS (SELECT FROM goal_arrears WHERE goal_arrears.goal_id = goals.id)
RETURNING goals.id;

-- name: list_planned_ids
SELECT id FROM goals WHERE streamer_id = :streamer_id AND status = 'planned' ORDER BY place, id;

-- name: order_planned!
UPDATE goals SET place = wished.place
FROM unnest(:goal_ids::integer[]) WITH ORDINALITY AS wished (id, place)
WHERE goals.id = wished.id AND goals.streamer_id = :streamer_id AND goals.status = 'planned';

-- name: get_settings^
SELECT goals_go_on AS goes_on, goals_carry AS carries FROM streamers WHERE id = :streamer_id;

-- name: set_settings!
UPDATE streamers SET goals_go_on = :goes_on, goals_carry = :carries WHERE id = :streamer_id;
