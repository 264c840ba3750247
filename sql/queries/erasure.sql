-- name: list_due_erasures
-- Accounts whose days to think again are over.
SELECT id FROM users WHERE delete_at <= now() AND erased_at IS NULL ORDER BY delete_at LIMIT 100;

-- name: drop_wish!
-- The account stays, though its time has come.
UPDATE users SET delete_at = NULL WHERE id = :user_id AND delete_at <= now() AND erased_at IS NULL;

-- name: begin_erasure^
-- No row when its owner thought again, or when it is done.
UPDATE users SET is_active = false, is_superuser = false
WHERE id = :user_id AND delete_at <= now() AND erased_at IS NULL
RETURNING id, email;

-- name: close_streamer$
UPDATE streamers SET closed_at = coalesce(closed_at, now()), about = '', display_name = '—'
WHERE owner_id = :user_id RETURNING id;

-- name: retire_terminals!
UPDATE terminals SET retired_at = now() WHERE streamer_id = :streamer_id AND retired_at IS NULL;

-- name: delete_browsers_of!
DELETE FROM known_browsers WHERE user_id = :user_id;

-- name: delete_confirmations_of!
DELETE FROM confirmations WHERE user_id = :user_id OR email = (SELECT email FROM users WHERE id = :user_id);

-- name: delete_links_of!
DELETE FROM one_time_links WHERE user_id = :user_id;

-- name: delete_identities_of!
DELETE FROM identities WHERE user_id = :user_id;

-- name: erase_settings!
-- What the streamer set up and uploaded, and what was made for her to look at. The words that donors agreed to stay.
WITH looks AS (
    UPDATE streamers SET links = '{}', thanks = '', accent = '', is_listed = false, featured_place = NULL,
                         avatar_id = NULL, banner_id = NULL
    WHERE id = :streamer_id),
pictures AS (DELETE FROM media WHERE streamer_id = :streamer_id),
uploads AS (DELETE FROM media_files WHERE streamer_id = :streamer_id),
buttons AS (UPDATE control_buttons SET revoked_at = coalesce(revoked_at, now()), name = '—'
            WHERE streamer_id = :streamer_id),
hooks AS (DELETE FROM webhooks WHERE streamer_id = :streamer_id),
files AS (DELETE FROM exports WHERE streamer_id = :streamer_id),
steps AS (DELETE FROM first_steps WHERE streamer_id = :streamer_id),
papers AS (DELETE FROM requisites WHERE streamer_id = :streamer_id),
counts AS (DELETE FROM statistics_counts WHERE streamer_id = :streamer_id),
rules AS (DELETE FROM moderation_settings WHERE streamer_id = :streamer_id),
levels AS (DELETE FROM alert_settings WHERE streamer_id = :streamer_id),
words AS (DELETE FROM moderation_words WHERE streamer_id = :streamer_id),
helpers AS (DELETE FROM moderators WHERE streamer_id = :streamer_id),
present AS (DELETE FROM moderation_presence WHERE streamer_id = :streamer_id)
DELETE FROM blocks WHERE streamer_id = :streamer_id;

-- Batches. Each takes the next rows, by their number, that have words; it leaves those that somebody is at work on, and
-- says how many it found, how many of these it emptied, and the last one's number. None of them ever waits for a row.

-- name: drop_waiting_alerts^
-- Nothing of it is played any more.
WITH found AS (
    SELECT id FROM alerts
    WHERE streamer_id = :streamer_id AND id > :after_id AND status IN ('held', 'queued')
    ORDER BY id LIMIT :limit
), free AS (
    SELECT id FROM alerts WHERE id IN (SELECT id FROM found) FOR NO KEY UPDATE SKIP LOCKED
), erased AS (
    UPDATE alerts SET status = 'dropped', finished_at = now()
    FROM free WHERE alerts.id = free.id
    RETURNING alerts.id
)
SELECT count(*) AS found, max(id) AS last_id, (SELECT count(*) FROM erased) AS erased FROM found;

-- name: erase_donations^
-- What donors wrote leaves, what they paid stays.
WITH found AS (
    SELECT id FROM donations
    WHERE streamer_id = :streamer_id AND id > :after_id
      AND (donor_name IS NOT NULL OR message <> '' OR public_donor_name IS NOT NULL OR public_message <> ''
           OR donor_email IS NOT NULL)
    ORDER BY id LIMIT :limit
), free AS (
    SELECT id FROM donations WHERE id IN (SELECT id FROM found) FOR NO KEY UPDATE SKIP LOCKED
), erased AS (
    UPDATE donations
    SET donor_name = NULL, message = '', public_donor_name = NULL, public_message = '', donor_email = NULL
    FROM free WHERE donations.id = free.id
    RETURNING donations.id
)
SELECT count(*) AS found, max(id) AS last_id, (SELECT count(*) FROM erased) AS erased FROM found;

