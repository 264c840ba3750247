-- migrate:up

-- Pictures and sounds that streamers upload for their alerts (docs/decisions/0040). What came waits here until an actor
-- has looked at it; then the row holds what the actor wrote, and only that is served.
CREATE TABLE media_files (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Its address, which nobody can guess.
    public_id text NOT NULL UNIQUE CHECK (public_id ~ '^[0-9a-f]{32}$'),
    streamer_id integer NOT NULL REFERENCES streamers ON DELETE CASCADE,
    content_type text NOT NULL,
    kind text NOT NULL GENERATED ALWAYS AS (split_part(content_type, '/', 1)) STORED,
    -- What the file was called where it came from.
    name text NOT NULL CHECK (length(name) <= 100),
    -- Of what came: the same bytes again are the file there already.
    uploaded_sha256 bytea NOT NULL CHECK (length(uploaded_sha256) = 32),
    state text NOT NULL DEFAULT 'waiting',
    refusal text NOT NULL DEFAULT '' CHECK (refusal ~ '^[a-z_]{0,30}$'),
    content bytea,
    size integer NOT NULL GENERATED ALWAYS AS (coalesce(length(content), 0)) STORED,
    width integer,
    height integer,
    frames integer,
    seconds double precision,
    -- Until when a worker looks at it.
    held_until timestamptz,
    tries smallint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (content_type IN ('image/gif', 'image/png', 'image/jpeg', 'image/webp', 'audio/mpeg', 'audio/wav', 'audio/ogg')),
    CHECK (state IN ('waiting', 'ready', 'refused')),
    CHECK ((state = 'refused') = (refusal <> '')),
    CHECK ((state = 'refused') = (content IS NULL)),
    CHECK (length(content) BETWEEN 1 AND CASE WHEN content_type ^@ 'image/' THEN 20971520 ELSE 10485760 END),
    CHECK (state <> 'ready' OR CASE WHEN content_type ^@ 'image/'
           THEN width > 0 AND height > 0 AND frames > 0 ELSE seconds > 0 END)
);
CREATE UNIQUE INDEX media_files_once ON media_files (streamer_id, uploaded_sha256) WHERE state <> 'refused';
CREATE INDEX media_files_streamer ON media_files (streamer_id, id);
CREATE INDEX media_files_waiting ON media_files (created_at) WHERE state = 'waiting';
CREATE INDEX media_files_refused ON media_files (created_at) WHERE state = 'refused';
-- None of these formats gets smaller, and a part in the middle is read without the rest.
ALTER TABLE media_files ALTER COLUMN content SET STORAGE EXTERNAL;

-- migrate:down
