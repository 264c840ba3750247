-- name: insert_user^
-- No row when the e-mail is taken.
INSERT INTO users (email, password_hash, is_superuser, locale, consent_version, consented_at, email_confirmed_at)
VALUES (:email, :password_hash, :is_superuser, :locale, :consent_version::text,
        CASE WHEN :consent_version::text IS NOT NULL THEN now() END, CASE WHEN :is_confirmed::boolean THEN now() END)
ON CONFLICT (email) DO NOTHING
RETURNING id, email, is_superuser, is_active, locale, delete_at;

-- name: any_user_exists$
SELECT EXISTS (SELECT FROM users);

-- name: find_user^
SELECT id, email, password_hash, is_superuser, is_active, locale, delete_at FROM users WHERE email = :email;

-- name: get_user^
SELECT id, email, is_superuser, is_active, locale, delete_at FROM users WHERE id = :user_id AND erased_at IS NULL;

-- name: get_token_holder^
SELECT id, email, is_superuser, is_active, locale, delete_at, token_version
FROM users WHERE id = :user_id AND erased_at IS NULL;

-- name: set_password_hash!
-- The same password, hashed anew.
UPDATE users SET password_hash = :password_hash WHERE id = :user_id;

-- name: change_password!
UPDATE users SET password_hash = :password_hash, password_set_at = now() WHERE id = :user_id;

-- name: set_email!
UPDATE users SET email = :email, email_confirmed_at = CASE WHEN :is_confirmed::boolean THEN now() END
WHERE id = :user_id AND NOT EXISTS (SELECT FROM users WHERE email = :email);

-- name: make_superuser!
UPDATE users SET is_superuser = true WHERE id = :user_id AND NOT is_superuser AND is_active;

-- name: unmake_superuser!
UPDATE users SET is_superuser = false WHERE id = :user_id AND is_superuser;

-- name: set_active!
UPDATE users SET is_active = :is_active
WHERE id = :user_id AND is_active <> :is_active AND erased_at IS NULL;

-- name: lock_superusers$
-- Who leaves them waits for who is leaving: two cannot both be the last but one.
SELECT pg_advisory_xact_lock(hashtext('streamcash: superusers'))::text;

-- name: is_last_superuser$
SELECT EXISTS (SELECT FROM users WHERE id = :user_id AND is_superuser AND is_active)
       AND NOT EXISTS (SELECT FROM users
                       WHERE id <> :user_id AND is_superuser AND is_active AND delete_at IS NULL);

-- name: list_users
-- A page of accounts, newest first, whose address or page contains the text.
SELECT users.id, users.email, users.is_superuser, users.is_active, users.created_at, users.delete_at,
       streamers.slug, streamers.display_name,
       (SELECT max(seen_at) FROM sessions WHERE sessions.user_id = users.id) AS seen_at
FROM users LEFT JOIN streamers ON streamers.owner_id = users.id
WHERE users.erased_at IS NULL
  AND (:before_id = 0 OR users.id < :before_id)
  AND (:text = '' OR strpos(users.email, :text) > 0 OR strpos(streamers.slug, :text) > 0
       OR strpos(lower(streamers.display_name), :text) > 0)
ORDER BY users.id DESC LIMIT :limit;

-- name: insert_log!
INSERT INTO account_log (user_id, by_user_id, action) VALUES (:user_id, :by_user_id, :action);

-- name: list_log
-- What operators did to accounts lately.
SELECT log.action, log.created_at, users.email, by_users.email AS by_email
FROM account_log AS log
JOIN users ON users.id = log.user_id
LEFT JOIN users AS by_users ON by_users.id = log.by_user_id
ORDER BY log.id DESC LIMIT :limit;

-- name: wish_deletion!
UPDATE users SET delete_at = now() + make_interval(days => :days)
WHERE id = :user_id AND delete_at IS NULL AND erased_at IS NULL;

-- name: get_delete_at$
SELECT delete_at FROM users WHERE id = :user_id;

-- name: keep_account!
UPDATE users SET delete_at = NULL WHERE id = :user_id AND delete_at > now() AND is_active AND erased_at IS NULL;

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

-- name: has_password$
SELECT password_hash <> '' FROM users WHERE id = :user_id;

-- name: is_email_confirmed$
SELECT email_confirmed_at IS NOT NULL FROM users WHERE id = :user_id;

-- name: get_consent^
-- What the account's owner agreed to when registering; nulls for an account that an operator made.
SELECT consent_version AS version, consented_at AS at FROM users WHERE id = :user_id;