-- name: erase_alerts^
WITH found AS (
    SELECT id FROM alerts
    WHERE streamer_id = :streamer_id AND id > :after_id AND (donor_name IS NOT NULL OR message <> '')
    ORDER BY id LIMIT :limit
), free AS (
    SELECT id FROM alerts WHERE id IN (SELECT id FROM found) FOR NO KEY UPDATE SKIP LOCKED
), erased AS (
    UPDATE alerts SET donor_name = NULL, message = ''
    FROM free WHERE alerts.id = free.id
    RETURNING alerts.id
)
SELECT count(*) AS found, max(id) AS last_id, (SELECT count(*) FROM erased) AS erased FROM found;

-- name: erase_holds^
WITH found AS (
    SELECT alert_id FROM holds
    WHERE streamer_id = :streamer_id AND alert_id > :after_id
    ORDER BY alert_id LIMIT :limit
), free AS (
    SELECT alert_id FROM holds WHERE alert_id IN (SELECT alert_id FROM found) FOR UPDATE SKIP LOCKED
), erased AS (
    DELETE FROM holds USING free WHERE holds.alert_id = free.alert_id RETURNING holds.alert_id
)
SELECT count(*) AS found, max(alert_id) AS last_id, (SELECT count(*) FROM erased) AS erased FROM found;

-- name: erase_manual_donations^
WITH found AS (
    SELECT id FROM manual_donations
    WHERE streamer_id = :streamer_id AND id > :after_id AND (donor_name IS NOT NULL OR message <> '' OR source <> '')
    ORDER BY id LIMIT :limit
), free AS (
    SELECT id FROM manual_donations WHERE id IN (SELECT id FROM found) FOR NO KEY UPDATE SKIP LOCKED
), erased AS (
    UPDATE manual_donations SET donor_name = NULL, message = '', source = ''
    FROM free WHERE manual_donations.id = free.id
    RETURNING manual_donations.id
)
SELECT count(*) AS found, max(id) AS last_id, (SELECT count(*) FROM erased) AS erased FROM found;

-- name: erase_goals^
-- Their sums stay with the donations that make them.
WITH found AS (
    SELECT id FROM goals
    WHERE streamer_id = :streamer_id AND id > :after_id AND (title <> '—' OR description <> '')
    ORDER BY id LIMIT :limit
), free AS (
    SELECT id FROM goals WHERE id IN (SELECT id FROM found) FOR NO KEY UPDATE SKIP LOCKED
), erased AS (
    UPDATE goals SET title = '—', description = ''
    FROM free WHERE goals.id = free.id
    RETURNING goals.id
)
SELECT count(*) AS found, max(id) AS last_id, (SELECT count(*) FROM erased) AS erased FROM found;

-- name: erase_decisions^
-- The reason of an exception is the donor's word.
WITH found AS (
    SELECT id FROM moderation_decisions
    WHERE streamer_id = :streamer_id AND id > :after_id
      AND (matches <> '[]' OR by_name <> '' OR what = 'exception' AND reason <> '')
    ORDER BY id LIMIT :limit
), free AS (
    SELECT id FROM moderation_decisions WHERE id IN (SELECT id FROM found) FOR NO KEY UPDATE SKIP LOCKED
), erased AS (
    UPDATE moderation_decisions
    SET matches = '[]', by_name = '', reason = CASE WHEN what = 'exception' THEN '' ELSE reason END
    FROM free WHERE moderation_decisions.id = free.id
    RETURNING moderation_decisions.id
)
SELECT count(*) AS found, max(id) AS last_id, (SELECT count(*) FROM erased) AS erased FROM found;

-- name: erase_payers^
WITH found AS (
    SELECT id FROM payments
    WHERE streamer_id = :streamer_id AND id > :after_id AND payer <> ''
    ORDER BY id LIMIT :limit
), free AS (
    SELECT id FROM payments WHERE id IN (SELECT id FROM found) FOR NO KEY UPDATE SKIP LOCKED
), erased AS (
    UPDATE payments SET payer = ''
    FROM free WHERE payments.id = free.id
    RETURNING payments.id
)
SELECT count(*) AS found, max(id) AS last_id, (SELECT count(*) FROM erased) AS erased FROM found;

