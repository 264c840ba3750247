-- Runs of the rules: asked for, done by who claims one, kept with what they found.

-- name: try_hold_runs$
-- One run at a time; held until the connection closes.
SELECT pg_try_advisory_lock(:lock);

-- name: ask_for_run$
INSERT INTO self_checks (depth, asked_by) VALUES (:depth, :asked_by) RETURNING id;

-- name: find_waiting_run$
-- One of this depth that was asked for and has not begun.
SELECT max(id) FROM self_checks WHERE depth = :depth AND started_at IS NULL AND asked_at > now() - interval '5 minutes';

-- name: ask_due_runs
-- The schedule: recent each five minutes, full once after each four o'clock at night in Moscow. A full run that was
-- asked for and never finished is asked for again. The caller lets only one in at a time.
INSERT INTO self_checks (depth)
SELECT due.depth
FROM (VALUES ('recent', now() - interval '5 minutes'),
             ('full', (date_trunc('day', (now() AT TIME ZONE 'Europe/Moscow') - interval '4 hours')
                       + interval '4 hours') AT TIME ZONE 'Europe/Moscow')) AS due (depth, since)
WHERE NOT EXISTS (
    SELECT FROM self_checks
    WHERE self_checks.depth IN (due.depth, 'full') AND self_checks.asked_at > due.since
      AND (self_checks.finished_at IS NOT NULL OR self_checks.asked_at > now() - interval '30 minutes'))
RETURNING id;

-- name: claim_run^
UPDATE self_checks SET started_at = now()
WHERE id = :run_id AND finished_at IS NULL AND (started_at IS NULL OR started_at < now() - interval '15 minutes')
RETURNING id, depth;

-- name: finish_run!
UPDATE self_checks SET finished_at = now(), results = :results WHERE id = :run_id AND finished_at IS NULL;

-- name: delete_old_runs!
-- The last 200 stay, and the last full one.
DELETE FROM self_checks
WHERE id <= (SELECT id FROM self_checks ORDER BY id DESC OFFSET 200 LIMIT 1)
  AND id <> coalesce((SELECT max(id) FROM self_checks WHERE depth = 'full' AND finished_at IS NOT NULL), 0);

-- name: list_runs_since_full
-- The last full run that finished and every one after it, oldest first; without one, all there are.
SELECT id, depth, asked_at, started_at, finished_at, results,
       extract(epoch FROM finished_at - started_at)::float8 AS took_seconds,
       extract(epoch FROM now() - finished_at)::float8 AS age_seconds
FROM self_checks
WHERE finished_at IS NOT NULL
  AND id >= coalesce((SELECT max(id) FROM self_checks WHERE depth = 'full' AND finished_at IS NOT NULL), 0)
ORDER BY id;

-- name: get_progress^
SELECT finished_at IS NOT NULL AS is_finished, extract(epoch FROM now() - asked_at)::float8 AS waited_seconds
FROM self_checks WHERE id = :run_id;
