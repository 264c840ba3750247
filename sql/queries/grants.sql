-- name: insert_grant$
INSERT INTO grants (application_id, user_id, streamer_id, scopes, code_hash, code_expires_at, code_challenge, redirect_uri)
VALUES (:application_id, :user_id, :streamer_id, :scopes, :code_hash, now() + make_interval(secs => :seconds),
        :code_challenge, :redirect_uri)
RETURNING id;

-- name: find_code^
-- Whose code it is, good or not.
SELECT grants.id, grants.application_id, grants.user_id, grants.scopes, grants.code_challenge, grants.redirect_uri,
       grants.exchanged_at IS NOT NULL AS is_exchanged,
       grants.exchanged_at IS NULL AND grants.revoked_at IS NULL AND grants.code_expires_at > now()
       AND users.is_active AS is_good
FROM grants JOIN users ON users.id = grants.user_id
WHERE grants.code_hash = :code_hash;

-- name: exchange_code!
UPDATE grants SET exchanged_at = now(), used_at = now()
WHERE id = :grant_id AND exchanged_at IS NULL AND revoked_at IS NULL AND code_expires_at > now();

-- name: insert_refresh_token!
INSERT INTO refresh_tokens (grant_id, token_hash, expires_at)
VALUES (:grant_id, :token_hash, now() + make_interval(days => :days));

-- name: find_refresh_token^
-- `seconds_since_use` is null while it is unused.
SELECT tokens.id, tokens.grant_id, grants.application_id, grants.user_id, grants.scopes,
       tokens.expires_at > now() AND grants.revoked_at IS NULL AND users.is_active AS is_good,
       extract(epoch FROM clock_timestamp() - tokens.used_at)::float8 AS seconds_since_use
FROM refresh_tokens AS tokens
JOIN grants ON grants.id = tokens.grant_id
JOIN users ON users.id = grants.user_id
WHERE tokens.token_hash = :token_hash;

-- name: lock_grant!
-- One token of a family is exchanged at a time.
SELECT FROM grants WHERE id = :grant_id FOR NO KEY UPDATE;

-- name: use_refresh_token!
UPDATE refresh_tokens SET used_at = clock_timestamp() WHERE id = :token_id AND used_at IS NULL;

-- name: is_unused$
SELECT EXISTS (SELECT FROM refresh_tokens
               WHERE grant_id = :grant_id AND token_hash = :token_hash AND used_at IS NULL AND expires_at > now());

-- name: find_token_of_application^
-- What an application wants revoked: its family, and the access token if it is one.
SELECT grant_id, NULL::integer AS access_token_id FROM refresh_tokens JOIN grants ON grants.id = refresh_tokens.grant_id
WHERE refresh_tokens.token_hash = :token_hash AND grants.application_id = :application_id
UNION ALL
SELECT tokens.grant_id, tokens.id FROM access_tokens AS tokens JOIN grants ON grants.id = tokens.grant_id
WHERE tokens.token_hash = :token_hash AND grants.application_id = :application_id;

-- name: revoke_access_token!
UPDATE access_tokens SET revoked_at = now() WHERE id = :token_id AND revoked_at IS NULL;

-- name: revoke_grant!
UPDATE grants SET revoked_at = now() WHERE id = :grant_id AND revoked_at IS NULL;

-- name: revoke_oldest!
-- A person's devices are few: what is allowed once more and once more replaces what was allowed long ago.
UPDATE grants SET revoked_at = now()
WHERE id IN (SELECT id FROM grants
             WHERE application_id = :application_id AND user_id = :user_id AND revoked_at IS NULL
               AND (exchanged_at IS NOT NULL OR code_expires_at > now())
             ORDER BY id DESC OFFSET :most);

-- name: revoke_application!
UPDATE grants SET revoked_at = now()
WHERE user_id = :user_id AND application_id = :application_id AND revoked_at IS NULL;

-- name: revoke_grants_of!
UPDATE grants SET revoked_at = now() WHERE user_id = :user_id AND revoked_at IS NULL;

-- name: list_allowed
-- Applications that may act for a user now: what each may, since when, last used.
SELECT applications.id, applications.name, applications.site_url, applications.switched_off_at IS NOT NULL AS is_off,
       array_agg(DISTINCT scope) AS scopes, min(grants.created_at) AS since, max(grants.used_at) AS used_at
FROM grants
JOIN applications ON applications.id = grants.application_id
CROSS JOIN unnest(grants.scopes) AS scope
WHERE grants.user_id = :user_id AND grants.revoked_at IS NULL AND grants.exchanged_at IS NOT NULL
  AND EXISTS (SELECT FROM refresh_tokens AS tokens
              WHERE tokens.grant_id = grants.id AND tokens.used_at IS NULL AND tokens.expires_at > now())
GROUP BY applications.id
ORDER BY max(grants.id) DESC;

-- name: delete_grants_of!
DELETE FROM grants WHERE user_id = :user_id;
