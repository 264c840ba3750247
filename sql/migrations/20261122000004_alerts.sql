-- migrate:up

-- The address an overlay is opened with: /overlay#<token>. Hashed for look-up, encrypted to be shown again.
CREATE TABLE overlay_tokens (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    streamer_id integer NOT NULL REFERENCES streamers,
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    token_encrypted text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE UNIQUE INDEX overlay_tokens_active ON overlay_tokens (streamer_id) WHERE revoked_at IS NULL;

-- Places are drawn when an alert becomes playable; the smallest plays first.
CREATE SEQUENCE alert_places AS bigint;

CREATE TABLE alerts (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- New for each showing; what overlays and bots know an alert by.
    alert_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    streamer_id integer NOT NULL REFERENCES streamers,
    donation_id integer,
    kind text NOT NULL CHECK (kind IN ('donation', 'replay', 'test', 'summary')),
    status text NOT NULL CHECK (status IN ('held', 'queued', 'playing', 'shown', 'skipped', 'dropped')),
    place bigint,
    -- What is shown: the moderated text, as it was when the alert was made.
    donor_name text,
    message text NOT NULL DEFAULT '',
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text NOT NULL DEFAULT 'RUB' CHECK (currency = 'RUB'),
    -- The summary that stands for this alert: it is shown, skipped or dropped with it.
    summary_id integer REFERENCES alerts,
    donations integer NOT NULL DEFAULT 1 CHECK (donations >= 1),
    duration_ms integer NOT NULL CHECK (duration_ms BETWEEN 1000 AND 300000),
    lease_id uuid,
    leased_until timestamptz,
    started_at timestamptz,
    shown_at timestamptz,
    finished_at timestamptz,
    interrupted boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    playable_at timestamptz,
    FOREIGN KEY (donation_id, streamer_id) REFERENCES donations (id, streamer_id),
    CHECK ((donation_id IS NOT NULL) = (kind IN ('donation', 'replay'))),
    CHECK (summary_id IS NULL OR kind = 'donation'),
    CHECK ((status = 'playing') = (lease_id IS NOT NULL)),
    CHECK ((lease_id IS NULL) = (leased_until IS NULL)),
    CHECK ((place IS NULL) = (playable_at IS NULL)),
    CHECK (status NOT IN ('queued', 'playing') OR place IS NOT NULL),
    CHECK (status <> 'shown' OR shown_at IS NOT NULL),
    -- Once its text was readable an alert is never played again.
    CHECK (status <> 'queued' OR shown_at IS NULL)
);
CREATE UNIQUE INDEX alerts_one_per_donation ON alerts (donation_id) WHERE kind = 'donation';
CREATE UNIQUE INDEX alerts_one_playing ON alerts (streamer_id) WHERE status = 'playing';
CREATE INDEX alerts_queue ON alerts (streamer_id, place) WHERE status = 'queued';
CREATE INDEX alerts_of_streamer ON alerts (streamer_id, id DESC);
CREATE INDEX alerts_summary ON alerts (summary_id) WHERE summary_id IS NOT NULL;

-- Whether an alert may be played at all: a refunded donation's may not.
CREATE FUNCTION is_paid(alert alerts) RETURNS boolean LANGUAGE sql STABLE
RETURN alert.donation_id IS NULL
    OR (SELECT status IN ('paid', 'partially_refunded') FROM donations WHERE id = alert.donation_id);

-- Every offer of an alert to an overlay. A late word of a former lease still finds its alert here.
CREATE TABLE alert_leases (
    lease_id uuid PRIMARY KEY,
    alert_id uuid NOT NULL REFERENCES alerts (alert_id),
    overlay_id uuid NOT NULL,
    offered_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    seen_at timestamptz,
    finished_at timestamptz
);
CREATE INDEX alert_leases_alert ON alert_leases (alert_id);

-- The realtime processes that live; one whose renewed_at is old took its overlays with it.
CREATE TABLE realtime_processes (
    id uuid PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    renewed_at timestamptz NOT NULL DEFAULT now()
);

-- The overlays connected now.
CREATE TABLE overlays (
    id uuid PRIMARY KEY,
    streamer_id integer NOT NULL REFERENCES streamers,
    token_id integer NOT NULL REFERENCES overlay_tokens,
    process_id uuid NOT NULL REFERENCES realtime_processes ON DELETE CASCADE,
    in_obs boolean NOT NULL,
    visible boolean NOT NULL DEFAULT true,
    active boolean NOT NULL DEFAULT false,
    connected_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX overlays_streamer ON overlays (streamer_id);
CREATE INDEX overlays_process ON overlays (process_id);

-- One row a streamer: which overlay speaks, and what the queue waits for.
CREATE TABLE speakers (
    streamer_id integer PRIMARY KEY REFERENCES streamers,
    overlay_id uuid REFERENCES overlays ON DELETE SET NULL,
    -- When an overlay last left; read once none is connected any more.
    last_present_at timestamptz,
    -- Nothing is offered before this (an overlay just came back).
    resume_at timestamptz,
    -- Since when the streamer is asked what to do with the missed alerts; nothing plays until answered.
    asking_since timestamptz,
    -- "Later": alerts from before asking_since go on waiting, newer ones play.
    postponed boolean NOT NULL DEFAULT false,
    paused_at timestamptz,
    CHECK (NOT postponed OR asking_since IS NOT NULL)
);

-- migrate:down
