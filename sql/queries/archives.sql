-- name: insert_archive^
-- No row while another of the user's is being packed.
INSERT INTO exports (public_id, user_id, format, filters, words, time_zone)
VALUES (:public_id, :user_id, 'zip', '{}', :words, :time_zone)
ON CONFLICT (user_id) WHERE format = 'zip' AND state IN ('queued', 'running') DO NOTHING
RETURNING id;

-- name: get_latest_archive^
SELECT id, public_id, format, filters, '' AS told, state, rows_done, rows_total, bytes, created_at, finished_at
FROM exports WHERE user_id = :user_id AND format = 'zip' ORDER BY id DESC LIMIT 1;

-- name: delete_archives!
DELETE FROM exports WHERE user_id = :user_id AND format = 'zip';

-- What is in it. No secrets, no tokens, nothing of a donor that the streamer's own pages do not show.

-- name: list_account
SELECT id, email, locale, is_superuser, is_active, created_at, consent_version, consented_at, email_confirmed_at,
       password_set_at, password_hash <> '' AS has_password, on_air, on_air_chosen_at, delete_at
FROM users WHERE id = :user_id;

-- name: list_profile
SELECT username, full_name, avatar_url, bio, is_streamer, updated_at FROM user_profiles WHERE user_id = :user_id;

-- name: list_sessions
SELECT id, created_at, seen_at, expires_at, user_agent FROM sessions WHERE user_id = :user_id ORDER BY id;

-- name: list_known_browsers
SELECT used_at FROM known_browsers WHERE user_id = :user_id ORDER BY used_at;

-- name: list_identities
SELECT provider, subject, name, linked_at, last_used_at FROM identities WHERE user_id = :user_id ORDER BY id;

-- name: list_keys
SELECT id, name, hint, scopes, created_at, used_at, expires_at, revoked_at
FROM access_tokens WHERE user_id = :user_id AND grant_id IS NULL ORDER BY id;

-- name: list_grants
-- What each application was allowed; the last time it used it.
SELECT grants.id, applications.name AS application, applications.site_url, grants.scopes, grants.created_at,
       grants.used_at, grants.revoked_at
FROM grants JOIN applications ON applications.id = grants.application_id
WHERE grants.user_id = :user_id ORDER BY grants.id;

-- name: list_applications
SELECT id, client_id, name, site_url, redirect_uris, secret_hint, secret_made_at, created_at, switched_off_at
FROM applications WHERE owner_id = :user_id ORDER BY id;

-- name: list_letters
SELECT letters.id, letters.kind, letters.recipient, letters.locale, letters.status, letters.created_at, letters.finished_at
FROM letters JOIN users ON users.id = letters.user_id OR users.email = letters.recipient
WHERE users.id = :user_id ORDER BY letters.id;

-- name: list_account_log
-- Who else did it is another person's data: only whether it was the owner.
SELECT id, action, by_user_id = user_id AS by_yourself, created_at
FROM account_log WHERE user_id = :user_id ORDER BY id;

-- name: list_sent_donations
-- What she gave to others by programs that she was signed in to.
SELECT donations.id, streamers.display_name AS streamer, donations.status, donations.amount_minor, donations.donor_name,
       donations.message, donations.created_at, donations.paid_at, api_donations.client_order_id
FROM api_donations
JOIN donations ON donations.id = api_donations.donation_id
JOIN streamers ON streamers.id = donations.streamer_id
WHERE api_donations.user_id = :user_id AND donations.id > :after
ORDER BY donations.id LIMIT :limit;

-- name: list_streamer
SELECT id, slug, display_name, about, links, thanks, accent, is_listed, featured_place, time_zone, currency,
       min_amount_minor, max_amount_minor, preset_amounts_minor, message_max_length, alert_min_seconds,
       alert_max_seconds, overlay_return_seconds, receipts, receipts_since, taxation, vat, receipt_item, goals_go_on,
       goals_carry, created_at, closed_at,
       (SELECT array_agg(slugs.slug ORDER BY taken_at) FROM slugs WHERE streamer_id = streamers.id) AS slugs
