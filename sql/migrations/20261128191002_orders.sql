-- migrate:up

-- Whether an order that comes again asks for the same: a keyed hash of all that its client said. Null: it was made
-- before there were such hashes, or with a key that is gone; then nobody can show that he is the one who made it.
ALTER TABLE api_donations ADD COLUMN asked_digest bytea CHECK (length(asked_digest) = 32);

-- migrate:down
