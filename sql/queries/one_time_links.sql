-- name: insert_link!
INSERT INTO one_time_links (purpose, token_hash, token_encrypted, user_id, expires_at)
VALUES (:purpose, :token_hash, :token_encrypted, :user_id,
        CASE WHEN :hours::integer IS NOT NULL THEN now() + make_interval(hours => :hours::integer) END);

-- name: find_link^
-- What a link is good for now; the first account's only while there is no account.
SELECT id, purpose, user_id FROM one_time_links
WHERE token_hash = :token_hash AND used_at IS NULL AND (expires_at IS NULL OR expires_at > now())
  AND (purpose <> 'first' OR NOT EXISTS (SELECT FROM users));

-- name: use_link!
-- One use.
UPDATE one_time_links SET used_at = now(), token_encrypted = NULL
WHERE id = :link_id AND used_at IS NULL AND (expires_at IS NULL OR expires_at > now());

-- name: get_first_link^
SELECT id, token_encrypted FROM one_time_links WHERE purpose = 'first' AND used_at IS NULL;

-- name: delete_first_link!
DELETE FROM one_time_links WHERE purpose = 'first' AND used_at IS NULL;

-- name: lock_first_link$
SELECT pg_advisory_xact_lock(hashtext('streamcash: first account'))::text;

-- name: end_links_of!
-- A new password ends the links that were for one.
UPDATE one_time_links SET used_at = now() WHERE user_id = :user_id AND used_at IS NULL;

-- name: list_encrypted_links
-- Links that are kept to be shown again, a batch after the last id.
SELECT id, token_encrypted FROM one_time_links
WHERE id > :after_id AND token_encrypted IS NOT NULL ORDER BY id LIMIT :limit;

-- name: replace_encrypted_link!
-- The same link under another key.
UPDATE one_time_links SET token_encrypted = :token_encrypted
WHERE id = :link_id AND token_encrypted = :read_token;
