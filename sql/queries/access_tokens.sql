-- name: find_access^
-- Who acts by a token that is good at this moment. `wants_a_look`: it was not noted for a while that it is in use.
SELECT users.id, users.email, users.is_superuser, users.is_active, users.locale, users.delete_at,
       tokens.id AS token_id, tokens.streamer_id, tokens.scopes, tokens.grant_id, grants.application_id,
       coalesce(applications.name, tokens.name) AS name,
       tokens.used_at IS NULL OR tokens.used_at < now() - make_interval(mins => :minutes) AS wants_a_look
FROM access_tokens AS tokens
JOIN users ON users.id = tokens.user_id
LEFT JOIN grants ON grants.id = tokens.grant_id
LEFT JOIN applications ON applications.id = grants.application_id
WHERE tokens.token_hash = :token_hash AND tokens.revoked_at IS NULL
  AND (tokens.expires_at IS NULL OR tokens.expires_at > now())
  AND users.is_active AND grants.revoked_at IS NULL AND applications.switched_off_at IS NULL;

-- name: get_expiry$
SELECT expires_at FROM access_tokens WHERE id = :token_id;

-- name: list_good_tokens
-- Of these tokens, those that are good at this moment.
SELECT tokens.id
FROM access_tokens AS tokens
JOIN users ON users.id = tokens.user_id
LEFT JOIN grants ON grants.id = tokens.grant_id
LEFT JOIN applications ON applications.id = grants.application_id
WHERE tokens.id = ANY(:token_ids::integer[]) AND tokens.revoked_at IS NULL
  AND (tokens.expires_at IS NULL OR tokens.expires_at > now())
  AND users.is_active AND grants.revoked_at IS NULL AND applications.switched_off_at IS NULL;

-- name: note_used!
WITH token AS (UPDATE access_tokens SET used_at = now() WHERE id = :token_id RETURNING grant_id)
UPDATE grants SET used_at = now() FROM token WHERE grants.id = token.grant_id;

-- name: lock_user!
-- Two forms at once do not pass a limit together.
SELECT FROM users WHERE id = :user_id FOR NO KEY UPDATE;

-- name: count_keys$
SELECT count(*) FROM access_tokens
WHERE user_id = :user_id AND grant_id IS NULL AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now());

-- name: insert_key$
INSERT INTO access_tokens (user_id, streamer_id, name, token_hash, hint, scopes, expires_at)
VALUES (:user_id, :streamer_id, :name, :token_hash, :hint, :scopes, now() + make_interval(days => :days::integer))
RETURNING id;

-- name: insert_access_token!
INSERT INTO access_tokens (user_id, streamer_id, grant_id, name, token_hash, hint, scopes, expires_at)
SELECT user_id, streamer_id, id, '', :token_hash, :hint, :scopes, now() + make_interval(secs => :seconds)
FROM grants WHERE id = :grant_id;

-- name: list_keys
-- A user's own, the newest first; those that ended are listed for a while.
SELECT id, name, hint, scopes, created_at, used_at, expires_at, expires_at <= now() AS is_expired
FROM access_tokens
WHERE user_id = :user_id AND grant_id IS NULL AND revoked_at IS NULL
ORDER BY id DESC LIMIT 200;

-- name: revoke_key^
UPDATE access_tokens SET revoked_at = now()
WHERE id = :token_id AND user_id = :user_id AND grant_id IS NULL AND revoked_at IS NULL
RETURNING name;

-- name: revoke_keys!
UPDATE access_tokens SET revoked_at = now() WHERE user_id = :user_id AND grant_id IS NULL AND revoked_at IS NULL;

-- name: delete_tokens_of!
DELETE FROM access_tokens WHERE user_id = :user_id;
