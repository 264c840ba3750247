-- migrate:up

-- Alerts play without sound since then; and when somebody last said that a long pause is meant.
ALTER TABLE speakers ADD COLUMN muted_at timestamptz, ADD COLUMN pause_kept_at timestamptz;

-- What the overlay itself says: that it is silent, and that an alert it was told to stop is off the screen.
ALTER TABLE overlays ADD COLUMN muted boolean NOT NULL DEFAULT false;
ALTER TABLE alert_leases ADD COLUMN stopped_at timestamptz;

-- Who pressed what: told to whoever presses the same a moment later, and kept to be looked up.
CREATE TABLE alert_actions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    act_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    streamer_id integer NOT NULL REFERENCES streamers,
    actor_kind text NOT NULL CHECK (actor_kind IN ('owner', 'superuser', 'moderator', 'button')),
    -- A user's, a moderator's or a button's, by kind.
    actor_id integer NOT NULL,
    actor_name text NOT NULL DEFAULT '' CHECK (length(actor_name) <= 60),
    action text NOT NULL CHECK (action IN ('skip', 'pause', 'resume', 'mute', 'unmute', 'replay', 'test', 'clear',
                                           'undo_clear', 'missed_play', 'missed_summary', 'missed_drop',
                                           'missed_later')),
    alert_id uuid REFERENCES alerts (alert_id),
    -- The showing that a skip cut short; null: it was not on a screen.
    lease_id uuid REFERENCES alert_leases,
    -- How many alerts it was about, where that may be more than one.
    alerts integer NOT NULL DEFAULT 0 CHECK (alerts >= 0),
    undone_at timestamptz CHECK (undone_at IS NULL OR action = 'clear'),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX alert_actions_streamer ON alert_actions (streamer_id, id DESC);
-- An alert is skipped once, by one.
CREATE UNIQUE INDEX alert_actions_one_skip ON alert_actions (alert_id) WHERE action = 'skip';

-- The act that cleared it from the queue, until that is undone. Deferred: the alerts are counted before the act is written.
ALTER TABLE alerts ADD COLUMN cleared_by uuid REFERENCES alert_actions (act_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CHECK (cleared_by IS NULL OR status = 'dropped');
CREATE INDEX alerts_cleared ON alerts (cleared_by) WHERE cleared_by IS NOT NULL;
-- For "replay the last".
CREATE INDEX alerts_shown ON alerts (streamer_id, shown_at DESC) WHERE kind = 'donation' AND status = 'shown';

-- Addresses that press a control each: /button/<token>, for Stream Deck and the like.
CREATE TABLE control_buttons (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    streamer_id integer NOT NULL REFERENCES streamers,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    control text NOT NULL CHECK (control IN ('skip', 'pause', 'resume', 'toggle_pause', 'mute', 'unmute', 'toggle_mute',
                                             'replay', 'test', 'clear', 'missed_play', 'missed_summary',
                                             'missed_drop')),
    token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    token_encrypted text NOT NULL,
    -- GET presses it too. Off unless asked for: browsers and messengers open addresses by themselves.
    allows_get boolean NOT NULL DEFAULT false,
    -- The language it answers in.
    locale text NOT NULL CHECK (locale IN ('ru', 'en')),
    uses bigint NOT NULL DEFAULT 0,
    last_used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE INDEX control_buttons_streamer ON control_buttons (streamer_id, id) WHERE revoked_at IS NULL;

-- migrate:down
