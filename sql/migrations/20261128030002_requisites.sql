-- migrate:up

-- Who receives a streamer's money, as the pages that a bank and the law look for say it. Empty: not filled in yet.
CREATE TABLE requisites (
    streamer_id integer PRIMARY KEY REFERENCES streamers ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('npd', 'entrepreneur', 'company')),
    full_name text NOT NULL DEFAULT '' CHECK (length(full_name) <= 200),
    inn text NOT NULL DEFAULT '',
    -- ОГРН of a company, ОГРНИП of an entrepreneur.
    ogrn text NOT NULL DEFAULT '',
    postal_address text NOT NULL DEFAULT '' CHECK (length(postal_address) <= 300),
    email text NOT NULL DEFAULT '' CHECK (length(email) <= 254),
    phone text NOT NULL DEFAULT '' CHECK (phone ~ '^(\+[0-9]{10,15})?$'),
    refund_rule text NOT NULL DEFAULT 'request' CHECK (refund_rule IN ('request', 'mistake')),
    refund_days integer NOT NULL DEFAULT 10 CHECK (refund_days BETWEEN 1 AND 30),
    purpose text NOT NULL DEFAULT '' CHECK (length(purpose) <= 300),
    age_mark text NOT NULL DEFAULT '' CHECK (age_mark IN ('', '0+', '6+', '12+', '16+', '18+')),
    -- The entry in Roskomnadzor's list of pages above 10,000 followers.
    registry_number text NOT NULL DEFAULT '' CHECK (length(registry_number) <= 40),
    registry_url text NOT NULL DEFAULT '' CHECK (registry_url = '' OR registry_url LIKE 'https://%'),
    is_foreign_agent boolean NOT NULL DEFAULT false,
    foreign_agent_label text NOT NULL DEFAULT '' CHECK (length(foreign_agent_label) <= 500),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (inn ~ CASE kind WHEN 'company' THEN '^([0-9]{10})?$' ELSE '^([0-9]{12})?$' END),
    CHECK (ogrn ~ CASE kind WHEN 'company' THEN '^([0-9]{13})?$' WHEN 'entrepreneur' THEN '^([0-9]{15})?$' ELSE '^$' END),
    CHECK (registry_number = '' OR registry_url <> ''),
    CHECK (NOT is_foreign_agent OR foreign_agent_label <> '')
);

-- The words a donor agreed to, as the pages showed them: JSON, so that it can be shown again, and its SHA-256. A row
-- is written when the first donation agrees to these very words; it is never changed.
CREATE TABLE terms (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    streamer_id integer NOT NULL REFERENCES streamers ON DELETE CASCADE,
    hash bytea NOT NULL,
    documents text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (streamer_id, hash),
    UNIQUE (id, streamer_id),
    CHECK (hash = sha256(convert_to(documents, 'UTF8')))
);
CREATE TRIGGER never_changed BEFORE UPDATE ON terms FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Null: from before the words were kept.
ALTER TABLE donations ADD COLUMN terms_id integer;
ALTER TABLE donations ADD CONSTRAINT donations_terms FOREIGN KEY (terms_id, streamer_id) REFERENCES terms (id, streamer_id);

-- migrate:down
