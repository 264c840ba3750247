-- migrate:up

-- Who helps a streamer: one row a person, let in by a link and known afterwards by the session that the link was
-- exchanged for. A new link ends the session before it, so a person is in one browser.
CREATE TABLE moderators (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    streamer_id integer NOT NULL REFERENCES streamers ON DELETE CASCADE,
    -- In the address of their page; no secret.
    public_id text NOT NULL UNIQUE CHECK (length(public_id) BETWEEN 16 AND 32),
    -- Empty until they gave it themselves.
    nick text NOT NULL DEFAULT '' CHECK (length(nick) <= 60),
    rights text[] NOT NULL CHECK (rights <@ ARRAY['queue', 'amounts', 'block', 'controls']
                                  AND rights && ARRAY['queue', 'controls']),
    link_hash bytea UNIQUE CHECK (length(link_hash) = 32),
    link_expires_at timestamptz,
    session_id uuid UNIQUE,
    session_hash bytea UNIQUE CHECK (length(session_hash) = 32),
    joined_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Null: until revoked.
    expires_at timestamptz,
    revoked_at timestamptz,
    CHECK ((link_hash IS NULL) = (link_expires_at IS NULL)),
    CHECK ((session_id IS NULL) = (session_hash IS NULL)),
    CHECK (session_id IS NULL OR (nick <> '' AND joined_at IS NOT NULL)),
    CHECK (revoked_at IS NULL OR (link_hash IS NULL AND session_id IS NULL))
);
CREATE INDEX moderators_streamer ON moderators (streamer_id, id) WHERE revoked_at IS NULL;

-- Who looks at what waits: a page says so every few seconds, and whoever fell silent is gone.
CREATE TABLE moderation_presence (
    streamer_id integer NOT NULL REFERENCES streamers ON DELETE CASCADE,
    by_kind text NOT NULL CHECK (by_kind IN ('owner', 'superuser', 'moderator')),
    by_id integer NOT NULL,
    by_name text NOT NULL DEFAULT '' CHECK (length(by_name) <= 60),
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (streamer_id, by_kind, by_id)
);

-- A superuser decides as one, and a block made by whoever decides is a line of the log.
ALTER TABLE holds DROP CONSTRAINT holds_by_kind_check,
    ADD CONSTRAINT holds_by_kind_check CHECK (by_kind IN ('owner', 'superuser', 'moderator', 'deadline'));
ALTER TABLE moderation_decisions DROP CONSTRAINT moderation_decisions_by_kind_check,
    ADD CONSTRAINT moderation_decisions_by_kind_check
        CHECK (by_kind IN ('rules', 'owner', 'superuser', 'moderator', 'deadline')),
    DROP CONSTRAINT moderation_decisions_what_check,
    ADD CONSTRAINT moderation_decisions_what_check
        CHECK (what IN ('mask', 'hold', 'reject', 'show', 'show_without_text', 'hide', 'undo', 'exception', 'block'));

-- Until now a decision named its streamer by her e-mail; from now on moderators read it.
UPDATE holds SET by_name = '' WHERE by_name LIKE '%@%';

-- The log without what the rules did by themselves.
CREATE INDEX moderation_decisions_people ON moderation_decisions (streamer_id, id) WHERE by_kind <> 'rules';
CREATE INDEX moderation_decisions_moderator ON moderation_decisions (by_id, decided_at) WHERE by_kind = 'moderator';

-- migrate:down
