-- name: insert_hold$
-- Beside an alert that was queued as held a moment ago. Returns the alert's id.
INSERT INTO holds (alert_id, streamer_id, donation_id, reason, matches, approved_name, approved_message, quiet_name,
                   decide_by, outcome)
SELECT alerts.id, alerts.streamer_id, alerts.donation_id, :reason, :matches, :approved_name, :approved_message,
       :quiet_name, now() + make_interval(mins => :hold_minutes), :outcome
FROM alerts WHERE alerts.donation_id = :donation_id AND alerts.kind = 'donation' AND alerts.status = 'held'
RETURNING alert_id;

-- name: list_holds
-- What waits for a decision, oldest first, and what was decided a moment ago and may still be undone.
SELECT alerts.alert_id, donations.public_id, donations.donor_name, donations.message, alerts.amount_minor,
       holds.donation_id, holds.reason, holds.matches, holds.held_at, holds.outcome, holds.decision, holds.by_kind,
       holds.by_name, extract(epoch FROM holds.decide_by - now())::float8 AS left_seconds,
       extract(epoch FROM holds.takes_effect_at - now())::float8 AS undo_seconds
FROM holds JOIN alerts ON alerts.id = holds.alert_id JOIN donations ON donations.id = holds.donation_id
WHERE holds.streamer_id = :streamer_id AND holds.settled_at IS NULL AND alerts.status = 'held' AND is_paid(alerts)
ORDER BY holds.held_at, holds.alert_id LIMIT :limit;

-- name: count_holds$
SELECT count(*)::integer
FROM holds JOIN alerts ON alerts.id = holds.alert_id
WHERE holds.streamer_id = :streamer_id AND holds.settled_at IS NULL AND holds.decision IS NULL
  AND alerts.status = 'held' AND is_paid(alerts);

-- name: decide^
-- The first to decide decides; the alert keeps waiting until nobody can undo it any more.
UPDATE holds
SET decision = :decision, by_kind = :by_kind, by_id = :by_id, by_name = :by_name,
    takes_effect_at = now() + make_interval(secs => :undo_seconds)
FROM alerts
WHERE alerts.id = holds.alert_id AND alerts.streamer_id = :streamer_id AND alerts.alert_id = :alert_id
  AND alerts.status = 'held' AND holds.decision IS NULL AND holds.settled_at IS NULL
RETURNING holds.alert_id, holds.donation_id, holds.reason;

-- name: get_decided^
-- Who was first.
SELECT holds.decision, holds.by_kind, holds.by_name
FROM holds JOIN alerts ON alerts.id = holds.alert_id
WHERE alerts.streamer_id = :streamer_id AND alerts.alert_id = :alert_id;

-- name: find_held_donation^
SELECT holds.donation_id, donations.public_id
FROM holds JOIN alerts ON alerts.id = holds.alert_id JOIN donations ON donations.id = holds.donation_id
WHERE alerts.streamer_id = :streamer_id AND alerts.alert_id = :alert_id AND alerts.status = 'held'
  AND holds.settled_at IS NULL;

-- name: undo^
-- Only before it took effect. A deadline that passed meanwhile leaves another minute to decide.
UPDATE holds
SET decision = NULL, by_kind = NULL, by_id = NULL, by_name = '', takes_effect_at = NULL,
    decide_by = greatest(decide_by, now() + interval '1 minute')
FROM alerts
WHERE alerts.id = holds.alert_id AND alerts.streamer_id = :streamer_id AND alerts.alert_id = :alert_id
  AND alerts.status = 'held' AND holds.decision IS NOT NULL AND holds.settled_at IS NULL
RETURNING holds.alert_id, holds.donation_id, holds.reason,
          extract(epoch FROM holds.decide_by - now())::float8 AS left_seconds;

-- name: get_donation_id$
SELECT donation_id FROM alerts WHERE id = :alert_id;

-- name: open_missing^
-- A held alert that has no hold, or only one that is settled, gets one: as if its texts could not be judged. No row when
-- nothing is amiss.
INSERT INTO holds (alert_id, streamer_id, donation_id, reason, approved_name, approved_message, decide_by, outcome)
SELECT alerts.id, alerts.streamer_id, alerts.donation_id, :reason, donations.donor_name, donations.message,
       now() + make_interval(mins => :hold_minutes), :outcome
