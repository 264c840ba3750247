-- name: insert_export^
-- No row while another of the streamer's is being made.
INSERT INTO exports (public_id, streamer_id, user_id, format, filters, words, time_zone)
VALUES (:public_id, :streamer_id, :user_id, :format, :filters, :words, :time_zone)
ON CONFLICT (streamer_id) WHERE state IN ('queued', 'running') DO NOTHING
RETURNING id;

-- name: list_exports
-- A streamer's files, the newest first.
SELECT id, public_id, format, filters, words ->> 'told' AS told, state, rows_done, rows_total, bytes, created_at, finished_at
FROM exports WHERE streamer_id = :streamer_id ORDER BY id DESC LIMIT :limit;

-- name: find_export^
SELECT id, public_id, format, filters, words ->> 'told' AS told, state, rows_done, rows_total, bytes, created_at, finished_at
FROM exports WHERE streamer_id = :streamer_id AND public_id = :public_id;

-- name: cancel$
UPDATE exports SET state = 'cancelled', run = NULL, next_try_at = NULL, finished_at = now()
WHERE streamer_id = :streamer_id AND public_id = :public_id AND state IN ('queued', 'running')
RETURNING id;

-- name: claim^
-- To make it, if nobody does or whoever did is silent. What came of a former try is counted anew.
UPDATE exports
SET state = 'running', run = gen_random_uuid(), tries = tries + 1, rows_done = 0,
    next_try_at = now() + interval '60 seconds'
WHERE id = :export_id AND tries < :most_tries AND (state = 'queued' OR state = 'running' AND next_try_at < now())
RETURNING id, streamer_id, user_id, run, format, filters, words, time_zone, created_at;

-- name: delete_chunks!
DELETE FROM export_chunks WHERE export_id = :export_id;

-- name: renew$
-- It is still being made, by this run; null when it is not.
UPDATE exports
SET rows_done = :rows_done, rows_total = coalesce(:rows_total, rows_total), next_try_at = now() + interval '60 seconds'
WHERE id = :export_id AND run = :run
RETURNING id;

-- name: insert_chunk$
-- A part of the file, if this run still makes it. The lock keeps another run from beginning in the middle.
WITH held AS (SELECT id FROM exports WHERE id = :export_id AND run = :run FOR SHARE)
INSERT INTO export_chunks (export_id, number, body) SELECT id, :number, :body FROM held
RETURNING export_id;

-- name: finish$
UPDATE exports
SET state = 'done', run = NULL, rows_done = :rows_done, rows_total = :rows_done, bytes = :bytes, next_try_at = NULL,
    finished_at = now()
WHERE id = :export_id AND run = :run
RETURNING id;

-- name: let_go!
-- It went wrong: another try may begin soon.
UPDATE exports SET state = 'queued', run = NULL, next_try_at = now() + interval '10 seconds'
WHERE id = :export_id AND run = :run;

-- name: give_up!
-- What failed as often as it may.
UPDATE exports SET state = 'failed', run = NULL, next_try_at = NULL, finished_at = now()
WHERE next_try_at < now() AND tries >= :most_tries;

-- name: list_due
SELECT id, format FROM exports WHERE next_try_at < now() ORDER BY next_try_at LIMIT 100;

-- name: get_chunk$
SELECT body FROM export_chunks WHERE export_id = :export_id AND number = :number;