FROM streamers WHERE id = :streamer_id;

-- name: list_extras
-- Without what may hold a secret: only whether there is something.
SELECT stream_title, donation_goal_minor, widget_settings, alert_settings,
       payment_settings_encrypted IS NOT NULL AS has_payment_settings, updated_at
FROM streamer_extras WHERE streamer_id = :streamer_id;

-- name: list_requisites
SELECT kind, full_name, inn, ogrn, postal_address, email, phone, refund_rule, refund_days, purpose, age_mark,
       registry_number, registry_url, is_foreign_agent, foreign_agent_label, updated_at
FROM requisites WHERE streamer_id = :streamer_id;

-- name: list_first_steps
SELECT payee, skipped, page_saved_at, obs_seen_at, dismissed_at FROM first_steps WHERE streamer_id = :streamer_id;

-- name: list_terminals
SELECT provider, terminal_key, created_at, chosen_at, checked_at, retired_at
FROM terminals WHERE streamer_id = :streamer_id ORDER BY id;

-- name: list_overlay_addresses
SELECT created_at, revoked_at FROM overlay_tokens WHERE streamer_id = :streamer_id ORDER BY id;

-- name: list_buttons
SELECT name, control, allows_get, locale, uses, last_used_at, created_at, revoked_at
FROM control_buttons WHERE streamer_id = :streamer_id ORDER BY id;

-- name: list_webhooks
-- An address may hold a key of the receiver's: only where it leads.
SELECT id, name, substring(url FROM '^[a-z]+://[^/]+') AS receiver, format, events, off_reason, off_at, delivered_at, created_at
FROM webhooks WHERE streamer_id = :streamer_id ORDER BY id;

-- name: list_goals
SELECT id, title, description, status, target_minor, start_minor, carried_minor, given_minor, returned_minor, starts_at,
       ends_at, started_at, reached_at, ended_at, created_at
FROM goals WHERE streamer_id = :streamer_id ORDER BY id;

-- name: list_alert_settings
SELECT alerts_enabled, show_anonymous, min_amount_for_alert_minor, sound_enabled, sound_volume, sound_file_url,
       visual_enabled, alert_duration, text_color, background_color, font_size, donation_text_template,
       anonymous_text_template, tiers, updated_at
FROM alert_settings WHERE streamer_id = :streamer_id;

-- name: list_moderation_settings
SELECT mode, acts, capitals_percent, long_over, emoji_over, message_from_minor, hold_minutes, outcome, updated_at
FROM moderation_settings WHERE streamer_id = :streamer_id;

-- name: list_moderation_words
SELECT kind, pattern, created_at FROM moderation_words WHERE streamer_id = :streamer_id ORDER BY id;

-- name: list_moderators
SELECT id, nick, rights, created_at, joined_at, expires_at, revoked_at FROM moderators
WHERE streamer_id = :streamer_id ORDER BY id;

-- name: list_blocks
-- An address is kept as a hash that says nothing; only that there is such a block.
SELECT kind, shown, note, created_at, expires_at FROM blocks WHERE streamer_id = :streamer_id ORDER BY id;

-- name: list_terms
SELECT encode(hash, 'hex') AS hash, documents::jsonb AS documents, created_at
FROM terms WHERE streamer_id = :streamer_id ORDER BY id;

-- name: list_registry_files
SELECT name, provider, first_day, last_day, rows, created_at
FROM registry_files WHERE streamer_id = :streamer_id ORDER BY id;

-- name: list_cheques
SELECT donations.public_id AS donation, npd_cheques.amount_minor, npd_cheques.issued_at, npd_cheques.annulled_at
FROM npd_cheques JOIN donations ON donations.id = npd_cheques.donation_id
WHERE npd_cheques.streamer_id = :streamer_id ORDER BY npd_cheques.id;

-- name: list_chargebacks
SELECT donations.public_id AS donation, chargebacks.happened_at, chargebacks.told_at, chargebacks.read_at
FROM chargebacks
JOIN payments ON payments.id = chargebacks.payment_id
JOIN donations ON donations.id = payments.donation_id
WHERE chargebacks.streamer_id = :streamer_id ORDER BY chargebacks.payment_id;

