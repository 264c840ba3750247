-- migrate:up

-- An application calls with another token every hour, and repeats with the next what it asked for with the one before.
COMMENT ON COLUMN idempotency_keys.key_id IS 'a key, or less than 0: a grant; 0: the person herself';

-- migrate:down