FROM alerts JOIN donations ON donations.id = alerts.donation_id
WHERE alerts.id = :alert_id AND alerts.status = 'held' AND is_paid(alerts)
ON CONFLICT (alert_id) DO UPDATE
SET reason = excluded.reason, matches = '[]', approved_name = excluded.approved_name,
    approved_message = excluded.approved_message, quiet_name = NULL, held_at = now(), decide_by = excluded.decide_by,
    outcome = excluded.outcome, decision = NULL, by_kind = NULL, by_id = NULL, by_name = '', takes_effect_at = NULL,
    settled_at = NULL
WHERE holds.settled_at IS NOT NULL
RETURNING alert_id, streamer_id, donation_id;

-- name: claim_due^
-- A hold whose decision takes effect now, or whose deadline passed without one; it is settled by whoever gets the row.
UPDATE holds SET settled_at = now()
WHERE holds.alert_id = :alert_id AND holds.settled_at IS NULL
  AND (holds.takes_effect_at <= now() OR holds.decision IS NULL AND holds.decide_by <= now())
RETURNING holds.alert_id, holds.streamer_id, holds.donation_id, holds.reason, holds.decision, holds.by_kind,
          holds.by_id, holds.by_name, holds.approved_name, holds.approved_message, holds.quiet_name, holds.outcome,
          (SELECT alerts.alert_id FROM alerts WHERE alerts.id = holds.alert_id) AS public_alert_id,
          (SELECT donations.hidden_at IS NOT NULL FROM donations WHERE donations.id = holds.donation_id) AS is_hidden;

-- name: list_due
-- Holds that should have been settled some seconds ago: whoever was to do it did not.
SELECT alert_id FROM holds
WHERE settled_at IS NULL AND (takes_effect_at < now() - interval '5 seconds'
                              OR decision IS NULL AND decide_by < now() - interval '5 seconds')
ORDER BY decide_by LIMIT :limit;

-- name: list_missing
-- Held alerts without an open hold.
SELECT alerts.id AS alert_id FROM alerts
WHERE alerts.status = 'held' AND is_paid(alerts)
  AND NOT EXISTS (SELECT FROM holds WHERE holds.alert_id = alerts.id AND holds.settled_at IS NULL)
ORDER BY alerts.id LIMIT :limit;

-- name: set_alert_text!
-- What a held alert will be shown with.
UPDATE alerts
SET donor_name = :donor_name, message = :message,
    duration_ms = alert_duration_ms(streamers, alerts.amount_minor, :message)
FROM streamers
WHERE alerts.id = :alert_id AND alerts.status = 'held' AND streamers.id = alerts.streamer_id;

-- name: lock_hold^
-- A hold nobody has decided on, for judging it anew.
SELECT holds.alert_id, holds.donation_id, holds.reason, alerts.amount_minor
FROM holds JOIN alerts ON alerts.id = holds.alert_id
WHERE alerts.streamer_id = :streamer_id AND alerts.alert_id = :alert_id AND alerts.status = 'held'
  AND holds.decision IS NULL AND holds.settled_at IS NULL
FOR UPDATE OF holds;

-- name: list_open_holds
-- All of a streamer's that nobody has decided on, for judging them anew.
SELECT alerts.alert_id
FROM holds JOIN alerts ON alerts.id = holds.alert_id
WHERE holds.streamer_id = :streamer_id AND holds.decision IS NULL AND holds.settled_at IS NULL
  AND alerts.status = 'held' AND holds.reason IN ('rules', 'approve')
ORDER BY holds.alert_id LIMIT :limit;

-- name: rejudge!
UPDATE holds
SET matches = :matches, approved_name = :approved_name, approved_message = :approved_message, quiet_name = :quiet_name
WHERE alert_id = :alert_id AND decision IS NULL AND settled_at IS NULL;

-- name: decide_now!
-- Nothing is left to decide: it is settled at the next look.
UPDATE holds SET decision = 'show', by_kind = :by_kind, by_id = :by_id, by_name = :by_name, takes_effect_at = now()
WHERE alert_id = :alert_id AND decision IS NULL AND settled_at IS NULL;

-- name: delete_settled!
-- Their story stays in moderation_decisions.
DELETE FROM holds WHERE settled_at < now() - interval '1 day';
