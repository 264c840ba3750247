-- name: get_person^
SELECT users.id, users.email, users.is_active, users.created_at, users.email_confirmed_at IS NOT NULL AS email_verified,
       coalesce(profiles.username, 'user' || users.id) AS username, profiles.full_name, profiles.avatar_url,
       profiles.bio, profiles.updated_at,
       coalesce(profiles.is_streamer, false)
       OR EXISTS (SELECT FROM streamers WHERE owner_id = users.id AND closed_at IS NULL) AS is_streamer
FROM users LEFT JOIN user_profiles AS profiles ON profiles.user_id = users.id
WHERE users.id = :user_id AND users.erased_at IS NULL;

-- name: list_people
-- By number, oldest first, also those who await their code.
SELECT users.id, users.email, users.is_active, users.created_at, users.email_confirmed_at IS NOT NULL AS email_verified,
       coalesce(profiles.username, 'user' || users.id) AS username, profiles.full_name, profiles.avatar_url,
       profiles.bio, profiles.updated_at,
       coalesce(profiles.is_streamer, false)
       OR EXISTS (SELECT FROM streamers WHERE owner_id = users.id AND closed_at IS NULL) AS is_streamer
FROM users LEFT JOIN user_profiles AS profiles ON profiles.user_id = users.id
WHERE users.erased_at IS NULL
ORDER BY users.id OFFSET :skip LIMIT :limit;

-- name: find_username$
-- Whose it is.
SELECT user_id FROM user_profiles WHERE username_key = :username_key;

-- name: get_profile^
SELECT username, full_name, avatar_url, bio, is_streamer FROM user_profiles WHERE user_id = :user_id;

-- name: save_profile!
-- What comes with the account, in its transaction, is no update.
INSERT INTO user_profiles (user_id, username, username_key, full_name, avatar_url, bio, is_streamer, updated_at)
VALUES (:user_id, :username, :username_key, :full_name, :avatar_url, :bio, :is_streamer,
        (SELECT now() FROM users WHERE id = :user_id AND created_at < now()))
ON CONFLICT (user_id) DO UPDATE
SET username = :username, username_key = :username_key, full_name = :full_name, avatar_url = :avatar_url, bio = :bio,
    is_streamer = :is_streamer, updated_at = now();
