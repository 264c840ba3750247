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

-- name: lock_streamer!
-- One change of a streamer's terminals at a time: two at once would leave two in use.
SELECT FROM streamers WHERE id = :streamer_id FOR NO KEY UPDATE;

-- name: upsert_terminal^
-- The same key again is in use again. Another secret replaces the one it had, and keeps that for what was signed with
-- it. A key of another streamer changes nothing and returns no row.
INSERT INTO terminals (streamer_id, provider, terminal_key, secret_encrypted, is_test)
VALUES (:streamer_id, :provider, :terminal_key, :secret_encrypted, :is_test::boolean)
ON CONFLICT (provider, terminal_key) DO UPDATE
SET secret_encrypted = CASE WHEN :replaces THEN excluded.secret_encrypted ELSE terminals.secret_encrypted END,
    former_secret_encrypted =
        CASE WHEN :replaces THEN terminals.secret_encrypted ELSE terminals.former_secret_encrypted END,
    secret_replaced_at = CASE WHEN :replaces THEN now() ELSE terminals.secret_replaced_at END,
    checked_at = CASE WHEN :replaces THEN NULL ELSE terminals.checked_at END,
    is_test = coalesce(excluded.is_test, terminals.is_test),
    retired_at = NULL, chosen_at = now()
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

-- name: get_refusal^
-- The newest payment within a day that the provider would not open on this terminal, and whether it has opened one
-- since. No row while it refused none. That nobody answered is no refusal.
SELECT refused.error_reason AS reason, refused.error_message AS message, refused.closed_at AS refused_at,
       EXISTS (SELECT FROM payments AS later
               WHERE later.terminal_id = :terminal_id AND later.id > refused.id AND later.opened_at IS NOT NULL
       ) AS has_opened_since
FROM payments AS refused
WHERE refused.terminal_id = :terminal_id AND refused.status = 'failed' AND refused.opened_at IS NULL
  AND refused.provider_payment_id IS NULL AND refused.error_code <> :gave_up
  AND refused.closed_at > now() - interval '1 day'
ORDER BY refused.closed_at DESC LIMIT 1;

-- name: list_secrets
-- Terminals' secrets as stored, a batch after the last id.
SELECT id, secret_encrypted, former_secret_encrypted FROM terminals
WHERE id > :after_id ORDER BY id LIMIT :limit;

-- name: replace_secrets!
-- The same secrets under another key; not if a person replaced them meanwhile.
UPDATE terminals SET secret_encrypted = :secret_encrypted, former_secret_encrypted = :former_secret_encrypted
WHERE id = :terminal_id AND secret_encrypted = :read_secret
  AND former_secret_encrypted IS NOT DISTINCT FROM :read_former_secret;

-- name: list_unsorted
-- Those of which nobody has written down whether they are for trying out.
SELECT id, streamer_id, provider, terminal_key, secret_encrypted, former_secret_encrypted, secret_replaced_at,
       retired_at, chosen_at, checked_at
FROM terminals WHERE is_test IS NULL ORDER BY id;

-- name: note_test!
UPDATE terminals SET is_test = :is_test WHERE id = :terminal_id AND is_test IS NULL;
