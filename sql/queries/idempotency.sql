-- name: begin$
-- The attempt that may do it now; null when there is another, or an answer. A request that was begun long ago and did
-- nothing is begun anew, and one that is a day old is forgotten.
INSERT INTO idempotency_keys (user_id, key_id, key, fingerprint, attempt)
VALUES (:user_id, :key_id, :key, (:fingerprints::bytea[])[1], :attempt)
ON CONFLICT (user_id, key_id, key) DO UPDATE
SET fingerprint = excluded.fingerprint, attempt = excluded.attempt, begun_at = now(), acted_at = NULL, status = NULL,
    headers = NULL, body = NULL
WHERE idempotency_keys.begun_at < now() - make_interval(days => :days)
   OR (idempotency_keys.acted_at IS NULL AND idempotency_keys.fingerprint = ANY (:fingerprints)
       AND idempotency_keys.begun_at < now() - make_interval(secs => :silent_seconds))
RETURNING attempt;

-- name: get^
SELECT fingerprint, acted_at, extract(epoch FROM now() - begun_at)::float8 AS age_seconds, status, headers, body
FROM idempotency_keys WHERE user_id = :user_id AND key_id = :key_id AND key = :key;

-- name: mark_acted$
-- Null: another attempt has taken over.
UPDATE idempotency_keys SET acted_at = now()
WHERE user_id = :user_id AND key_id = :key_id AND key = :key AND attempt = :attempt
RETURNING true;

-- name: keep_answer!
UPDATE idempotency_keys
SET acted_at = coalesce(acted_at, now()), status = :status, headers = :headers, body = :body
WHERE user_id = :user_id AND key_id = :key_id AND key = :key AND attempt = :attempt;

-- name: forget!
-- Nothing was done: the next may try again.
DELETE FROM idempotency_keys
WHERE user_id = :user_id AND key_id = :key_id AND key = :key AND attempt = :attempt AND acted_at IS NULL;
