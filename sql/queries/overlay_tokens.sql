-- name: insert_overlay_token!
INSERT INTO overlay_tokens (streamer_id, token_hash, token_encrypted)
VALUES (:streamer_id, :token_hash, :token_encrypted);

-- name: revoke_overlay_tokens!
UPDATE overlay_tokens SET revoked_at = now() WHERE streamer_id = :streamer_id AND revoked_at IS NULL;

-- name: get_encrypted_token$
SELECT token_encrypted FROM overlay_tokens WHERE streamer_id = :streamer_id AND revoked_at IS NULL;

-- name: find_overlay_token^
-- Whose overlay this is; revoked ones are found too, so that their holders learn why they are refused.
SELECT id, streamer_id, revoked_at IS NOT NULL AS revoked FROM overlay_tokens WHERE token_hash = :token_hash;

-- name: list_encrypted_tokens
-- Tokens as stored, the revoked too, a batch after the last id.
SELECT id, token_encrypted FROM overlay_tokens WHERE id > :after_id ORDER BY id LIMIT :limit;

-- name: replace_encrypted_token!
-- The same token under another key.
UPDATE overlay_tokens SET token_encrypted = :token_encrypted WHERE id = :token_id AND token_encrypted = :read_token;

-- name: list_valid_tokens
-- Of these tokens, those that were not revoked.
SELECT id FROM overlay_tokens WHERE id = ANY(:token_ids::integer[]) AND revoked_at IS NULL;
