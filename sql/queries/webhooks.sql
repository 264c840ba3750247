-- A streamer's webhooks: what she sets.

-- name: insert_webhook$
INSERT INTO webhooks (streamer_id, name, url, format, events, secret_encrypted)
VALUES (:streamer_id, :name, :url, :format, :events, :secret_encrypted)
RETURNING id;

-- name: lock_streamer!
-- So that two forms at once do not pass the limit together.
SELECT FROM streamers WHERE id = :streamer_id FOR NO KEY UPDATE;

-- name: count_webhooks$
SELECT count(*) FROM webhooks WHERE streamer_id = :streamer_id;

-- name: list_webhooks
SELECT webhook.id, webhook.streamer_id, webhook.name, webhook.url, webhook.format, webhook.events, webhook.off_reason,
       webhook.off_at, webhook.delivered_at, webhook.failing_since, webhook.former_until, webhook.created_at,
       waiting.count AS waiting, waiting.next_try_at
FROM webhooks webhook
CROSS JOIN LATERAL (
    SELECT count(*) AS count, min(next_try_at) AS next_try_at FROM webhook_deliveries
    WHERE webhook_id = webhook.id AND status = 'waiting' AND NOT is_single) waiting
WHERE webhook.streamer_id = :streamer_id AND webhook.id = coalesce(:webhook_id::integer, webhook.id)
ORDER BY webhook.id;

-- name: update_webhook!
UPDATE webhooks SET name = :name, url = :url, format = :format, events = :events
WHERE id = :webhook_id AND streamer_id = :streamer_id;

-- name: delete_webhook!
DELETE FROM webhooks WHERE id = :webhook_id AND streamer_id = :streamer_id;

-- name: get_secrets^
SELECT secret_encrypted, CASE WHEN former_until > now() THEN former_secret_encrypted END AS former_secret_encrypted
FROM webhooks WHERE id = :webhook_id AND streamer_id = :streamer_id;

-- name: rotate_secret!
-- A second one within the day ends the first of them: there are never more than two.
UPDATE webhooks
SET former_secret_encrypted = secret_encrypted, former_until = now() + make_interval(hours => :hours),
    secret_encrypted = :secret_encrypted
WHERE id = :webhook_id AND streamer_id = :streamer_id;

-- name: switch_on!
UPDATE webhooks SET off_reason = '', off_at = NULL, failing_since = NULL
WHERE id = :webhook_id AND streamer_id = :streamer_id AND NOT is_on;

-- name: switch_off$
-- Unless it is off already.
UPDATE webhooks SET off_reason = :reason, off_at = now()
WHERE id = :webhook_id AND streamer_id = :streamer_id AND is_on
RETURNING id;

-- name: list_secrets
-- A batch after the last id.
SELECT id, secret_encrypted, former_secret_encrypted FROM webhooks WHERE id > :after_id ORDER BY id LIMIT :limit;

-- name: replace_secrets!
-- The same secrets under another key, if they are still there.
UPDATE webhooks SET secret_encrypted = :secret_encrypted, former_secret_encrypted = :former_secret_encrypted
WHERE id = :webhook_id AND secret_encrypted = :read_secret
  AND former_secret_encrypted IS NOT DISTINCT FROM :read_former_secret;

-- name: get_owner^
-- Whom to write to about a webhook.
SELECT users.id, users.email, users.locale
FROM streamers JOIN users ON users.id = streamers.owner_id
WHERE streamers.id = :streamer_id AND users.is_active;
