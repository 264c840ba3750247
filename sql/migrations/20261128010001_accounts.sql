-- migrate:up

ALTER TABLE users
    ADD COLUMN locale text NOT NULL DEFAULT 'ru' CHECK (locale IN ('ru', 'en')),
    -- What its owner agreed to when registering; null for accounts that an operator made.
    ADD COLUMN consent_version text,
    ADD COLUMN consented_at timestamptz,
    -- When a letter to the address was answered with its code.
    ADD COLUMN email_confirmed_at timestamptz,
    ADD COLUMN password_set_at timestamptz NOT NULL DEFAULT now(),
    -- Its owner wants it gone at this time, and may think again until then.
    ADD COLUMN delete_at timestamptz,
    -- What was asked for at delete_at is done. What is left of the account is its number.
    ADD COLUMN erased_at timestamptz,
    ADD CONSTRAINT users_erased CHECK (erased_at IS NULL OR (NOT is_active AND NOT is_superuser));
CREATE INDEX users_delete_at ON users (delete_at) WHERE delete_at IS NOT NULL AND erased_at IS NULL;

-- A session is named to its owner by a number; the token stays in the cookie.
ALTER TABLE sessions
    ADD COLUMN id integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();

-- A page whose owner's account was deleted. Its address stays taken: nobody may go on under that name.
ALTER TABLE streamers ADD COLUMN closed_at timestamptz;

-- Browsers that signed in to an account before: a stranger's wrong passwords do not lock them out.
CREATE TABLE known_browsers (
    token_hash bytea NOT NULL CHECK (length(token_hash) = 32),
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (token_hash, user_id)
);
CREATE INDEX known_browsers_used_at ON known_browsers (used_at);
CREATE INDEX known_browsers_user ON known_browsers (user_id);

-- A question by mail whether somebody owns an address. The browser that asked holds the token; the code is hashed with
-- that token, so that six digits cannot be tried out by who reads this table.
CREATE TABLE confirmations (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    purpose text NOT NULL CHECK (purpose IN ('register', 'password', 'email')),
    email text NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    -- Null: no code fits, since the address is not the one it should be. The page must not show it.
    code_hash bytea CHECK (length(code_hash) = 32),
    -- Whose password or address changes; null for somebody new.
    user_id integer REFERENCES users ON DELETE CASCADE,
    -- The account to be, of who registers.
    password_hash text,
    consent_version text,
    link_id integer,
    locale text NOT NULL CHECK (locale IN ('ru', 'en')),
    tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    letters integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CHECK ((purpose = 'register') = (password_hash IS NOT NULL)),
    CHECK ((purpose = 'register') = (consent_version IS NOT NULL))
);
CREATE INDEX confirmations_expires_at ON confirmations (expires_at);
CREATE INDEX confirmations_user ON confirmations (user_id) WHERE user_id IS NOT NULL;

-- One-time links that an operator hands out: the first account, an invitation, a new password.
CREATE TABLE one_time_links (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('first', 'invite', 'password')),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    -- Of the first account's link alone, which is shown again at each start until it is used.
    token_encrypted text,
    user_id integer REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    used_at timestamptz,
    CHECK ((purpose = 'password') = (user_id IS NOT NULL)),
    CHECK (purpose = 'first' OR (token_encrypted IS NULL AND expires_at IS NOT NULL)),
    CHECK (used_at IS NULL OR token_encrypted IS NULL)
);
CREATE UNIQUE INDEX one_time_links_first ON one_time_links (purpose) WHERE purpose = 'first' AND used_at IS NULL;
ALTER TABLE confirmations ADD FOREIGN KEY (link_id) REFERENCES one_time_links ON DELETE SET NULL;

-- What is to be mailed, asked for in the transaction of the fact. The words are made when it is sent.
CREATE TABLE letters (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
    recipient text NOT NULL CHECK (length(recipient) BETWEEN 3 AND 254),
    locale text NOT NULL CHECK (locale IN ('ru', 'en')),
    data jsonb NOT NULL DEFAULT '{}',
    -- The code in it, encrypted; gone as soon as the letter is sent or given up.
    secret_encrypted text,
    -- The same at every try, so that a mail program shows one that came twice once.
    message_id text NOT NULL UNIQUE,
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'sent', 'failed')),
    tries integer NOT NULL DEFAULT 0,
    next_try_at timestamptz DEFAULT now(),
    -- After this it is of no use any more.
    expires_at timestamptz NOT NULL,
    error_reason text NOT NULL DEFAULT '',
    error_message text NOT NULL DEFAULT '' CHECK (length(error_message) <= 500),
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((status = 'waiting') = (finished_at IS NULL)),
    CHECK ((status = 'waiting') = (next_try_at IS NOT NULL)),
    CHECK (status = 'waiting' OR secret_encrypted IS NULL)
);
CREATE INDEX letters_due ON letters (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX letters_created_at ON letters (created_at);

-- Who did what to whose account; kept when either is gone.
CREATE TABLE account_log (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    by_user_id integer REFERENCES users ON DELETE SET NULL,
    action text NOT NULL CHECK (length(action) BETWEEN 1 AND 40),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX account_log_user ON account_log (user_id, id DESC);

-- migrate:down
