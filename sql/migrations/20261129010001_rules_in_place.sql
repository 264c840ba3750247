-- migrate:up

-- What is asked at each alert, in a shape that the planner can put into the query that asks: a value without a
-- sub-select, or a set. Called as functions that look things up themselves they took a tenth of a millisecond each.
-- Those that look things up stay for queries that are asked seldom, and say it in the same words.

CREATE FUNCTION is_paid(alert alerts, donation donations, manual manual_donations) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN (alert.donation_id IS NULL
        OR donation.status IN ('paid', 'partially_refunded')
           AND (alert.kind <> 'replay' OR donation.charged_back_minor = 0))
   AND (alert.manual_donation_id IS NULL OR manual.deleted_at IS NULL);

CREATE OR REPLACE FUNCTION is_paid(alert alerts) RETURNS boolean LANGUAGE sql STABLE
RETURN (SELECT is_paid(alert, donation, manual)
        FROM (SELECT) AS one
        LEFT JOIN donations donation ON donation.id = alert.donation_id
        LEFT JOIN manual_donations manual ON manual.id = alert.manual_donation_id);

CREATE FUNCTION choose_tier(tiers jsonb, amount_minor bigint) RETURNS SETOF jsonb LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT tier FROM jsonb_array_elements(tiers) WITH ORDINALITY AS level (tier, place)
    WHERE (tier ->> 'min_amount_minor')::bigint <= amount_minor
      AND coalesce((tier ->> 'max_amount_minor')::bigint >= amount_minor, true)
    ORDER BY (tier ->> 'min_amount_minor')::bigint DESC, place LIMIT 1;
END;

CREATE OR REPLACE FUNCTION tier_of(tiers jsonb, amount_minor bigint) RETURNS jsonb LANGUAGE sql IMMUTABLE
RETURN (SELECT tier FROM choose_tier(tiers, amount_minor) AS tier);

CREATE FUNCTION alert_duration_ms(streamer streamers, settings alert_settings, tier jsonb, message text)
RETURNS integer LANGUAGE sql IMMUTABLE
RETURN least(greatest(
    1000 * coalesce((tier ->> 'alert_duration')::integer, settings.alert_duration, 5) + 60 * length(message),
    1000 * streamer.alert_min_seconds), 1000 * streamer.alert_max_seconds);

CREATE OR REPLACE FUNCTION alert_duration_ms(streamer streamers, amount_minor bigint, message text) RETURNS integer
LANGUAGE sql STABLE
RETURN (SELECT alert_duration_ms(streamer, settings, tier, message)
        FROM (SELECT) AS one
        LEFT JOIN alert_settings settings ON settings.streamer_id = streamer.id
        LEFT JOIN LATERAL choose_tier(settings.tiers, amount_minor) AS tier ON true);

CREATE FUNCTION wants_alert(settings alert_settings, amount_minor bigint, is_anonymous boolean) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN NOT coalesce(NOT settings.alerts_enabled
                    OR amount_minor < settings.min_amount_for_alert_minor
                    OR NOT settings.show_anonymous AND is_anonymous, false);

CREATE OR REPLACE FUNCTION wants_alert(streamer_id integer, donation_id integer, amount_minor bigint) RETURNS boolean
LANGUAGE sql STABLE
RETURN (SELECT wants_alert(settings, wants_alert.amount_minor, donation.donor_name IS NULL)
        FROM (SELECT) AS one
        LEFT JOIN alert_settings settings ON settings.streamer_id = wants_alert.streamer_id
        LEFT JOIN donations donation ON donation.id = wants_alert.donation_id);

-- migrate:down
