-- name: insert_user^
-- No row when the e-mail is taken.
INSERT INTO users (email, password_hash, is_superuser, locale, consent_version, consented_at, email_confirmed_at)
VALUES (:email, :password_hash, :is_superuser, :locale, :consent_version::text,
        CASE WHEN :consent_version::text IS NOT NULL THEN now() END, CASE WHEN :is_confirmed::boolean THEN now() END)
ON CONFLICT (email) DO NOTHING
RETURNING id, email, is_superuser, is_active, locale, delete_at;

-- name: any_user_exists$
SELECT EXISTS (SELECT FROM users WHERE NOT awaits_code);

-- name: delete_awaiting_of!
-- What was registered with this address and never confirmed gives way to who has proved it.
DELETE FROM users WHERE email = :email AND awaits_code;

-- name: find_user^
-- One that still awaits its code is nobody's account.
SELECT id, email, password_hash, is_superuser, is_active, locale, delete_at
FROM users WHERE email = :email AND NOT awaits_code;

-- name: find_sign_in^
-- The same with what a sign-in through the API needs, also one that awaits its code.
SELECT id, email, password_hash, is_superuser, is_active, locale, delete_at, token_version, awaits_code
FROM users WHERE email = :email;

-- name: get_user^
SELECT id, email, is_superuser, is_active, locale, delete_at FROM users
WHERE id = :user_id AND erased_at IS NULL AND NOT awaits_code;

-- name: get_token_holder^
SELECT id, email, is_superuser, is_active, locale, delete_at, token_version
FROM users WHERE id = :user_id AND erased_at IS NULL AND NOT awaits_code;

-- name: end_tokens!
-- Every signed token of hers is over.
UPDATE users SET token_version = token_version + 1 WHERE id = :user_id;

-- name: list_token_holders
-- Of these people, those who may still come in, and the version their signed tokens must have.
SELECT id, is_superuser, token_version FROM users
WHERE id = ANY(:user_ids::integer[]) AND is_active AND erased_at IS NULL;

-- name: set_password_hash!
-- The same password, hashed anew.
UPDATE users SET password_hash = :password_hash WHERE id = :user_id;

-- name: change_password!
-- Signed tokens end with it.
UPDATE users SET password_hash = :password_hash, password_set_at = now(), token_version = token_version + 1
WHERE id = :user_id;

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
WHERE users.erased_at IS NULL AND NOT users.awaits_code
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

-- name: has_password$
SELECT password_hash <> '' FROM users WHERE id = :user_id;

-- name: is_email_confirmed$
SELECT email_confirmed_at IS NOT NULL FROM users WHERE id = :user_id;

-- name: get_consent^
-- What the account's owner agreed to when registering; nulls for an account that an operator made.
SELECT consent_version AS version, consented_at AS at FROM users WHERE id = :user_id;
