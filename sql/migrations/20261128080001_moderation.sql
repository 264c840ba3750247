-- migrate:up

-- What a streamer chose about moderation. No row: what `domain/moderation/verdict.py` says by default.
CREATE TABLE moderation_settings (
    streamer_id integer PRIMARY KEY REFERENCES streamers ON DELETE CASCADE,
    mode text NOT NULL DEFAULT 'filter' CHECK (mode IN ('off', 'filter', 'approve')),
    -- By rule, what is done: off, mask, hold, reject. A rule that is not named does what it does by default.
    acts jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(acts) = 'object'),
    capitals_percent integer NOT NULL DEFAULT 70 CHECK (capitals_percent BETWEEN 50 AND 100),
    long_over integer NOT NULL DEFAULT 300 CHECK (long_over BETWEEN 20 AND 1000),
    emoji_over integer NOT NULL DEFAULT 12 CHECK (emoji_over BETWEEN 1 AND 200),
    message_from_minor bigint NOT NULL DEFAULT 0 CHECK (message_from_minor BETWEEN 0 AND 9999999999),
    hold_minutes integer NOT NULL DEFAULT 10 CHECK (hold_minutes BETWEEN 1 AND 60),
    outcome text NOT NULL DEFAULT 'show_without_text' CHECK (outcome IN ('show_without_text', 'skip')),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- A streamer's own words, and what is no violation although a list says so.
CREATE TABLE moderation_words (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    streamer_id integer NOT NULL REFERENCES streamers ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('word', 'exception')),
    pattern text NOT NULL CHECK (length(pattern) BETWEEN 1 AND 60),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (streamer_id, kind, pattern)
);

-- An alert that waits for a decision. The alert itself is `held` until the decision takes effect; the text it would be
-- shown with stands here and nowhere else until then.
CREATE TABLE holds (
    alert_id integer PRIMARY KEY REFERENCES alerts ON DELETE CASCADE,
    streamer_id integer NOT NULL,
    donation_id integer NOT NULL,
    reason text NOT NULL CHECK (reason IN ('rules', 'approve', 'blocked_name', 'blocked_payer', 'blocked_address', 'error')),
    matches jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(matches) = 'array'),
    approved_name text CHECK (length(approved_name) BETWEEN 1 AND 60),
    approved_message text NOT NULL DEFAULT '' CHECK (length(approved_message) <= 1000),
    quiet_name text CHECK (length(quiet_name) BETWEEN 1 AND 60),
    held_at timestamptz NOT NULL DEFAULT now(),
    decide_by timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('show_without_text', 'skip')),
    decision text CHECK (decision IN ('show', 'show_without_text', 'hide')),
    by_kind text CHECK (by_kind IN ('owner', 'moderator', 'deadline')),
    by_id integer,
    by_name text NOT NULL DEFAULT '' CHECK (length(by_name) <= 320),
    -- Until then it may be undone.
    takes_effect_at timestamptz,
    settled_at timestamptz,
    FOREIGN KEY (donation_id, streamer_id) REFERENCES donations (id, streamer_id) ON DELETE CASCADE,
    CHECK ((decision IS NULL) = (by_kind IS NULL)),
    CHECK ((decision IS NULL) = (takes_effect_at IS NULL))
);
CREATE INDEX holds_open ON holds (streamer_id, held_at) WHERE settled_at IS NULL;
CREATE INDEX holds_due ON holds (decide_by) WHERE settled_at IS NULL;

-- What the rules and people decided about a donation, append only. `matches` is what the rules caught.
CREATE TABLE moderation_decisions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    streamer_id integer NOT NULL,
    donation_id integer NOT NULL,
    what text NOT NULL CHECK (what IN ('mask', 'hold', 'reject', 'show', 'show_without_text', 'hide', 'undo', 'exception')),
    reason text NOT NULL DEFAULT '',
    by_kind text NOT NULL CHECK (by_kind IN ('rules', 'owner', 'moderator', 'deadline')),
    by_id integer,
    by_name text NOT NULL DEFAULT '' CHECK (length(by_name) <= 320),
    matches jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(matches) = 'array'),
    decided_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (donation_id, streamer_id) REFERENCES donations (id, streamer_id) ON DELETE CASCADE
);
CREATE INDEX moderation_decisions_donation ON moderation_decisions (donation_id, id);

-- Whose donations a streamer does not want. `value` is what is compared: a folded name, a payer as the provider masks
-- him, or the keyed hash of an address in hex. An address is nobody's for long, so that block ends by itself.
CREATE TABLE blocks (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    streamer_id integer NOT NULL REFERENCES streamers ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('name', 'payer', 'address')),
    value text NOT NULL CHECK (length(value) BETWEEN 1 AND 200),
    -- What the list calls it: the name, the masked card, or the name of who came from the address.
    shown text NOT NULL DEFAULT '' CHECK (length(shown) <= 200),
    note text NOT NULL DEFAULT '' CHECK (length(note) <= 200),
    donation_id integer REFERENCES donations ON DELETE SET NULL,
    created_by integer REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    UNIQUE (streamer_id, kind, value),
    CHECK (kind <> 'address' OR (expires_at IS NOT NULL AND expires_at <= created_at + interval '30 days'))
);
CREATE INDEX blocks_expires_at ON blocks (expires_at) WHERE expires_at IS NOT NULL;

-- Where a donation came from, as a keyed hash and for a week: long enough to block whoever misbehaved on a stream.
CREATE TABLE donation_addresses (
    donation_id integer PRIMARY KEY REFERENCES donations ON DELETE CASCADE,
    address_hash bytea NOT NULL CHECK (length(address_hash) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX donation_addresses_created_at ON donation_addresses (created_at);

-- Who paid, as the provider masks it (430000******0777, +7 *** ***-12-34); strangers may share it.
ALTER TABLE payments ADD COLUMN payer text NOT NULL DEFAULT '' CHECK (length(payer) <= 64);

-- migrate:down
