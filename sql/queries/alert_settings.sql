-- name: get_settings^
-- What a streamer chose about her alerts; without a row of her own only what stands elsewhere (`tiers` is null).
SELECT streamers.id AS streamer_id, streamers.owner_id, streamers.created_at, streamers.alert_min_seconds,
       streamers.alert_max_seconds, settings.updated_at, settings.alerts_enabled, settings.show_anonymous,
       settings.min_amount_for_alert_minor, settings.sound_enabled, settings.sound_volume, settings.sound_file_url,
       settings.visual_enabled, settings.alert_duration, settings.text_color, settings.background_color,
       settings.font_size, settings.donation_text_template, settings.anonymous_text_template, settings.tiers,
       (SELECT locale FROM users WHERE users.id = streamers.owner_id) AS locale,
       ARRAY(SELECT pattern FROM moderation_words
             WHERE moderation_words.streamer_id = streamers.id AND kind = 'word' ORDER BY pattern, id) AS words
FROM streamers LEFT JOIN alert_settings settings ON settings.streamer_id = streamers.id
WHERE streamers.id = :streamer_id;

-- name: save_settings!
INSERT INTO alert_settings (streamer_id, alerts_enabled, show_anonymous, min_amount_for_alert_minor, sound_enabled,
                            sound_volume, sound_file_url, visual_enabled, alert_duration, text_color, background_color,
                            font_size, donation_text_template, anonymous_text_template, tiers)
VALUES (:streamer_id, :alerts_enabled, :show_anonymous, :min_amount_for_alert_minor, :sound_enabled, :sound_volume,
        :sound_file_url, :visual_enabled, :alert_duration, :text_color, :background_color, :font_size,
        :donation_text_template, :anonymous_text_template, :tiers)
ON CONFLICT (streamer_id) DO UPDATE
SET alerts_enabled = excluded.alerts_enabled, show_anonymous = excluded.show_anonymous,
    min_amount_for_alert_minor = excluded.min_amount_for_alert_minor, sound_enabled = excluded.sound_enabled,
    sound_volume = excluded.sound_volume, sound_file_url = excluded.sound_file_url,
    visual_enabled = excluded.visual_enabled, alert_duration = excluded.alert_duration,
    text_color = excluded.text_color, background_color = excluded.background_color, font_size = excluded.font_size,
    donation_text_template = excluded.donation_text_template,
    anonymous_text_template = excluded.anonymous_text_template, tiers = excluded.tiers, updated_at = now();

-- name: set_limits!
-- How long an alert may stay.
UPDATE streamers SET alert_min_seconds = :least_seconds, alert_max_seconds = :most_seconds
WHERE id = :streamer_id
  AND (alert_min_seconds, alert_max_seconds) IS DISTINCT FROM (:least_seconds::integer, :most_seconds::integer);

-- name: delete_settings!
DELETE FROM alert_settings WHERE streamer_id = :streamer_id;
