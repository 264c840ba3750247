-- name: insert_letter$
INSERT INTO letters (kind, recipient, user_id, locale, data, secret_encrypted, message_id, expires_at)
VALUES (:kind, :recipient, :user_id, :locale, :data, :secret_encrypted, :message_id,
        now() + make_interval(mins => :minutes))
RETURNING id;

-- name: claim_letter^
-- One try: nobody else takes it for `seconds`. No row: it is over, being sent, or not yet due.
UPDATE letters SET tries = tries + 1, next_try_at = now() + make_interval(secs => :seconds)
WHERE id = :letter_id AND status = 'waiting' AND next_try_at <= now()
RETURNING id, kind, recipient, locale, data, secret_encrypted, message_id, tries, created_at, expires_at <= now() AS is_late;

-- name: finish_letter!
-- Sent or given up, unless another try has taken it over meanwhile.
UPDATE letters
SET status = :status, finished_at = now(), next_try_at = NULL, secret_encrypted = NULL,
    error_reason = :reason, error_message = :message
WHERE id = :letter_id AND status = 'waiting' AND tries = :tries;

-- name: postpone_letter!
UPDATE letters
SET next_try_at = now() + make_interval(secs => :seconds), error_reason = :reason, error_message = :message
WHERE id = :letter_id AND status = 'waiting' AND tries = :tries;

-- name: list_due_letters
-- Letters whose time came a while ago: their message was lost.
SELECT id FROM letters WHERE next_try_at < now() - interval '30 seconds' ORDER BY next_try_at LIMIT 200;

-- name: get_letter^
SELECT id, kind, recipient, status, tries, error_reason, error_message, created_at, finished_at
FROM letters WHERE id = :letter_id;

-- name: list_latest_letters
SELECT id, kind, recipient, status, tries, error_reason, error_message, created_at, finished_at
FROM letters ORDER BY id DESC LIMIT :limit;

-- name: take_letters_to!
-- An address is about to be a former one of this account: what went to it stays the account's.
UPDATE letters SET user_id = :user_id
WHERE user_id IS NULL AND recipient = (SELECT email FROM users WHERE id = :user_id);

-- name: delete_letters_of!
-- About an account, to whatever address, and to the address it has.
DELETE FROM letters WHERE user_id = :user_id OR recipient = :recipient;

-- name: list_letter_secrets
-- Letters that hold a secret, a batch after the last id.
SELECT id, secret_encrypted FROM letters
WHERE id > :after_id AND secret_encrypted IS NOT NULL ORDER BY id LIMIT :limit;

-- name: replace_letter_secret!
-- The same secret under another key, if it is still there.
UPDATE letters SET secret_encrypted = :secret_encrypted
WHERE id = :letter_id AND secret_encrypted = :read_secret;
