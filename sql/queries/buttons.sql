-- name: count_buttons$
SELECT count(*) FROM control_buttons WHERE streamer_id = :streamer_id AND revoked_at IS NULL;

-- name: insert_button$
INSERT INTO control_buttons (streamer_id, name, control, token_hash, token_encrypted, allows_get, locale)
VALUES (:streamer_id, :name, :control, :token_hash, :token_encrypted, :allows_get, :locale)
RETURNING id;

-- name: list_buttons
SELECT id, streamer_id, name, control, allows_get, locale, uses, last_used_at, created_at
FROM control_buttons WHERE streamer_id = :streamer_id AND revoked_at IS NULL ORDER BY id;

-- name: find_button^
-- Whom and what a token presses.
SELECT id, streamer_id, name, control, allows_get, locale, uses, last_used_at, created_at
FROM control_buttons WHERE token_hash = :token_hash AND revoked_at IS NULL;

-- name: count_use$
-- It is pressed; no row when it was revoked, or got another address, a moment ago.
UPDATE control_buttons SET uses = uses + 1, last_used_at = now()
WHERE id = :button_id AND token_hash = :token_hash AND revoked_at IS NULL
RETURNING id;

-- name: get_encrypted_token$
SELECT token_encrypted FROM control_buttons
WHERE id = :button_id AND streamer_id = :streamer_id AND revoked_at IS NULL;

-- name: update_button!
UPDATE control_buttons SET name = :name, allows_get = :allows_get
WHERE id = :button_id AND streamer_id = :streamer_id AND revoked_at IS NULL;

-- name: replace_token!
-- Another address; the former opens nothing any more.
UPDATE control_buttons SET token_hash = :token_hash, token_encrypted = :token_encrypted
WHERE id = :button_id AND streamer_id = :streamer_id AND revoked_at IS NULL;

-- name: revoke_button!
UPDATE control_buttons SET revoked_at = now()
WHERE id = :button_id AND streamer_id = :streamer_id AND revoked_at IS NULL;

-- name: list_encrypted_tokens
-- Tokens as stored, the revoked too, a batch after the last id.
SELECT id, token_encrypted FROM control_buttons WHERE id > :after_id ORDER BY id LIMIT :limit;

-- name: replace_encrypted_token!
-- The same token under another key.
UPDATE control_buttons SET token_encrypted = :token_encrypted WHERE id = :button_id AND token_encrypted = :read_token;