-- name: erase_actors^
-- Who pressed what.
WITH found AS (
    SELECT id FROM alert_actions
    WHERE streamer_id = :streamer_id AND id > :after_id AND actor_name <> ''
    ORDER BY id LIMIT :limit
), free AS (
    SELECT id FROM alert_actions WHERE id IN (SELECT id FROM found) FOR NO KEY UPDATE SKIP LOCKED
), erased AS (
    UPDATE alert_actions SET actor_name = ''
    FROM free WHERE alert_actions.id = free.id
    RETURNING alert_actions.id
)
SELECT count(*) AS found, max(id) AS last_id, (SELECT count(*) FROM erased) AS erased FROM found;

-- name: lock_user!
SELECT FROM users WHERE id = :user_id FOR NO KEY UPDATE;

-- name: lock_streamer!
-- Until whoever writes something of this streamer at this moment has done so: all of it points at this row.
SELECT FROM streamers WHERE id = :streamer_id FOR UPDATE;

-- name: finish_erasure!
UPDATE users
SET email = 'erased-' || id || '@erased.invalid', password_hash = '', consent_version = NULL, consented_at = NULL,
    email_confirmed_at = NULL, erased_at = now()
WHERE id = :user_id AND delete_at <= now() AND erased_at IS NULL;

-- name: list_same_donor
-- Donations of the name that a donation shows and was written with: a masked name alone may be anybody's.
SELECT others.id
FROM donations AS one JOIN donations AS others ON others.streamer_id = one.streamer_id
WHERE one.id = :donation_id AND one.streamer_id = :streamer_id AND others.paid_at IS NOT NULL AND others.id <> one.id
  AND others.public_donor_name IS NOT NULL
  AND lower(others.public_donor_name) = lower(one.public_donor_name)
  AND lower(others.donor_name) = lower(one.donor_name);

-- name: lock_payments_of!
SELECT FROM payments WHERE donation_id = ANY(:ids::integer[]) ORDER BY id FOR NO KEY UPDATE;

-- name: lock_donations_of!
SELECT FROM donations WHERE id = ANY(:ids::integer[]) ORDER BY id FOR NO KEY UPDATE;

-- name: lock_alerts_of!
SELECT FROM alerts
WHERE donation_id = ANY(:ids::integer[])
   OR id IN (SELECT summary_id FROM alerts WHERE donation_id = ANY(:ids::integer[]))
ORDER BY summary_id NULLS FIRST, id FOR NO KEY UPDATE;

-- name: erase_texts_of!
-- A donor's words, wherever they stand; sums, payments and the consent stay. The caller has locked the rows.
WITH alerts_of AS (
    UPDATE alerts SET donor_name = NULL, message = ''
    WHERE donation_id = ANY(:ids::integer[])
       OR status NOT IN ('queued', 'playing')
          AND id IN (SELECT summary_id FROM alerts WHERE donation_id = ANY(:ids::integer[]))),
holds_of AS (
    UPDATE holds SET approved_name = NULL, approved_message = '', quiet_name = NULL, matches = '[]'
    WHERE donation_id = ANY(:ids::integer[])),
decisions_of AS (
    UPDATE moderation_decisions SET matches = '[]', reason = CASE WHEN what = 'exception' THEN '' ELSE reason END
    WHERE donation_id = ANY(:ids::integer[])),
payers_of AS (UPDATE payments SET payer = '' WHERE donation_id = ANY(:ids::integer[]) AND payer <> ''),
addresses_of AS (DELETE FROM donation_addresses WHERE donation_id = ANY(:ids::integer[]))
UPDATE donations
SET donor_name = NULL, message = '', public_donor_name = NULL, public_message = '', donor_email = NULL, erased_at = now(),
    retold_at = now()
WHERE id = ANY(:ids::integer[]) AND streamer_id = :streamer_id;

-- name: log_erased!
INSERT INTO moderation_decisions (streamer_id, donation_id, what, by_kind, by_id, by_name)
SELECT :streamer_id, id, 'erase', 'owner', :by_id, :by_name FROM unnest(:ids::integer[]) AS id;

-- name: drop_copies!
-- Counts kept for statistics, and files made before, hold the name as well. The files can be made anew.
WITH counts AS (DELETE FROM statistics_counts WHERE streamer_id = :streamer_id)
DELETE FROM exports
WHERE streamer_id = :streamer_id
   OR format = 'zip' AND user_id = (SELECT owner_id FROM streamers WHERE id = :streamer_id);
