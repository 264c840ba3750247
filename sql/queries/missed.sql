-- name: get_missed^
-- What the streamer is asked about: alerts that waited when the asking began, and still do.
SELECT question.asking_since, question.postponed, count(*)::integer AS alerts,
       sum(alert.amount_minor)::bigint AS amount_minor, sum(alert.duration_ms)::bigint AS duration_ms
FROM questions question
JOIN alerts alert ON alert.streamer_id = question.streamer_id AND alert.playable_at <= question.asking_since
     AND is_askable(alert)
WHERE question.streamer_id = :streamer_id
GROUP BY question.asking_since, question.postponed;

-- name: answer_missed$
-- The question is answered; returns when it was asked, or null when nobody was asking.
WITH asked AS (
    SELECT asking_since FROM speakers WHERE streamer_id = :streamer_id AND asking_since IS NOT NULL FOR UPDATE
), answered AS (
    UPDATE speakers
    SET asking_since = CASE WHEN :postponed::boolean THEN speakers.asking_since END, postponed = :postponed::boolean,
        resume_at = NULL
    FROM asked WHERE speakers.streamer_id = :streamer_id
)
SELECT asking_since FROM asked;

-- name: drop_missed
-- Those alone that the streamer was asked about, and tests and her programs' own alerts among them, which are of their
-- moment; `only_tests` leaves the donations. A goal that was reached is celebrated whatever the answer is.
WITH waiting AS (
    SELECT id FROM alerts
    WHERE streamer_id = :streamer_id AND status = 'queued' AND summary_id IS NULL AND playable_at <= :asked_at
      AND kind <> 'goal' AND (kind IN ('test', 'custom') OR NOT :only_tests::boolean)
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE alerts SET status = 'dropped', finished_at = now()
FROM waiting WHERE alerts.id = waiting.id AND alerts.status = 'queued'
RETURNING alerts.id, alerts.kind;

-- name: insert_summary$
-- A summary of the missed donations, those written down by hand too, filled by refresh_summary; no row when none is left
-- to sum up.
INSERT INTO alerts (streamer_id, kind, status, place, playable_at, amount_minor, duration_ms)
SELECT streamers.id, 'summary', 'queued', nextval('alert_places'), now(), 1, alert_min_seconds * 1000
FROM streamers
WHERE streamers.id = :streamer_id AND EXISTS (
    SELECT FROM alerts missed WHERE missed.streamer_id = :streamer_id AND missed.status = 'queued'
      AND missed.kind IN ('donation', 'manual') AND missed.summary_id IS NULL AND missed.playable_at <= :asked_at)
RETURNING id;

-- name: join_summary!
UPDATE alerts SET summary_id = :summary_id
WHERE streamer_id = :streamer_id AND status = 'queued' AND kind IN ('donation', 'manual') AND summary_id IS NULL
  AND playable_at <= :asked_at;

-- name: move_goals_back!
-- A missed celebration comes after the summary of the donations that reached its goal.
UPDATE alerts SET place = nextval('alert_places')
WHERE streamer_id = :streamer_id AND kind = 'goal' AND status = 'queued' AND playable_at <= :asked_at;
