-- name: insert_session!
INSERT INTO sessions (token_hash, user_id, expires_at, user_agent)
VALUES (:token_hash, :user_id, now() + make_interval(days => :days), :user_agent);

-- name: find_session^
-- Whose session a cookie's token belongs to, and how long it still lasts.
SELECT users.id, users.email, users.is_superuser, users.is_active, users.locale, users.delete_at,
       sessions.id AS session_id,
       extract(epoch FROM sessions.expires_at - now())::float8 AS seconds_left,
       extract(epoch FROM now() - sessions.created_at)::float8 AS age_seconds,
       extract(epoch FROM now() - sessions.seen_at)::float8 AS unseen_seconds
FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.token_hash = :token_hash AND sessions.expires_at > now() AND users.is_active;

-- name: note_seen!
UPDATE sessions SET seen_at = now() WHERE id = :session_id;

-- name: list_sessions
SELECT id, user_agent, created_at, seen_at FROM sessions
WHERE user_id = :user_id AND expires_at > now() ORDER BY seen_at DESC, id DESC LIMIT 100;

-- name: renew_session!
UPDATE sessions SET expires_at = now() + make_interval(days => :days) WHERE token_hash = :token_hash;

-- name: delete_session!
DELETE FROM sessions WHERE token_hash = :token_hash;

-- name: delete_session_of!
DELETE FROM sessions WHERE id = :session_id AND user_id = :user_id;

-- name: delete_sessions_of!
DELETE FROM sessions WHERE user_id = :user_id;

-- name: delete_other_sessions!
DELETE FROM sessions WHERE user_id = :user_id AND id <> :kept_id;

-- name: delete_ended_sessions!
DELETE FROM sessions WHERE expires_at <= now();

-- name: insert_known_browser!
INSERT INTO known_browsers (token_hash, user_id) VALUES (:token_hash, :user_id)
ON CONFLICT (token_hash, user_id) DO UPDATE SET used_at = now();

-- name: is_known_browser$
SELECT EXISTS (
    SELECT FROM known_browsers JOIN users ON users.id = known_browsers.user_id
    WHERE known_browsers.token_hash = :token_hash AND users.email = :email
      AND known_browsers.used_at > now() - make_interval(days => :days));
