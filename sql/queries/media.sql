-- name: insert_media$
-- The same picture again is the row there already.
INSERT INTO media (streamer_id, kind, sha256, content_type, content)
VALUES (:streamer_id, :kind, sha256(:content), :content_type, :content)
ON CONFLICT (streamer_id, sha256) DO UPDATE SET kind = excluded.kind
RETURNING id;

-- name: find_content^
-- Whoever's it is: the same name is the same bytes.
SELECT content, content_type FROM media WHERE sha256 = :sha256 LIMIT 1;

-- name: delete_unused_pictures!
-- Avatars and banners that no page shows any more.
DELETE FROM media USING streamers
WHERE media.streamer_id = :streamer_id AND streamers.id = media.streamer_id AND media.kind IN ('avatar', 'banner')
  AND media.id IS DISTINCT FROM streamers.avatar_id AND media.id IS DISTINCT FROM streamers.banner_id;
