-- migrate:up

-- What a person's signed API tokens (JWT) must name: one more than before ends them all.
ALTER TABLE users ADD COLUMN token_version integer NOT NULL DEFAULT 1 CHECK (token_version > 0);

-- migrate:down
