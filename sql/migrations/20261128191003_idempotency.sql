-- migrate:up

-- Requests and answers may hold passwords and what their owner keeps encrypted: answers are encrypted, and what was
-- asked for is a keyed hash. What was kept before goes; of it stays that it was done, so that nothing is done twice.
UPDATE idempotency_keys
SET fingerprint = sha256(gen_random_uuid()::text::bytea), status = NULL, headers = NULL, body = NULL;
COMMENT ON COLUMN idempotency_keys.fingerprint IS 'HMAC-SHA-256 of the method, the path and the body';
COMMENT ON COLUMN idempotency_keys.body IS 'encrypted with SECRET_KEYS';

-- migrate:down
