-- migrate:up

-- How a streamer's alerts look and sound. No row: what `domain/alert_tiers.py` says by default. How long an alert may
-- stay stands in `streamers`, her own words in `moderation_words`. `tiers` are the levels, written and read as a whole.
CREATE TABLE alert_settings (
    streamer_id integer PRIMARY KEY REFERENCES streamers ON DELETE CASCADE,
    alerts_enabled boolean NOT NULL DEFAULT true,
    show_anonymous boolean NOT NULL DEFAULT true,
    min_amount_for_alert_minor bigint CHECK (min_amount_for_alert_minor BETWEEN 0 AND 9999999999),
    sound_enabled boolean NOT NULL DEFAULT true,
    sound_volume double precision NOT NULL DEFAULT 0.5 CHECK (sound_volume BETWEEN 0 AND 1),
    sound_file_url text CHECK (length(sound_file_url) BETWEEN 1 AND 300),
    visual_enabled boolean NOT NULL DEFAULT true,
    alert_duration integer NOT NULL DEFAULT 5 CHECK (alert_duration BETWEEN 1 AND 120),
    text_color text NOT NULL DEFAULT '#FFFFFF' CHECK (text_color ~ '^#[0-9A-Fa-f]{6}$'),
    background_color text NOT NULL DEFAULT '#1F2937' CHECK (background_color ~ '^#[0-9A-Fa-f]{6}$'),
    font_size integer NOT NULL DEFAULT 24 CHECK (font_size BETWEEN 8 AND 200),
    donation_text_template text NOT NULL CHECK (length(donation_text_template) <= 500),
    anonymous_text_template text NOT NULL CHECK (length(anonymous_text_template) <= 500),
    tiers jsonb NOT NULL CHECK (jsonb_typeof(tiers) = 'array' AND jsonb_array_length(tiers) BETWEEN 1 AND 20),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Clients of API v1 send 2 seconds as the least time of an alert, which was its default.
ALTER TABLE streamers DROP CONSTRAINT streamers_alert_min_seconds_check,
    DROP CONSTRAINT streamers_alert_max_seconds_check,
    ADD CONSTRAINT streamers_alert_min_seconds_check CHECK (alert_min_seconds BETWEEN 1 AND 60),
    ADD CONSTRAINT streamers_alert_max_seconds_check CHECK (alert_max_seconds BETWEEN 1 AND 120);

-- The level of an amount: of those that reach it, the one that begins highest. `choose_tier` in Python says the same.
CREATE FUNCTION tier_of(tiers jsonb, amount_minor bigint) RETURNS jsonb LANGUAGE sql IMMUTABLE
RETURN (
    SELECT tier FROM jsonb_array_elements(tiers) WITH ORDINALITY AS level (tier, place)
    WHERE (tier ->> 'min_amount_minor')::bigint <= amount_minor
      AND coalesce((tier ->> 'max_amount_minor')::bigint >= amount_minor, true)
    ORDER BY (tier ->> 'min_amount_minor')::bigint DESC, place LIMIT 1);

-- How long an alert stays: what its level says, and 60 ms per character to read, within the streamer's limits.
CREATE FUNCTION alert_duration_ms(streamer streamers, amount_minor bigint, message text) RETURNS integer
LANGUAGE sql STABLE
RETURN least(greatest(
    1000 * coalesce((SELECT coalesce((tier_of(tiers, amount_minor) ->> 'alert_duration')::integer, alert_duration)
                     FROM alert_settings WHERE streamer_id = streamer.id), 5) + 60 * length(message),
    1000 * streamer.alert_min_seconds), 1000 * streamer.alert_max_seconds);

-- Whether a paid donation is shown at all: its streamer may want none, none of so little, or none without a name.
CREATE FUNCTION wants_alert(streamer_id integer, donation_id integer, amount_minor bigint) RETURNS boolean
LANGUAGE sql STABLE
RETURN NOT EXISTS (
    SELECT FROM alert_settings settings
    WHERE settings.streamer_id = wants_alert.streamer_id
      AND (NOT settings.alerts_enabled
           OR wants_alert.amount_minor < settings.min_amount_for_alert_minor
           OR (NOT settings.show_anonymous
               AND (SELECT donor_name IS NULL FROM donations WHERE id = wants_alert.donation_id))));

-- migrate:down
