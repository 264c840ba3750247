-- name: get_streamer^
SELECT id, owner_id, slug, display_name, about, time_zone, currency, min_amount_minor, max_amount_minor,
       preset_amounts_minor, message_max_length, alert_min_seconds, alert_max_seconds, overlay_return_seconds
FROM streamers WHERE id = :streamer_id;

-- name: find_by_slug^
SELECT id, owner_id, slug, display_name, about, time_zone, currency, min_amount_minor, max_amount_minor,
       preset_amounts_minor, message_max_length, alert_min_seconds, alert_max_seconds, overlay_return_seconds
FROM streamers WHERE slug = :slug;

-- name: find_by_owner^
SELECT id, owner_id, slug, display_name, about, time_zone, currency, min_amount_minor, max_amount_minor,
       preset_amounts_minor, message_max_length, alert_min_seconds, alert_max_seconds, overlay_return_seconds
FROM streamers WHERE owner_id = :user_id;

-- name: list_streamers
-- Every streamer by name, for superusers.
SELECT id, owner_id, slug, display_name, about, time_zone, currency, min_amount_minor, max_amount_minor,
       preset_amounts_minor, message_max_length, alert_min_seconds, alert_max_seconds, overlay_return_seconds
FROM streamers ORDER BY lower(display_name), id LIMIT :limit;

-- name: insert_streamer^
-- No row when the slug is taken or the owner has a page.
INSERT INTO streamers (owner_id, slug, display_name, time_zone)
VALUES (:owner_id, :slug, :display_name, :time_zone)
ON CONFLICT DO NOTHING
RETURNING id, owner_id, slug, display_name, about, time_zone, currency, min_amount_minor, max_amount_minor,
          preset_amounts_minor, message_max_length, alert_min_seconds, alert_max_seconds, overlay_return_seconds;

-- name: is_open$
-- Neither closed with its owner's account nor blocked with it.
SELECT EXISTS (
    SELECT FROM streamers JOIN users ON users.id = streamers.owner_id
    WHERE streamers.id = :streamer_id AND streamers.closed_at IS NULL AND users.is_active);
