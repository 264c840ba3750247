-- name: list_cards
-- Pages as API v1 shows them. Verified: a bank has looked at who receives the money, by a terminal that is not for
-- trying out.
SELECT streamers.id, streamers.owner_id AS user_id, streamers.slug, streamers.display_name, streamers.about,
       streamers.min_amount_minor, streamers.max_amount_minor, streamers.created_at,
       streamers.featured_place IS NOT NULL AS is_featured,
       coalesce((SELECT is_test IS NOT TRUE FROM terminals
                 WHERE terminals.streamer_id = streamers.id AND terminals.retired_at IS NULL
                 ORDER BY chosen_at DESC, id DESC LIMIT 1), false) AS is_verified,
       coalesce(totals.net_minor, 0)::bigint AS current_donations_minor,
       extras.stream_title, coalesce(extras.donation_goal_minor, 0)::bigint AS donation_goal_minor,
       extras.widget_settings, extras.alert_settings, extras.payment_settings_encrypted, extras.updated_at,
       coalesce(profiles.username, 'user' || streamers.owner_id) AS username, profiles.full_name, profiles.avatar_url,
       coalesce(encode(avatar.sha256, 'hex'), '') AS avatar
FROM streamers
LEFT JOIN streamer_totals AS totals ON totals.streamer_id = streamers.id
LEFT JOIN streamer_extras AS extras ON extras.streamer_id = streamers.id
LEFT JOIN user_profiles AS profiles ON profiles.user_id = streamers.owner_id
LEFT JOIN media AS avatar ON avatar.id = streamers.avatar_id
WHERE streamers.id = ANY(:ids::integer[])
ORDER BY array_position(:ids::integer[], streamers.id);

-- name: get_extras^
SELECT stream_title, donation_goal_minor, widget_settings, alert_settings, payment_settings_encrypted
FROM streamer_extras WHERE streamer_id = :streamer_id;

-- name: save_extras!
-- What comes with the page, in its transaction, is no update.
INSERT INTO streamer_extras (streamer_id, stream_title, donation_goal_minor, widget_settings, alert_settings,
                             payment_settings_encrypted, updated_at)
VALUES (:streamer_id, :stream_title, :donation_goal_minor, :widget_settings, :alert_settings,
        :payment_settings_encrypted, (SELECT now() FROM streamers WHERE id = :streamer_id AND created_at < now()))
ON CONFLICT (streamer_id) DO UPDATE
SET stream_title = :stream_title, donation_goal_minor = :donation_goal_minor, widget_settings = :widget_settings,
    alert_settings = :alert_settings, payment_settings_encrypted = :payment_settings_encrypted, updated_at = now();

-- name: list_payment_settings
-- As stored, a batch after the last id.
SELECT streamer_id AS id, payment_settings_encrypted FROM streamer_extras
WHERE streamer_id > :after_id AND payment_settings_encrypted IS NOT NULL ORDER BY streamer_id LIMIT :limit;

-- name: replace_payment_settings!
-- The same under another key.
UPDATE streamer_extras SET payment_settings_encrypted = :payment_settings_encrypted
WHERE streamer_id = :streamer_id AND payment_settings_encrypted = :read_settings;
