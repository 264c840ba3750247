-- migrate:up

-- Registered through REST API v1, whose code has not come back yet: nobody's account. Whoever proves the address
-- elsewhere takes it over.
ALTER TABLE users ADD COLUMN awaits_code boolean NOT NULL DEFAULT false;
CREATE INDEX users_awaiting ON users (created_at) WHERE awaits_code;

-- What API v1 says of a person beside the account. Pages show none of it.
CREATE TABLE user_profiles (
    user_id integer PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    -- Null: `user<id>`. The key is what two names must not share: the name without regard to case.
    username text CHECK (length(username) BETWEEN 1 AND 60),
    username_key text UNIQUE,
    full_name text CHECK (length(full_name) <= 200),
    avatar_url text CHECK (length(avatar_url) <= 1000),
    bio text CHECK (length(bio) <= 1000),
    -- Registered as somebody who wants a page.
    is_streamer boolean NOT NULL DEFAULT false,
    updated_at timestamptz,
    CHECK ((username IS NULL) = (username_key IS NULL))
);

-- What API v1 says of a page beside its own settings: its clients keep it here, and nothing of ours acts on it.
CREATE TABLE streamer_extras (
    streamer_id integer PRIMARY KEY REFERENCES streamers ON DELETE CASCADE,
    stream_title text CHECK (length(stream_title) <= 200),
    donation_goal_minor bigint NOT NULL DEFAULT 0 CHECK (donation_goal_minor BETWEEN 0 AND 100000000000),
    widget_settings text CHECK (length(widget_settings) <= 20000),
    alert_settings text CHECK (length(alert_settings) <= 20000),
    -- Clients of the first version may have put a terminal's password there.
    payment_settings_encrypted text,
    updated_at timestamptz
);

ALTER TABLE confirmations
    -- Of codes that come back with the address alone, since clients of API v1 keep no cookie. Null: with the browser's.
    ADD COLUMN token_encrypted text,
    DROP CONSTRAINT confirmations_purpose_check,
    ADD CONSTRAINT confirmations_purpose_check CHECK (purpose IN ('register', 'password', 'email', 'verify'));
CREATE INDEX confirmations_by_address ON confirmations (email)
    WHERE token_encrypted IS NOT NULL AND used_at IS NULL;

-- migrate:down
