-- name: get_terminal^
SELECT id, streamer_id, provider, terminal_key, secret_encrypted, retired_at FROM terminals WHERE id = :terminal_id;

-- name: find_terminal^
-- Whose news this is; retired terminals still hear of their old payments.
SELECT id, streamer_id, provider, terminal_key, secret_encrypted, retired_at
FROM terminals WHERE provider = :provider AND terminal_key = :terminal_key;

-- name: get_active_terminal^
-- Where a streamer's next payment goes.
SELECT id, streamer_id, provider, terminal_key, secret_encrypted, retired_at
FROM terminals WHERE streamer_id = :streamer_id AND retired_at IS NULL
ORDER BY id DESC LIMIT 1;

-- name: retire_other_terminals!
UPDATE terminals SET retired_at = now()
WHERE streamer_id = :streamer_id AND provider = :provider AND terminal_key <> :terminal_key AND retired_at IS NULL;

-- name: upsert_terminal^
-- The same key again replaces its secret; a key of another streamer changes nothing and returns no row.
INSERT INTO terminals (streamer_id, provider, terminal_key, secret_encrypted)
VALUES (:streamer_id, :provider, :terminal_key, :secret_encrypted)
ON CONFLICT (provider, terminal_key) DO UPDATE
SET secret_encrypted = excluded.secret_encrypted, retired_at = NULL
WHERE terminals.streamer_id = excluded.streamer_id
RETURNING id, streamer_id, provider, terminal_key, secret_encrypted, retired_at;
