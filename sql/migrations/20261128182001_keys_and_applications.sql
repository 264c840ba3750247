-- migrate:up

-- A key is for its user's own page: what refers to both refers to a pair that there is.
ALTER TABLE streamers ADD CONSTRAINT streamers_id_owner_id_key UNIQUE (id, owner_id);

-- Programs of others, registered by a user to ask streamers for access (OAuth 2.0).
CREATE TABLE applications (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    client_id text NOT NULL UNIQUE CHECK (client_id ~ '^app_[A-Za-z0-9_-]{22}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    site_url text NOT NULL CHECK (length(site_url) <= 500),
    redirect_uris text[] NOT NULL CHECK (cardinality(redirect_uris) BETWEEN 1 AND 10),
    -- Null: public, a program in people's own hands, which can keep no secret.
    secret_hash bytea CHECK (length(secret_hash) = 32),
    secret_hint text CHECK (length(secret_hint) = 4),
    secret_made_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- By the operator: nothing it was given works.
    switched_off_at timestamptz,
    CHECK ((secret_hash IS NULL) = (secret_hint IS NULL)),
    CHECK ((secret_hash IS NULL) = (secret_made_at IS NULL))
);
CREATE INDEX applications_owner ON applications (owner_id, id);

-- What a user allowed an application, once: a code first, which is exchanged for tokens, and what is refreshed from them.
CREATE TABLE grants (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    application_id integer NOT NULL REFERENCES applications ON DELETE CASCADE,
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    streamer_id integer NOT NULL,
    scopes text[] NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 50),
    code_hash bytea NOT NULL UNIQUE CHECK (length(code_hash) = 32),
    code_expires_at timestamptz NOT NULL,
    code_challenge text NOT NULL CHECK (length(code_challenge) BETWEEN 43 AND 128),
    redirect_uri text NOT NULL CHECK (length(redirect_uri) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL DEFAULT now(),
    exchanged_at timestamptz,
    used_at timestamptz,
    revoked_at timestamptz,
    FOREIGN KEY (streamer_id, user_id) REFERENCES streamers (id, owner_id) ON DELETE CASCADE
);
CREATE INDEX grants_user ON grants (user_id, application_id) WHERE revoked_at IS NULL;
CREATE INDEX grants_application ON grants (application_id);
CREATE INDEX grants_unused_codes ON grants (code_expires_at) WHERE exchanged_at IS NULL;

-- One of them is good at a time: each is used once, and its use makes the next.
CREATE TABLE refresh_tokens (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    grant_id integer NOT NULL REFERENCES grants ON DELETE CASCADE,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE UNIQUE INDEX refresh_tokens_unused ON refresh_tokens (grant_id) WHERE used_at IS NULL;
CREATE INDEX refresh_tokens_grant ON refresh_tokens (grant_id);
CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at);

-- Bearers `sc_…` of the API: a user's own keys, and what applications were given.
CREATE TABLE access_tokens (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    streamer_id integer NOT NULL,
    -- Null: the user's own key.
    grant_id integer REFERENCES grants ON DELETE CASCADE,
    name text NOT NULL CHECK (length(name) <= 60),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    hint text NOT NULL CHECK (length(hint) = 4),
    scopes text[] NOT NULL CHECK (cardinality(scopes) BETWEEN 1 AND 50),
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz,
    -- Null: never.
    expires_at timestamptz,
    revoked_at timestamptz,
    FOREIGN KEY (streamer_id, user_id) REFERENCES streamers (id, owner_id) ON DELETE CASCADE,
    CHECK ((grant_id IS NULL) = (name <> '')),
    CHECK (grant_id IS NULL OR expires_at IS NOT NULL)
);
CREATE INDEX access_tokens_user ON access_tokens (user_id, id) WHERE grant_id IS NULL;
CREATE INDEX access_tokens_grant ON access_tokens (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX access_tokens_expires_at ON access_tokens (expires_at);

-- migrate:down
