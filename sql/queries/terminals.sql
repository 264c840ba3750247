-- name: get_terminal^
SELECT id, streamer_id, provider, terminal_key, secret_encrypted, former_secret_encrypted, secret_replaced_at,
       retired_at, chosen_at, checked_at
FROM terminals WHERE id = :terminal_id;

-- name: find_terminal^
-- Whose news this is; retired terminals still hear of their old payments.
SELECT id, streamer_id, provider, terminal_key, secret_encrypted, former_secret_encrypted, secret_replaced_at,
       retired_at, chosen_at, checked_at
FROM terminals WHERE provider = :provider AND terminal_key = :terminal_key;

-- name: get_active_terminal^
-- Where a streamer's next payment goes.
SELECT id, streamer_id, provider, terminal_key, secret_encrypted, former_secret_encrypted, secret_replaced_at,
       retired_at, chosen_at, checked_at
FROM terminals WHERE streamer_id = :streamer_id AND retired_at IS NULL
ORDER BY chosen_at DESC, id DESC LIMIT 1;

-- name: list_terminals
-- All a streamer ever had, the one in use first, the retired last.
SELECT id, streamer_id, provider, terminal_key, secret_encrypted, former_secret_encrypted, secret_replaced_at,
       retired_at, chosen_at, checked_at
FROM terminals WHERE streamer_id = :streamer_id
ORDER BY retired_at DESC NULLS FIRST, chosen_at DESC, id DESC;

-- name: retire_other_terminals!
UPDATE terminals SET retired_at = now()
WHERE streamer_id = :streamer_id AND provider = :provider AND terminal_key <> :terminal_key AND retired_at IS NULL;

-- name: upsert_terminal^
-- The same key again replaces its secret, and keeps the former for what was signed with it; a key of another streamer
-- changes nothing and returns no row.
INSERT INTO terminals (streamer_id, provider, terminal_key, secret_encrypted)
VALUES (:streamer_id, :provider, :terminal_key, :secret_encrypted)
ON CONFLICT (provider, terminal_key) DO UPDATE
SET secret_encrypted = excluded.secret_encrypted, retired_at = NULL, chosen_at = now(), checked_at = NULL,
    former_secret_encrypted = terminals.secret_encrypted, secret_replaced_at = now()
WHERE terminals.streamer_id = excluded.streamer_id
RETURNING id, streamer_id, provider, terminal_key, secret_encrypted, former_secret_encrypted, secret_replaced_at,
          retired_at, chosen_at, checked_at;

-- name: choose_terminal!
-- The next payment goes here.
UPDATE terminals SET chosen_at = now()
WHERE id = :terminal_id AND streamer_id = :streamer_id AND retired_at IS NULL;

-- name: retire_terminal!
UPDATE terminals SET retired_at = now()
WHERE id = :terminal_id AND streamer_id = :streamer_id AND retired_at IS NULL;

-- name: note_checked!
-- The provider accepted key and secret.
UPDATE terminals SET checked_at = now() WHERE id = :terminal_id;

-- name: note_sbp!
UPDATE terminals SET offers_sbp = :offers_sbp
WHERE id = :terminal_id AND offers_sbp IS DISTINCT FROM :offers_sbp;

-- name: note_failure!
-- One more failure in a row: from the third on the provider rests, 5 seconds at first and five minutes at most.
INSERT INTO provider_health (provider, failures, failing_since, last_error)
VALUES (:provider, 1, now(), :error)
ON CONFLICT (provider) DO UPDATE
SET failures = provider_health.failures + 1,
    failing_since = coalesce(provider_health.failing_since, now()),
    rest_until = CASE WHEN provider_health.failures + 1 >= :failures_to_rest
                      THEN now() + make_interval(secs => least(300, 5 * power(2,
                          least(provider_health.failures + 1 - :failures_to_rest, 10))) * (0.9 + random() * 0.2)) END,
    last_error = :error, updated_at = now();

-- name: note_answer!
-- It answers: no rest any more. Writes nothing while all is well.
UPDATE provider_health SET failures = 0, failing_since = NULL, rest_until = NULL, last_error = '', updated_at = now()
WHERE provider = :provider AND failures > 0;

-- name: get_health^
SELECT failures, failing_since, rest_until, last_error FROM provider_health WHERE provider = :provider;
