-- migrate:up

-- Whose account a letter is about: those to a former or a wished address leave with the account, too.
ALTER TABLE letters ADD COLUMN user_id integer REFERENCES users ON DELETE CASCADE;
CREATE INDEX letters_user ON letters (user_id) WHERE user_id IS NOT NULL;

UPDATE letters SET user_id = users.id FROM users WHERE users.email = letters.recipient;
WITH former AS (
    SELECT letters.recipient, users.id FROM letters JOIN users ON users.email = letters.data ->> 'new_email'
    WHERE letters.kind = 'email_changed')
UPDATE letters SET user_id = former.id FROM former
WHERE letters.recipient = former.recipient AND letters.user_id IS NULL;

-- migrate:down
