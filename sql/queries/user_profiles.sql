-- name: get_person^
SELECT * FROM people WHERE id = :user_id;

-- name: list_people
-- By number, oldest first.
SELECT * FROM people ORDER BY id OFFSET :skip LIMIT :limit;

-- name: find_username$
-- Whose it is.
SELECT user_id FROM user_profiles WHERE username_key = :username_key;

-- name: get_profile^
SELECT username, full_name, avatar_url, bio, is_streamer FROM user_profiles WHERE user_id = :user_id;

-- name: lock_profile$
-- Also of one that is not there yet.
SELECT pg_advisory_xact_lock(hashtext('user profiles'), :user_id)::text;

-- name: save_profile!
-- What comes with the account, in its transaction, is no update.
INSERT INTO user_profiles (user_id, username, username_key, full_name, avatar_url, bio, is_streamer, updated_at)
VALUES (:user_id, :username, :username_key, :full_name, :avatar_url, :bio, :is_streamer,
        (SELECT now() FROM users WHERE id = :user_id AND created_at < now()))
ON CONFLICT (user_id) DO UPDATE
SET username = :username, username_key = :username_key, full_name = :full_name, avatar_url = :avatar_url, bio = :bio,
    is_streamer = :is_streamer, updated_at = now();
