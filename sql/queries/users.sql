-- name: insert_user^
-- No row when the e-mail is taken.
INSERT INTO users (email, password_hash, is_superuser)
VALUES (:email, :password_hash, :is_superuser)
ON CONFLICT (email) DO NOTHING
RETURNING id, email, is_superuser, is_active;

-- name: find_user^
SELECT id, email, password_hash, is_superuser, is_active FROM users WHERE email = :email;

-- name: set_password_hash!
UPDATE users SET password_hash = :password_hash WHERE id = :user_id;

-- name: make_superuser!
UPDATE users SET is_superuser = true WHERE id = :user_id;

-- name: insert_session!
INSERT INTO sessions (token_hash, user_id, expires_at, user_agent)
VALUES (:token_hash, :user_id, now() + make_interval(days => :days), :user_agent);

-- name: find_session^
-- Whose session a cookie's token belongs to, and how long it still lasts.
SELECT users.id, users.email, users.is_superuser, users.is_active,
       extract(epoch FROM sessions.expires_at - now())::float8 AS seconds_left
FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.token_hash = :token_hash AND sessions.expires_at > now() AND users.is_active;

-- name: renew_session!
UPDATE sessions SET expires_at = now() + make_interval(days => :days) WHERE token_hash = :token_hash;

-- name: delete_session!
DELETE FROM sessions WHERE token_hash = :token_hash;

-- name: delete_sessions_of!
DELETE FROM sessions WHERE user_id = :user_id;

-- name: delete_ended_sessions!
DELETE FROM sessions WHERE expires_at <= now();
