-- name: delete_ended_sessions!
DELETE FROM sessions WHERE expires_at < now() - make_interval(days => :days);

-- name: delete_browsers!
DELETE FROM known_browsers WHERE used_at < now() - make_interval(days => :days);

-- name: delete_confirmations!
DELETE FROM confirmations WHERE expires_at < now() - make_interval(days => :days);

-- name: delete_awaiting!
-- Accounts that nobody confirmed.
DELETE FROM users
WHERE id IN (
    SELECT id FROM users
    WHERE awaits_code AND created_at < now() - make_interval(days => :days)
    ORDER BY created_at LIMIT :limit);

-- name: delete_links!
DELETE FROM one_time_links
WHERE coalesce(used_at, expires_at) < now() - make_interval(days => :days);

-- name: delete_keys!
-- A user's own that were revoked or ended.
DELETE FROM access_tokens
WHERE id IN (
    SELECT id FROM access_tokens
    WHERE grant_id IS NULL AND least(revoked_at, expires_at) < now() - make_interval(days => :days)
    ORDER BY id LIMIT :limit);

-- name: delete_grants!
-- What was revoked, and what was not refreshed for so long that its last token ended.
DELETE FROM grants
WHERE id IN (
    SELECT id FROM grants
    WHERE revoked_at < now() - make_interval(days => :days)
       OR exchanged_at IS NOT NULL AND used_at < now() - make_interval(days => :days)
          AND NOT EXISTS (SELECT FROM refresh_tokens WHERE refresh_tokens.grant_id = grants.id)
    ORDER BY id LIMIT :limit);

-- name: delete_unused_codes!
-- Nobody exchanged them, so nothing came of it.
DELETE FROM grants
WHERE id IN (
    SELECT id FROM grants
    WHERE exchanged_at IS NULL AND code_expires_at < now() - make_interval(days => :days)
    ORDER BY code_expires_at LIMIT :limit);

-- name: delete_access_tokens!
-- Of applications: they lived an hour.
DELETE FROM access_tokens
WHERE id IN (
    SELECT id FROM access_tokens
    WHERE grant_id IS NOT NULL AND expires_at < now() - make_interval(days => :days)
    ORDER BY expires_at LIMIT :limit);

-- name: delete_refresh_tokens!
-- Used or not. Until then one that is used twice is known again.
DELETE FROM refresh_tokens
WHERE id IN (
    SELECT id FROM refresh_tokens WHERE expires_at < now() - make_interval(days => :days)
    ORDER BY expires_at LIMIT :limit);

-- name: delete_letters!
DELETE FROM letters
WHERE id IN (
    SELECT id FROM letters
    WHERE created_at < now() - make_interval(days => :days) AND status <> 'waiting'
    ORDER BY created_at LIMIT :limit);

-- name: delete_account_log!
DELETE FROM account_log
WHERE id IN (SELECT id FROM account_log WHERE created_at < now() - make_interval(days => :days) ORDER BY id LIMIT :limit);

-- name: delete_exports!
DELETE FROM exports
WHERE format <> 'zip' AND coalesce(finished_at, created_at) < now() - make_interval(days => :days);

-- name: delete_archives!
DELETE FROM exports
WHERE format = 'zip' AND coalesce(finished_at, created_at) < now() - make_interval(days => :days);

-- name: delete_addresses!
DELETE FROM donation_addresses
WHERE donation_id IN (
    SELECT donation_id FROM donation_addresses
    WHERE created_at < now() - make_interval(days => :days)
    ORDER BY created_at LIMIT :limit);

-- name: erase_unpaid_texts!
-- Nobody paid, so nobody sees them. Should the money come after all, the donation is anonymous.
UPDATE donations
SET donor_name = NULL, message = '', public_donor_name = NULL, public_message = '', donor_email = NULL
WHERE id IN (
    SELECT id FROM donations
    WHERE status IN ('pending', 'failed') AND created_at < now() - make_interval(days => :days)
      AND (donor_name IS NOT NULL OR message <> '' OR public_donor_name IS NOT NULL OR public_message <> ''
           OR donor_email IS NOT NULL)
    ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED);

-- name: erase_receipt_emails!
UPDATE donations SET donor_email = NULL
WHERE id IN (
    SELECT id FROM donations
    WHERE donor_email IS NOT NULL AND paid_at < now() - make_interval(days => :days)
    ORDER BY paid_at LIMIT :limit FOR UPDATE SKIP LOCKED);

-- name: erase_deleted_by_hand!
UPDATE manual_donations SET donor_name = NULL, message = '', source = ''
WHERE id IN (
    SELECT id FROM manual_donations
    WHERE deleted_at < now() - make_interval(days => :days)
      AND (donor_name IS NOT NULL OR message <> '' OR source <> '')
    LIMIT :limit);

-- name: delete_controls!
WITH old AS (
    SELECT id, act_id FROM alert_actions WHERE created_at < now() - make_interval(days => :days)
    ORDER BY created_at LIMIT :limit),
freed AS (UPDATE alerts SET cleared_by = NULL WHERE cleared_by IN (SELECT act_id FROM old))
DELETE FROM alert_actions WHERE id IN (SELECT id FROM old);

-- name: erase_decisions!
-- What was decided and when stays; the words that a rule caught and who decided go.
UPDATE moderation_decisions SET matches = '[]', by_name = ''
WHERE id IN (
    SELECT id FROM moderation_decisions
    WHERE (matches <> '[]' OR by_name <> '') AND decided_at < now() - make_interval(days => :days)
    ORDER BY decided_at LIMIT :limit);

-- name: erase_bodies!
-- What became of them stays, and so do those that nobody acted on yet or that wait for a person.
UPDATE inbox SET body = ''
WHERE id IN (
    SELECT id FROM inbox
    WHERE body <> '' AND processed_at IS NOT NULL
      AND (settled_at IS NOT NULL OR outcome IS NULL OR outcome NOT IN ('unknown_order', 'malformed'))
      AND received_at < now() - make_interval(days => :days)
    ORDER BY received_at LIMIT :limit);

-- name: erase_raw_news!
UPDATE payment_news SET raw = NULL
WHERE id IN (
    SELECT id FROM payment_news
    WHERE raw IS NOT NULL AND created_at < now() - make_interval(days => :days)
    ORDER BY created_at LIMIT :limit);
