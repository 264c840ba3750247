-- name: insert_registered$
-- Null when the e-mail is somebody's. One that awaits its code is nobody's: the newest registration stands in it, and
-- each code keeps the one that it was mailed for.
INSERT INTO users (email, password_hash, locale, awaits_code)
VALUES (:email, :password_hash, :locale, :awaits_code)
ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash, locale = excluded.locale, created_at = now()
WHERE users.awaits_code AND users.is_active
RETURNING id;

-- name: find_registered^
SELECT id AS user_id, email_confirmed_at IS NOT NULL AS is_confirmed
FROM users WHERE email = :email AND is_active;

-- name: find_awaiting_hash$
SELECT password_hash FROM users WHERE email = :email AND awaits_code AND is_active;

-- name: lock_awaiting$
-- The password that the newest registration gave, if the account still awaits its code.
SELECT password_hash FROM users WHERE id = :user_id AND awaits_code AND is_active FOR NO KEY UPDATE;

-- name: is_contested$
-- Whether another registration asked for a code of this account, or somebody who did not give a password.
SELECT EXISTS (SELECT FROM confirmations
               WHERE user_id = :user_id AND purpose = 'verify' AND password_hash IS DISTINCT FROM :password_hash::text);

-- name: take_account!
-- The address is proved; without a password nobody signs in yet.
UPDATE users SET awaits_code = false, password_hash = :password_hash WHERE id = :user_id AND awaits_code;

-- name: confirm!
UPDATE users
SET email_confirmed_at = coalesce(email_confirmed_at, now()),
    consent_version = coalesce(consent_version, :consent_version), consented_at = coalesce(consented_at, now())
WHERE id = :user_id AND is_active AND NOT awaits_code;
