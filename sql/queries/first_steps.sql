-- name: get_progress^
-- What is known of a streamer's first steps: the decisions, and the facts that say which are done.
SELECT streamers.id AS streamer_id, steps.payee, coalesce(steps.skipped, '{}') AS skipped,
       steps.dismissed_at IS NOT NULL AS dismissed,
       steps.page_saved_at IS NOT NULL OR streamers.about <> '' AS has_page,
       steps.obs_seen_at IS NOT NULL AS obs_seen,
       EXISTS (SELECT FROM overlays WHERE overlays.streamer_id = streamers.id AND in_obs) AS obs_connected,
       EXISTS (SELECT FROM alerts WHERE alerts.streamer_id = streamers.id AND status = 'shown'
                                    AND kind IN ('test', 'donation')) AS alert_shown,
       EXISTS (SELECT FROM terminals WHERE terminals.streamer_id = streamers.id AND retired_at IS NULL) AS has_terminal
FROM streamers LEFT JOIN first_steps AS steps ON steps.streamer_id = streamers.id
WHERE streamers.id = :streamer_id;

-- name: get_latest_test^
-- The newest test alert, and what became of it. in_obs: where it played; null when that overlay has gone.
SELECT status, created_at, shown_at, created_at > now() - interval '10 minutes' AS is_fresh,
       (SELECT overlays.in_obs FROM alert_leases JOIN overlays ON overlays.id = alert_leases.overlay_id
        WHERE alert_leases.alert_id = alerts.alert_id ORDER BY overlays.in_obs DESC LIMIT 1) AS in_obs
FROM alerts WHERE streamer_id = :streamer_id AND kind = 'test' ORDER BY id DESC LIMIT 1;

-- name: note_obs!
-- OBS was seen; the first time counts.
INSERT INTO first_steps (streamer_id, obs_seen_at) VALUES (:streamer_id, now())
ON CONFLICT (streamer_id) DO UPDATE SET obs_seen_at = now(), updated_at = now() WHERE first_steps.obs_seen_at IS NULL;

-- name: save_page!
-- The least a donation page has: what it is for, and the ready amounts.
WITH saved AS (
    INSERT INTO first_steps (streamer_id, page_saved_at) VALUES (:streamer_id, now())
    ON CONFLICT (streamer_id) DO UPDATE
    SET page_saved_at = now(), updated_at = now(), skipped = array_remove(first_steps.skipped, 'page'))
UPDATE streamers SET about = :about, preset_amounts_minor = :preset_amounts_minor WHERE id = :streamer_id;

-- name: skip_step!
INSERT INTO first_steps (streamer_id, skipped) VALUES (:streamer_id, ARRAY[:step::text])
ON CONFLICT (streamer_id) DO UPDATE
SET skipped = array_append(array_remove(first_steps.skipped, :step), :step), updated_at = now();

-- name: choose_payee!
INSERT INTO first_steps (streamer_id, payee) VALUES (:streamer_id, :payee)
ON CONFLICT (streamer_id) DO UPDATE SET payee = :payee, updated_at = now();

-- name: set_dismissed!
INSERT INTO first_steps (streamer_id, dismissed_at) VALUES (:streamer_id, CASE WHEN :dismissed THEN now() END)
ON CONFLICT (streamer_id) DO UPDATE SET dismissed_at = CASE WHEN :dismissed THEN now() END, updated_at = now();

-- name: list_taken_slugs
-- Which of these names are taken.
SELECT slug FROM streamers WHERE slug = ANY(:slugs::text[]);
