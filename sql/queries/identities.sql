-- name: find_identity_user^
-- Whose account signs in with this one, and that it did.
UPDATE identities SET last_used_at = now(), name = :name
FROM users
WHERE identities.provider = :provider AND identities.subject = :subject AND users.id = identities.user_id
RETURNING users.id, users.email, users.is_superuser, users.is_active;

-- name: insert_identity^
-- No row: it belongs to somebody, or the user has another one there.
INSERT INTO identities (user_id, provider, subject, name) VALUES (:user_id, :provider, :subject, :name)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: list_identities
SELECT provider, name, linked_at, last_used_at FROM identities WHERE user_id = :user_id ORDER BY linked_at, id;

-- name: lock_identities
-- With the user's row, so that of two presses the second sees what the first left.
SELECT identities.provider FROM users LEFT JOIN identities ON identities.user_id = users.id
WHERE users.id = :user_id FOR UPDATE OF users;

-- name: delete_identity!
DELETE FROM identities WHERE user_id = :user_id AND provider = :provider;

-- name: delete_identities_of!
DELETE FROM identities WHERE user_id = :user_id;
