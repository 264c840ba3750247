-- name: insert_confirmation!
INSERT INTO confirmations (token_hash, purpose, email, code_hash, user_id, password_hash, consent_version, link_id,
                           token_encrypted, profile, locale, expires_at)
VALUES (:token_hash, :purpose, :email, :code_hash, :user_id, :password_hash, :consent_version, :link_id,
        :token_encrypted, :profile, :locale, now() + make_interval(mins => :minutes));

-- name: find_confirmation^
-- Asked for in this browser within the last hour, and not answered yet.
SELECT id, purpose, email, user_id, password_hash, consent_version, link_id, locale, tries, letters,
       code_hash IS NOT NULL AS has_code,
       expires_at <= now() AS is_late,
       greatest(0, :pause_seconds - extract(epoch FROM now() - sent_at))::float8 AS pause_left_seconds
FROM confirmations
WHERE token_hash = :token_hash AND purpose = :purpose AND used_at IS NULL AND expires_at > now() - interval '1 hour';

-- name: take_try^
-- One try at the code: counted before it is looked at, so that many at once are not more than one after another.
UPDATE confirmations SET tries = tries + 1
WHERE token_hash = :token_hash AND purpose = :purpose AND used_at IS NULL AND expires_at > now() AND tries < :limit
RETURNING id, code_hash;

-- name: use_confirmation^
-- One use.
UPDATE confirmations SET used_at = now() WHERE id = :confirmation_id AND used_at IS NULL
RETURNING id, purpose, email, user_id, password_hash, consent_version, link_id, profile, locale;

-- name: renew_code!
-- Another code in place of the former one, a minute after it at the soonest.
UPDATE confirmations
SET code_hash = :code_hash, tries = 0, letters = letters + 1, sent_at = now(),
    expires_at = now() + make_interval(mins => :minutes)
WHERE id = :confirmation_id AND used_at IS NULL AND letters < :limit
  AND sent_at <= now() - make_interval(secs => :pause_seconds);

-- name: end_confirmations_of!
-- Questions about an account whose password or address has changed meanwhile.
UPDATE confirmations SET used_at = now() WHERE user_id = :user_id AND used_at IS NULL;

-- name: take_tries
-- One try at every code that was mailed to this address lately for these purposes and needs no browser: whichever
-- letter somebody has at hand, a guess costs each of them a try. Codes for another address: of who is signed in alone.
WITH live AS (
    SELECT id FROM confirmations
    WHERE email = :email AND purpose = ANY(:purposes::text[]) AND token_encrypted IS NOT NULL
      AND (purpose <> 'email' OR user_id = :caller_id::integer)
      AND used_at IS NULL AND expires_at > now() AND tries < :limit
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE confirmations SET tries = tries + 1 FROM live WHERE confirmations.id = live.id
RETURNING confirmations.id, confirmations.code_hash, confirmations.token_encrypted;
