-- name: get_look^
-- What strangers see of a streamer, pictures by their SHA-256.
SELECT streamers.slug, streamers.display_name, streamers.about, streamers.links, streamers.thanks, streamers.accent,
       coalesce(encode(avatar.sha256, 'hex'), '') AS avatar, coalesce(encode(banner.sha256, 'hex'), '') AS banner
FROM streamers
LEFT JOIN media AS avatar ON avatar.id = streamers.avatar_id
LEFT JOIN media AS banner ON banner.id = streamers.banner_id
WHERE streamers.id = :streamer_id;

-- name: is_listed$
SELECT is_listed FROM streamers WHERE id = :streamer_id;

-- name: lock_streamer$
-- One save of her settings at a time, until the end of the transaction.
SELECT id FROM streamers WHERE id = :streamer_id FOR NO KEY UPDATE;

-- name: save_profile!
UPDATE streamers
SET display_name = :display_name, about = :about, links = :links::text[], thanks = :thanks, accent = :accent,
    min_amount_minor = :min_amount_minor, max_amount_minor = :max_amount_minor,
    preset_amounts_minor = :preset_amounts_minor::bigint[], message_max_length = :message_max_length,
    time_zone = :time_zone, is_listed = :is_listed
WHERE id = :streamer_id;

-- name: set_avatar!
UPDATE streamers SET avatar_id = :media_id WHERE id = :streamer_id;

-- name: set_banner!
UPDATE streamers SET banner_id = :media_id WHERE id = :streamer_id;

-- name: list_public
-- Who wants to be found and can receive money (through a terminal for trying out only `with_tests`): the featured
-- first, then by name. What comes after one of them is what is greater than that one, so a page neither repeats nor
-- leaves out anybody who was there all the time.
SELECT streamers.id, streamers.slug, streamers.display_name, streamers.about,
       streamers.featured_place IS NOT NULL AS is_featured,
       coalesce(encode(avatar.sha256, 'hex'), '') AS avatar
FROM streamers
JOIN users ON users.id = streamers.owner_id AND users.is_active
LEFT JOIN media AS avatar ON avatar.id = streamers.avatar_id
WHERE streamers.is_listed AND streamers.closed_at IS NULL
  AND (SELECT :with_tests OR is_test IS NOT TRUE FROM terminals
       WHERE terminals.streamer_id = streamers.id AND terminals.retired_at IS NULL
       ORDER BY chosen_at DESC, id DESC LIMIT 1)
  AND (:search = '' OR strpos(lower(streamers.display_name), lower(:search)) > 0
       OR strpos(streamers.slug, lower(:search)) > 0)
  AND (NOT :only_featured OR streamers.featured_place IS NOT NULL)
  AND (:after_id::integer IS NULL
       OR (coalesce(streamers.featured_place, 2147483647), lower(streamers.display_name), streamers.id)
        > (SELECT coalesce(seen.featured_place, 2147483647), lower(seen.display_name), seen.id
           FROM streamers AS seen WHERE seen.id = :after_id))
ORDER BY coalesce(streamers.featured_place, 2147483647), lower(streamers.display_name), streamers.id
OFFSET :skip LIMIT :limit;

-- name: list_all
-- Every streamer, for the operator.
SELECT streamers.slug, streamers.display_name, users.email, users.is_active, streamers.is_listed,
       streamers.featured_place, streamers.created_at,
       EXISTS (SELECT FROM terminals
               WHERE terminals.streamer_id = streamers.id AND terminals.retired_at IS NULL) AS can_receive,
       coalesce(encode(avatar.sha256, 'hex'), '') AS avatar
FROM streamers
JOIN users ON users.id = streamers.owner_id
LEFT JOIN media AS avatar ON avatar.id = streamers.avatar_id
WHERE (:search = '' OR strpos(lower(streamers.display_name), lower(:search)) > 0
       OR strpos(streamers.slug, lower(:search)) > 0 OR strpos(users.email, lower(:search)) > 0)
  AND (:after_id::integer IS NULL
       OR (lower(streamers.display_name), streamers.id)
        > (SELECT lower(seen.display_name), seen.id FROM streamers AS seen WHERE seen.id = :after_id))
ORDER BY lower(streamers.display_name), streamers.id
LIMIT :limit;

-- name: list_featured
SELECT id, slug, display_name, is_listed FROM streamers WHERE featured_place IS NOT NULL ORDER BY featured_place, id;

-- name: lock_featured!
-- One change of the order at a time, until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtext('featured streamers'));

-- name: set_featured_place!
UPDATE streamers SET featured_place = :place WHERE id = :streamer_id;
