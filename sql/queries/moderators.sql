-- name: count_moderators$
SELECT count(*) FROM moderators WHERE streamer_id = :streamer_id AND revoked_at IS NULL;

-- name: insert_moderator$
INSERT INTO moderators (streamer_id, public_id, nick, rights, link_hash, link_expires_at, expires_at)
VALUES (:streamer_id, :public_id, :nick, :rights::text[], :link_hash, now() + make_interval(days => :link_days),
        now() + make_interval(days => :days::integer))
RETURNING id;

-- name: list_moderators
-- All that were not revoked, the newest first; when each was seen last, and how much they decided in a week.
SELECT moderators.id, moderators.nick, moderators.rights, moderators.created_at, moderators.joined_at,
       moderators.expires_at, coalesce(moderators.expires_at <= now(), false) AS is_expired,
       moderators.session_id IS NOT NULL AS has_joined,
       coalesce(moderators.link_expires_at > now(), false) AS has_link,
       presence.seen_at,
       coalesce(moderators.session_id IS NOT NULL
                AND presence.seen_at > now() - make_interval(secs => :here_seconds), false) AS is_here,
       (SELECT count(*) FROM moderation_decisions decision
        WHERE decision.by_kind = 'moderator' AND decision.by_id = moderators.id AND decision.what <> 'undo'
          AND decision.decided_at > now() - interval '7 days') AS decisions
FROM moderators
LEFT JOIN moderation_presence presence ON presence.streamer_id = moderators.streamer_id
                                      AND presence.by_kind = 'moderator' AND presence.by_id = moderators.id
WHERE moderators.streamer_id = :streamer_id AND moderators.revoked_at IS NULL
ORDER BY moderators.id DESC;

-- name: update_moderator!
-- `keeps_expiry`: how long it lasts stays as it is.
UPDATE moderators
SET nick = coalesce(nullif(:nick, ''), nick), rights = :rights::text[],
    expires_at = CASE WHEN :keeps_expiry::boolean THEN expires_at
                      ELSE now() + make_interval(days => :days::integer) END
WHERE id = :moderator_id AND streamer_id = :streamer_id AND revoked_at IS NULL;

-- name: renew_link!
-- Another link; what was opened by the former ends.
UPDATE moderators
SET link_hash = :link_hash, link_expires_at = now() + make_interval(days => :link_days), session_id = NULL,
    session_hash = NULL
WHERE id = :moderator_id AND streamer_id = :streamer_id AND revoked_at IS NULL;

-- name: revoke_moderator!
UPDATE moderators
SET revoked_at = now(), link_hash = NULL, link_expires_at = NULL, session_id = NULL, session_hash = NULL
WHERE id = :moderator_id AND streamer_id = :streamer_id AND revoked_at IS NULL;

-- name: find_invitation^
-- What a link invites to, while it is good.
SELECT moderators.id, moderators.public_id, moderators.nick, moderators.rights, moderators.expires_at,
       streamers.display_name AS streamer_name, streamers.time_zone
FROM moderators JOIN streamers ON streamers.id = moderators.streamer_id
WHERE moderators.link_hash = :link_hash AND moderators.link_expires_at > now()
  AND (moderators.expires_at IS NULL OR moderators.expires_at > now())
  AND moderators.revoked_at IS NULL AND streamers.closed_at IS NULL;

-- name: use_link$
-- The link becomes a session; no row for whoever is second.
UPDATE moderators
SET link_hash = NULL, link_expires_at = NULL, session_id = gen_random_uuid(), session_hash = :session_hash,
    joined_at = now(), nick = CASE WHEN nick = '' THEN :nick ELSE nick END
WHERE link_hash = :link_hash AND link_expires_at > now() AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > now())
RETURNING streamer_id;

-- name: find_moderator^
-- Whose session this is, while it is good.
SELECT moderators.id, moderators.public_id, moderators.nick, moderators.rights, moderators.session_id,
       moderators.expires_at, moderators.streamer_id, streamers.display_name AS streamer_name, streamers.time_zone
FROM moderators JOIN streamers ON streamers.id = moderators.streamer_id
WHERE moderators.session_hash = :session_hash AND moderators.public_id = :public_id
  AND (moderators.expires_at IS NULL OR moderators.expires_at > now())
  AND moderators.revoked_at IS NULL AND streamers.closed_at IS NULL;

-- name: end_session!
UPDATE moderators SET session_id = NULL, session_hash = NULL WHERE id = :moderator_id;

-- name: list_good_sessions
-- Those of these that still let in.
SELECT moderators.session_id
FROM moderators JOIN streamers ON streamers.id = moderators.streamer_id
WHERE moderators.session_id = ANY(:session_ids::uuid[]) AND moderators.revoked_at IS NULL
  AND (moderators.expires_at IS NULL OR moderators.expires_at > now()) AND streamers.closed_at IS NULL;

-- name: note_here$
-- Somebody looks now. Whether others did not know that yet.
WITH before AS (
    SELECT seen_at FROM moderation_presence
    WHERE streamer_id = :streamer_id AND by_kind = :by_kind AND by_id = :by_id
)
INSERT INTO moderation_presence (streamer_id, by_kind, by_id, by_name)
VALUES (:streamer_id, :by_kind, :by_id, :by_name)
ON CONFLICT (streamer_id, by_kind, by_id) DO UPDATE SET by_name = excluded.by_name, seen_at = now()
RETURNING NOT EXISTS (SELECT FROM before WHERE seen_at > now() - make_interval(secs => :here_seconds));

-- name: list_here
-- Who looks now, the streamer first. A moderator whose session ended looks no more.
SELECT presence.by_kind, presence.by_id, presence.by_name
FROM moderation_presence presence
WHERE presence.streamer_id = :streamer_id AND presence.seen_at > now() - make_interval(secs => :here_seconds)
  AND (presence.by_kind <> 'moderator'
       OR EXISTS (SELECT FROM moderators
                  WHERE moderators.id = presence.by_id AND moderators.session_id IS NOT NULL
                    AND (moderators.expires_at IS NULL OR moderators.expires_at > now())))
ORDER BY presence.by_kind = 'moderator', presence.by_name, presence.by_id;
