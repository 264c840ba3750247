-- migrate:up

-- People as REST API v1 shows them, also those who await their code: `username` is `user<id>` for who never chose one,
-- `is_streamer` is true of who has a page or said she wants one.
CREATE VIEW people AS
SELECT users.id, users.email, users.is_active, users.created_at, users.email_confirmed_at IS NOT NULL AS email_verified,
       coalesce(profiles.username, 'user' || users.id) AS username, profiles.full_name, profiles.avatar_url,
       profiles.bio, profiles.updated_at,
       coalesce(profiles.is_streamer, false)
       OR EXISTS (SELECT FROM streamers WHERE owner_id = users.id AND closed_at IS NULL) AS is_streamer
FROM users LEFT JOIN user_profiles AS profiles ON profiles.user_id = users.id
WHERE users.erased_at IS NULL;

-- migrate:down
