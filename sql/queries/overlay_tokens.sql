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
