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

-- name: insert_streamer^
-- No row when the slug is or was another's, or the owner has a page.
INSERT INTO streamers (owner_id, slug, display_name, time_zone)
SELECT :owner_id, :slug, :display_name, :time_zone
WHERE NOT EXISTS (SELECT FROM slugs WHERE slug = :slug)
ON CONFLICT DO NOTHING
RETURNING id, owner_id, slug, display_name, about, time_zone, currency, min_amount_minor, max_amount_minor,
          preset_amounts_minor, message_max_length, alert_min_seconds, alert_max_seconds, overlay_return_seconds;

-- name: is_open$
-- Neither closed with its owner's account nor blocked with it.
SELECT EXISTS (
    SELECT FROM streamers JOIN users ON users.id = streamers.owner_id
    WHERE streamers.id = :streamer_id AND streamers.closed_at IS NULL AND users.is_active);
-- name: find_slug_owner$
-- Whose this name is or was.
SELECT streamer_id FROM slugs WHERE slug = :slug;

-- name: count_slugs$
SELECT count(*) FROM slugs WHERE streamer_id = :streamer_id;

-- name: list_former_slugs
-- The newest first.
SELECT slugs.slug
FROM slugs JOIN streamers ON streamers.id = slugs.streamer_id
WHERE slugs.streamer_id = :streamer_id AND slugs.slug <> streamers.slug
ORDER BY slugs.taken_at DESC, slugs.slug;

-- name: set_slug!
UPDATE streamers SET slug = :slug WHERE id = :streamer_id;
