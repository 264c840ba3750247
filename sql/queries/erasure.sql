-- name: list_due_erasures
-- Accounts whose days to think again are over.
SELECT id FROM users WHERE delete_at <= now() AND erased_at IS NULL ORDER BY delete_at LIMIT 100;

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

-- name: erase_donations!
-- A batch: what donors wrote leaves, what they paid stays.
UPDATE donations
SET donor_name = NULL, message = '', public_donor_name = NULL, public_message = '', donor_email = NULL
WHERE id IN (
    SELECT id FROM donations
    WHERE streamer_id = :streamer_id
      AND (donor_name IS NOT NULL OR message <> '' OR public_donor_name IS NOT NULL OR public_message <> ''
           OR donor_email IS NOT NULL)
    LIMIT :limit);

-- name: erase_alerts!
UPDATE alerts SET donor_name = NULL, message = ''
WHERE id IN (
    SELECT id FROM alerts WHERE streamer_id = :streamer_id AND (donor_name IS NOT NULL OR message <> '')
    LIMIT :limit);

-- name: erase_manual_donations!
UPDATE manual_donations SET donor_name = NULL, message = '', source = ''
WHERE id IN (
    SELECT id FROM manual_donations
    WHERE streamer_id = :streamer_id AND (donor_name IS NOT NULL OR message <> '' OR source <> '')
    LIMIT :limit);

-- name: erase_goals!
-- Their sums stay with the donations that make them.
UPDATE goals SET title = '—', description = ''
WHERE id IN (
    SELECT id FROM goals WHERE streamer_id = :streamer_id AND (title <> '—' OR description <> '') LIMIT :limit);

-- name: drop_alerts!
-- Nothing of it is played any more.
UPDATE alerts SET status = 'dropped', finished_at = now()
WHERE streamer_id = :streamer_id AND status IN ('held', 'queued');

-- name: delete_browsers_of!
DELETE FROM known_browsers WHERE user_id = :user_id;

-- name: delete_confirmations_of!
DELETE FROM confirmations WHERE user_id = :user_id OR email = (SELECT email FROM users WHERE id = :user_id);

-- name: delete_links_of!
DELETE FROM one_time_links WHERE user_id = :user_id;

-- name: finish_erasure!
UPDATE users
SET email = 'erased-' || id || '@erased.invalid', password_hash = '', consent_version = NULL, consented_at = NULL,
    email_confirmed_at = NULL, erased_at = now()
WHERE id = :user_id AND delete_at <= now() AND erased_at IS NULL;

-- name: erase_settings!
-- What the streamer set up and uploaded, and what was made for her to look at. The words that donors agreed to stay.
WITH looks AS (
    UPDATE streamers SET links = '{}', thanks = '', accent = '', is_listed = false, featured_place = NULL,
                         avatar_id = NULL, banner_id = NULL
    WHERE id = :streamer_id),
pictures AS (DELETE FROM media WHERE streamer_id = :streamer_id),
buttons AS (UPDATE control_buttons SET revoked_at = coalesce(revoked_at, now()) WHERE streamer_id = :streamer_id),
files AS (DELETE FROM exports WHERE streamer_id = :streamer_id),
steps AS (DELETE FROM first_steps WHERE streamer_id = :streamer_id),
papers AS (DELETE FROM requisites WHERE streamer_id = :streamer_id),
counts AS (DELETE FROM statistics_counts WHERE streamer_id = :streamer_id),
rules AS (DELETE FROM moderation_settings WHERE streamer_id = :streamer_id),
words AS (DELETE FROM moderation_words WHERE streamer_id = :streamer_id),
blocked AS (DELETE FROM blocks WHERE streamer_id = :streamer_id)
DELETE FROM holds WHERE streamer_id = :streamer_id;

-- name: erase_decisions!
UPDATE moderation_decisions SET matches = '[]', by_name = ''
WHERE id IN (
    SELECT id FROM moderation_decisions
    WHERE streamer_id = :streamer_id AND (matches <> '[]' OR by_name <> '') LIMIT :limit);

-- name: erase_payers!
UPDATE payments SET payer = ''
WHERE id IN (SELECT id FROM payments WHERE streamer_id = :streamer_id AND payer <> '' LIMIT :limit);

-- name: delete_identities_of!
DELETE FROM identities WHERE user_id = :user_id;

-- name: list_same_donor
-- Donations of the name that a donation shows and was written with: a masked name alone may be anybody's.
SELECT others.id
FROM donations AS one JOIN donations AS others ON others.streamer_id = one.streamer_id
WHERE one.id = :donation_id AND one.streamer_id = :streamer_id AND others.paid_at IS NOT NULL AND others.id <> one.id
  AND others.public_donor_name IS NOT NULL
  AND lower(others.public_donor_name) = lower(one.public_donor_name)
  AND lower(others.donor_name) = lower(one.donor_name);

-- name: erase_texts_of!
-- A donor's words, wherever they stand; sums, payments and the consent stay.
WITH alerts_of AS (
    UPDATE alerts SET donor_name = NULL, message = ''
    WHERE donation_id = ANY(:ids::integer[])
       OR status NOT IN ('queued', 'playing')
          AND id IN (SELECT summary_id FROM alerts WHERE donation_id = ANY(:ids::integer[]))),
holds_of AS (
    UPDATE holds SET approved_name = NULL, approved_message = '', quiet_name = NULL, matches = '[]'
    WHERE donation_id = ANY(:ids::integer[])),
decisions_of AS (
    UPDATE moderation_decisions SET matches = '[]' WHERE donation_id = ANY(:ids::integer[]) AND matches <> '[]'),
payers_of AS (UPDATE payments SET payer = '' WHERE donation_id = ANY(:ids::integer[]) AND payer <> ''),
addresses_of AS (DELETE FROM donation_addresses WHERE donation_id = ANY(:ids::integer[]))
UPDATE donations
SET donor_name = NULL, message = '', public_donor_name = NULL, public_message = '', donor_email = NULL, erased_at = now()
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