-- name: list_media
SELECT kind, encode(sha256, 'hex') AS sha256, size, created_at, content
FROM media WHERE streamer_id = :streamer_id ORDER BY id;

-- name: list_uploads
-- As they are named in the archive, too.
SELECT public_id || '.' || CASE content_type WHEN 'image/jpeg' THEN 'jpg' WHEN 'audio/mpeg' THEN 'mp3'
                           ELSE split_part(content_type, '/', 2) END AS file,
       name, kind, content_type, state, size, width, height, frames, seconds, created_at
FROM media_files WHERE streamer_id = :streamer_id ORDER BY id;

-- Those that may be many, in steps: what comes after the id `after`.

-- name: list_donations
-- With the attempts to pay and the refunds, as the donation's page shows them.
SELECT donations.id, donations.public_id, donations.status, donations.amount_minor, donations.wished_minor,
       donations.refunded_minor, donations.charged_back_minor, donations.currency, donations.donor_name,
       donations.message, donations.public_donor_name, donations.public_message, donations.locale,
       donations.consent_version, donations.consented_at, encode(terms.hash, 'hex') AS terms_hash, donations.goal_id,
       donations.created_at, donations.paid_at, donations.hidden_at, donations.erased_at,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'attempt', payments.attempt, 'order_id', payments.order_id, 'provider', terminals.provider,
            'provider_payment_id', payments.provider_payment_id, 'status', payments.status, 'method', payments.method,
            'payer', payments.payer, 'amount_minor', payments.amount_minor, 'confirmed_minor', payments.confirmed_minor,
            'created_at', payments.created_at, 'confirmed_at', payments.confirmed_at,
            'refunds', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'amount_minor', refunds.amount_minor, 'reason', refunds.reason, 'status', refunds.status,
                'created_at', refunds.created_at, 'finished_at', refunds.finished_at) ORDER BY refunds.id), '[]')
                FROM refunds WHERE refunds.payment_id = payments.id)) ORDER BY payments.id), '[]')
        FROM payments JOIN terminals ON terminals.id = payments.terminal_id
        WHERE payments.donation_id = donations.id) AS payments,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'kind', alerts.kind, 'status', alerts.status, 'created_at', alerts.created_at, 'shown_at', alerts.shown_at,
            'finished_at', alerts.finished_at) ORDER BY alerts.id), '[]')
        FROM alerts WHERE alerts.donation_id = donations.id) AS alerts
FROM donations LEFT JOIN terms ON terms.id = donations.terms_id
WHERE donations.streamer_id = :streamer_id AND donations.id > :after
ORDER BY donations.id LIMIT :limit;

-- name: list_manual_donations
SELECT id, public_id, donor_name, message, amount_minor, currency, source, received_at, created_at, deleted_at
FROM manual_donations WHERE streamer_id = :streamer_id AND id > :after ORDER BY id LIMIT :limit;

-- name: list_decisions
SELECT decisions.id, donations.public_id AS donation, decisions.what, decisions.reason, decisions.by_kind,
       decisions.by_name, decisions.matches, decisions.decided_at
FROM moderation_decisions AS decisions JOIN donations ON donations.id = decisions.donation_id
WHERE decisions.streamer_id = :streamer_id AND decisions.id > :after ORDER BY decisions.id LIMIT :limit;

-- name: list_controls
SELECT id, actor_kind, actor_name, action, alerts, created_at, undone_at
FROM alert_actions WHERE streamer_id = :streamer_id AND id > :after ORDER BY id LIMIT :limit;

-- name: count_rows$
-- What there is to pack, roughly: for the progress.
SELECT (SELECT count(*) FROM donations WHERE streamer_id = :streamer_id) * 2
     + (SELECT count(*) FROM moderation_decisions WHERE streamer_id = :streamer_id)
     + (SELECT count(*) FROM alert_actions WHERE streamer_id = :streamer_id);
