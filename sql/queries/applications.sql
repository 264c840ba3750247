-- name: insert_application^
INSERT INTO applications (owner_id, client_id, name, site_url, redirect_uris, secret_hash, secret_hint, secret_made_at)
VALUES (:owner_id, :client_id, :name, :site_url, :redirect_uris, :secret_hash, :secret_hint,
        CASE WHEN :secret_hash::bytea IS NOT NULL THEN now() END)
RETURNING id;

-- name: count_applications$
SELECT count(*) FROM applications WHERE owner_id = :owner_id;

-- name: list_applications
-- A user's, with how many people each may act for.
SELECT id, client_id, name, site_url, redirect_uris, secret_hint, secret_made_at, created_at, switched_off_at,
       (SELECT count(DISTINCT grants.user_id) FROM grants
        WHERE grants.application_id = applications.id AND grants.revoked_at IS NULL
          AND EXISTS (SELECT FROM refresh_tokens AS tokens
                      WHERE tokens.grant_id = grants.id AND tokens.used_at IS NULL AND tokens.expires_at > now())) AS users
FROM applications WHERE owner_id = :owner_id ORDER BY id DESC;

-- name: find_application^
-- One that is switched on, of an owner who may use the site; with whose it is.
SELECT applications.id, applications.client_id, applications.name, applications.site_url, applications.redirect_uris,
       applications.secret_hash, applications.created_at,
       coalesce(streamers.display_name, '') AS owner_name, coalesce(streamers.slug, '') AS owner_slug
FROM applications JOIN users ON users.id = applications.owner_id
LEFT JOIN streamers ON streamers.owner_id = users.id AND streamers.closed_at IS NULL
WHERE applications.client_id = :client_id AND applications.switched_off_at IS NULL AND users.is_active;

-- name: update_application!
UPDATE applications SET name = :name, site_url = :site_url, redirect_uris = :redirect_uris
WHERE id = :application_id AND owner_id = :owner_id;

-- name: replace_secret!
UPDATE applications SET secret_hash = :secret_hash, secret_hint = :secret_hint, secret_made_at = now()
WHERE id = :application_id AND owner_id = :owner_id AND secret_hash IS NOT NULL;

-- name: delete_application!
DELETE FROM applications WHERE id = :application_id AND owner_id = :owner_id;

-- name: delete_applications_of!
DELETE FROM applications WHERE owner_id = :owner_id;

-- name: list_all_applications
-- A page of everybody's, the newest first.
SELECT applications.id, applications.client_id, applications.name, applications.site_url, applications.redirect_uris,
       applications.created_at, applications.switched_off_at, owners.email AS owner_email,
       coalesce(streamers.slug, '') AS owner_slug,
       (SELECT count(DISTINCT grants.user_id) FROM grants
        WHERE grants.application_id = applications.id AND grants.revoked_at IS NULL
          AND EXISTS (SELECT FROM refresh_tokens AS tokens
                      WHERE tokens.grant_id = grants.id AND tokens.used_at IS NULL AND tokens.expires_at > now())) AS users
FROM applications JOIN users AS owners ON owners.id = applications.owner_id
LEFT JOIN streamers ON streamers.owner_id = owners.id
WHERE :before_id = 0 OR applications.id < :before_id
ORDER BY applications.id DESC LIMIT :limit;

-- name: switch_application^
-- No row when it is so already.
UPDATE applications SET switched_off_at = CASE WHEN :is_off::boolean THEN now() END
WHERE id = :application_id AND (switched_off_at IS NOT NULL) <> :is_off::boolean
RETURNING owner_id;

-- name: application_exists$
SELECT EXISTS (SELECT FROM applications WHERE id = :application_id);
