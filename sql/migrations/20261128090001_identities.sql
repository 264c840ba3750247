-- migrate:up

-- Accounts at other sites that sign a user in (Yandex ID, VK ID) or are only linked (Twitch, YouTube).
CREATE TABLE identities (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users ON DELETE CASCADE,
    provider text NOT NULL CHECK (provider ~ '^[a-z]{2,20}$'),
    -- Never changes at the other site; the name may.
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 128),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    linked_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    UNIQUE (provider, subject),
    UNIQUE (user_id, provider)
);

-- migrate:down
