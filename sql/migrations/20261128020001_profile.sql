-- migrate:up

-- Every name a streamer's page ever had. One that was left goes on leading to its streamer and is given to nobody else:
-- it stands under videos and on printed codes, and whoever took it would take the money (docs/decisions/0025).
CREATE TABLE slugs (
    slug text PRIMARY KEY,
    streamer_id integer NOT NULL REFERENCES streamers ON DELETE CASCADE,
    taken_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX slugs_streamer_id ON slugs (streamer_id);
INSERT INTO slugs (slug, streamer_id, taken_at) SELECT slug, id, created_at FROM streamers;

CREATE FUNCTION keep_slug() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO slugs (slug, streamer_id) VALUES (NEW.slug, NEW.id) ON CONFLICT (slug) DO NOTHING;
    IF (SELECT streamer_id FROM slugs WHERE slug = NEW.slug) <> NEW.id THEN
        RAISE unique_violation USING MESSAGE = 'this name is or was another streamer''s', CONSTRAINT = 'slugs_pkey';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER streamers_keep_slug AFTER INSERT OR UPDATE OF slug ON streamers
    FOR EACH ROW EXECUTE FUNCTION keep_slug();

-- Pictures as we encoded them anew; never a stranger's bytes.
CREATE TABLE media (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    streamer_id integer NOT NULL REFERENCES streamers ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z_]{1,19}$'),
    sha256 bytea NOT NULL CHECK (sha256 = sha256(content)),
    content_type text NOT NULL CHECK (content_type = 'image/webp'),
    content bytea NOT NULL CHECK (length(content) BETWEEN 1 AND 1048576),
    size integer GENERATED ALWAYS AS (length(content)) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (streamer_id, sha256),
    UNIQUE (streamer_id, id)
);
CREATE INDEX media_sha256 ON media (sha256);
-- WebP does not get smaller.
ALTER TABLE media ALTER COLUMN content SET STORAGE EXTERNAL;

ALTER TABLE streamers
    ADD COLUMN links text[] NOT NULL DEFAULT '{}' CHECK (cardinality(links) <= 8 AND array_position(links, NULL) IS NULL),
    -- What a donor reads after paying.
    ADD COLUMN thanks text NOT NULL DEFAULT '' CHECK (length(thanks) <= 300),
    -- Empty: the site's own. As chosen; where it could not be read it is corrected when shown.
    ADD COLUMN accent text NOT NULL DEFAULT '' CHECK (accent ~ '^([0-9a-f]{6})?$'),
    ADD COLUMN is_listed boolean NOT NULL DEFAULT false,
    -- Among the first of the list, smallest first; null: like everybody.
    ADD COLUMN featured_place integer,
    ADD COLUMN avatar_id integer,
    ADD COLUMN banner_id integer,
    ADD CONSTRAINT streamers_avatar FOREIGN KEY (id, avatar_id) REFERENCES media (streamer_id, id) ON DELETE SET NULL (avatar_id),
    ADD CONSTRAINT streamers_banner FOREIGN KEY (id, banner_id) REFERENCES media (streamer_id, id) ON DELETE SET NULL (banner_id);

CREATE INDEX streamers_listed ON streamers (lower(display_name), id) WHERE is_listed;

-- migrate:down
