-- name: lock_files!
-- One change of a streamer's files at a time, until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtext('media files'), :streamer_id);

-- name: sum_up^
-- What counts towards a streamer's limits.
SELECT count(*) AS files, coalesce(sum(size), 0)::bigint AS bytes
FROM media_files WHERE streamer_id = :streamer_id AND state <> 'refused';

-- name: find_same^
SELECT id, public_id, streamer_id, kind, content_type, name, state, refusal, size, width, height, frames, seconds, created_at
FROM media_files
WHERE streamer_id = :streamer_id AND uploaded_sha256 = :sha256 AND state <> 'refused';

-- name: note_told!
-- Whoever brought it knows why it was refused: it is not listed, and goes with the retention. Until then it is there for
-- others who wait for the same bytes.
UPDATE media_files SET told_at = now()
WHERE streamer_id = :streamer_id AND uploaded_sha256 = :sha256 AND state = 'refused' AND told_at IS NULL;

-- name: note_one_told!
UPDATE media_files SET told_at = now() WHERE id = :file_id AND state = 'refused' AND told_at IS NULL;

-- name: insert_file^
INSERT INTO media_files (public_id, streamer_id, content_type, name, uploaded_sha256, content)
VALUES (:public_id, :streamer_id, :content_type, :name, :sha256, :content)
RETURNING id, public_id, streamer_id, kind, content_type, name, state, refusal, size, width, height, frames, seconds, created_at;

-- name: list_files
-- The newest first; without those that were refused and told of.
SELECT id, public_id, streamer_id, kind, content_type, name, state, refusal, size, width, height, frames, seconds, created_at
FROM media_files WHERE streamer_id = :streamer_id AND told_at IS NULL ORDER BY id DESC;

-- name: list_ready
-- They stay until the end of the transaction: whoever deletes one waits.
SELECT public_id, content_type, kind FROM media_files
WHERE streamer_id = :streamer_id AND state = 'ready' ORDER BY id FOR KEY SHARE;

-- name: find_file^
SELECT id, public_id, streamer_id, kind, content_type, name, state, refusal, size, width, height, frames, seconds, created_at
FROM media_files WHERE streamer_id = :streamer_id AND public_id = :public_id;

-- name: lock_file^
-- To delete it: settings that take it into use at this moment are waited for.
SELECT id, public_id, streamer_id, kind, content_type, name, state, refusal, size, width, height, frames, seconds, created_at
FROM media_files WHERE streamer_id = :streamer_id AND public_id = :public_id FOR UPDATE;

-- name: delete_file!
DELETE FROM media_files WHERE id = :file_id;

-- name: find_served^
SELECT id, content_type, size FROM media_files WHERE public_id = :public_id AND state = 'ready';

-- name: get_part$
-- `first` counts from 0. PostgreSQL reads no more than these bytes from the disk. Null once it is gone.
SELECT substring(content FROM :first + 1 FOR :count) FROM media_files WHERE id = :file_id AND state = 'ready';

-- name: claim^
-- To look at it, if nobody does or whoever did is silent.
UPDATE media_files SET held_until = now() + make_interval(secs => :seconds), tries = tries + 1
WHERE id = :file_id AND state = 'waiting' AND tries < :most_tries AND (held_until IS NULL OR held_until < now())
RETURNING streamer_id, kind, content_type, content;

-- name: finish$
-- What it is, and the bytes that are served from now on; null when it is not waiting any more.
UPDATE media_files
SET state = 'ready', content = :content, width = :width, height = :height, frames = :frames, seconds = :seconds,
    held_until = NULL
WHERE id = :file_id AND state = 'waiting'
RETURNING streamer_id;

-- name: refuse$
UPDATE media_files SET state = 'refused', refusal = :refusal, content = NULL, held_until = NULL
WHERE id = :file_id AND state = 'waiting'
RETURNING streamer_id;

-- name: let_go!
-- It went wrong, or the worker stops: another may look at it at once.
UPDATE media_files SET held_until = NULL WHERE id = :file_id AND state = 'waiting';

-- name: give_up!
-- What was looked at as often as it may be, and never told anything.
UPDATE media_files SET state = 'refused', refusal = 'failed', content = NULL, held_until = NULL
WHERE state = 'waiting' AND tries >= :most_tries AND coalesce(held_until, created_at) < now();

-- name: list_due
SELECT id FROM media_files
WHERE state = 'waiting' AND coalesce(held_until, created_at + interval '60 seconds') < now()
ORDER BY created_at LIMIT 100;
