-- name: insert_registered$
-- Null when the e-mail is taken, also by one that awaits its code.
INSERT INTO users (email, password_hash, locale, awaits_code)
VALUES (:email, :password_hash, :locale, :awaits_code)
ON CONFLICT (email) DO NOTHING
RETURNING id;

-- name: find_registered^
SELECT id AS user_id, email_confirmed_at IS NOT NULL AS is_confirmed
FROM users WHERE email = :email AND is_active;

-- name: confirm!
UPDATE users
SET awaits_code = false, email_confirmed_at = coalesce(email_confirmed_at, now()),
    consent_version = coalesce(consent_version, :consent_version), consented_at = coalesce(consented_at, now())
WHERE id = :user_id AND is_active;
