-- Rules of what must never be: each returns up to five examples of what it found, the newest first, and in `found` how
-- many there are.
-- `payment_ids` narrows a rule to those payments, and `streamer_ids` to those streamers; null is all of them.

-- name: list_recent_payments
-- Payments that are new, heard something or were booked within so long; of each kind only so many of the newest.
SELECT recent.payment_id FROM (
    (SELECT payment_id, created_at FROM payment_news ORDER BY id DESC LIMIT :limit)
    UNION ALL (SELECT payment_id, created_at FROM ledger_transactions ORDER BY id DESC LIMIT :limit)
    UNION ALL (SELECT id, created_at FROM payments ORDER BY id DESC LIMIT :limit)
) AS recent
WHERE recent.created_at > now() - make_interval(secs => :seconds)
GROUP BY recent.payment_id;

-- name: list_recent_streamers
SELECT streamer_id FROM (
    SELECT streamer_id, max(id) AS newest FROM (
        SELECT streamer_id, id, created_at FROM ledger_transactions ORDER BY id DESC LIMIT :limit) AS recent
    WHERE created_at > now() - make_interval(secs => :seconds)
    GROUP BY streamer_id
) AS streamers ORDER BY newest DESC LIMIT :streamers_limit;

-- name: find_unbalanced_transactions
SELECT transactions.id AS example, count(*) OVER () AS found
FROM ledger_transactions AS transactions LEFT JOIN ledger_entries AS entries ON entries.transaction_id = transactions.id
WHERE :payment_ids::integer[] IS NULL OR transactions.payment_id = ANY(:payment_ids)
GROUP BY transactions.id
HAVING coalesce(sum(entries.amount_minor), 0) <> 0 OR count(entries.amount_minor) < 2
ORDER BY transactions.id DESC LIMIT 5;

-- name: find_unbalanced_streamers
SELECT streamer_id AS example, count(*) OVER () AS found
FROM ledger_entries WHERE :streamer_ids::integer[] IS NULL OR streamer_id = ANY(:streamer_ids)
GROUP BY streamer_id HAVING sum(amount_minor) <> 0
ORDER BY streamer_id DESC LIMIT 5;

-- name: find_taken_unbooked
SELECT payments.id AS example, count(*) OVER () AS found FROM payments
WHERE (:payment_ids::integer[] IS NULL OR payments.id = ANY(:payment_ids))
  AND payments.status IN ('confirmed', 'partially_refunded', 'refunded')
  AND NOT EXISTS (SELECT FROM ledger_transactions WHERE payment_id = payments.id AND kind = 'payment')
ORDER BY payments.id DESC LIMIT 5;

-- name: find_booked_untaken
-- A fee alone may be of a payment that brought nothing: banks charge for a refused authorisation.
SELECT payments.id AS example, count(*) OVER () AS found FROM payments
WHERE (:payment_ids::integer[] IS NULL OR payments.id = ANY(:payment_ids))
  AND payments.status NOT IN ('confirmed', 'partially_refunded', 'refunded')
  AND EXISTS (SELECT FROM ledger_transactions WHERE payment_id = payments.id AND kind <> 'fee')
ORDER BY payments.id DESC LIMIT 5;

-- name: find_wrong_accounts
-- The payment's money stands on another account than that of what it was booked as. Money accepted after a review has
-- left the account it came to.
SELECT payments.id AS example, count(*) OVER () AS found
FROM payments
JOIN (
    SELECT transactions.payment_id,
           coalesce(sum(entries.amount_minor) FILTER (WHERE entries.account = 'streamer'), 0) AS streamer,
           coalesce(sum(entries.amount_minor) FILTER (WHERE entries.account = 'surplus'), 0) AS surplus,
           coalesce(sum(entries.amount_minor) FILTER (WHERE entries.account = 'review'), 0) AS review,
           coalesce(sum(entries.amount_minor) FILTER (WHERE entries.account IN ('refunds', 'chargebacks')), 0) AS back
    FROM ledger_transactions AS transactions JOIN ledger_entries AS entries ON entries.transaction_id = transactions.id
    WHERE :payment_ids::integer[] IS NULL OR transactions.payment_id = ANY(:payment_ids)
    GROUP BY transactions.payment_id
) AS held ON held.payment_id = payments.id
WHERE CASE payments.booked_as
    WHEN 'donation' THEN held.streamer = 0 OR held.surplus <> 0 OR held.review <> 0
    WHEN 'surplus' THEN held.streamer <> 0 OR held.review <> 0 OR held.back <> 0
    WHEN 'review' THEN held.streamer <> 0 OR held.surplus <> 0 OR held.back <> 0
    ELSE false END
ORDER BY payments.id DESC LIMIT 5;

-- name: find_wrong_amounts
-- What the provider said it took is not what was booked.
SELECT payments.id AS example, count(*) OVER () AS found
FROM payments
JOIN ledger_transactions AS transactions ON transactions.payment_id = payments.id AND transactions.kind = 'payment'
JOIN ledger_entries AS entries ON entries.transaction_id = transactions.id AND entries.account = 'provider_clearing'
WHERE (:payment_ids::integer[] IS NULL OR payments.id = ANY(:payment_ids))
  AND (payments.confirmed_minor IS DISTINCT FROM transactions.reached_minor
       OR payments.confirmed_minor IS DISTINCT FROM entries.amount_minor)
ORDER BY payments.id DESC LIMIT 5;

-- name: find_wrong_refund_states
-- The payment's state says that nothing, a part or all went back, and the ledger something else.
SELECT payments.id AS example, count(*) OVER () AS found
FROM payments LEFT JOIN (
    SELECT payment_id, max(reached_minor) AS minor FROM ledger_transactions
    WHERE kind = 'refund' AND (:payment_ids::integer[] IS NULL OR payment_id = ANY(:payment_ids))
    GROUP BY payment_id
) AS back ON back.payment_id = payments.id
WHERE (:payment_ids::integer[] IS NULL OR payments.id = ANY(:payment_ids))
  AND payments.status IN ('confirmed', 'partially_refunded', 'refunded')
  AND payments.status <> CASE WHEN back.minor IS NULL THEN 'confirmed'
                              WHEN back.minor < payments.confirmed_minor THEN 'partially_refunded'
                              WHEN back.minor = payments.confirmed_minor THEN 'refunded'
                              ELSE 'more than came' END
ORDER BY payments.id DESC LIMIT 5;

-- name: find_reversals_without_chargeback
-- More of a payment came again than donors' banks had taken.
SELECT payment_id AS example, count(*) OVER () AS found FROM ledger_transactions
WHERE kind IN ('chargeback', 'chargeback_reversal')
  AND (:payment_ids::integer[] IS NULL OR payment_id = ANY(:payment_ids))
GROUP BY payment_id
HAVING coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0)
     > coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)
ORDER BY payment_id DESC LIMIT 5;

-- name: find_paid_without_payment
SELECT donations.id AS example, count(*) OVER () AS found FROM donations
WHERE donations.paid_at IS NOT NULL
  AND (:payment_ids::integer[] IS NULL
       OR donations.id = ANY(ARRAY(SELECT donation_id FROM payments WHERE id = ANY(:payment_ids))))
  AND NOT EXISTS (SELECT FROM payments WHERE donation_id = donations.id AND booked_as = 'donation')
ORDER BY donations.id DESC LIMIT 5;

-- name: find_paid_twice
-- More than one payment of a donation stands on the streamer's account.
SELECT payments.donation_id AS example, count(*) OVER () AS found
FROM payments
WHERE payments.booked_as = 'donation'
  AND (:payment_ids::integer[] IS NULL
       OR payments.donation_id = ANY(ARRAY(SELECT donation_id FROM payments WHERE id = ANY(:payment_ids))))
GROUP BY payments.donation_id HAVING count(*) > 1
ORDER BY payments.donation_id DESC LIMIT 5;

-- name: find_money_unnoticed
-- Money was booked and its donation does not say so. Of a review of which nothing is left it need not.
SELECT payments.id AS example, count(*) OVER () AS found
FROM payments JOIN donations ON donations.id = payments.donation_id
WHERE (:payment_ids::integer[] IS NULL OR payments.id = ANY(:payment_ids))
  AND (payments.booked_as = 'donation' AND donations.paid_at IS NULL
       OR payments.booked_as = 'surplus' AND donations.status IN ('pending', 'failed')
       OR payments.booked_as = 'review' AND donations.status IN ('pending', 'failed')
          AND payments.confirmed_minor > (
              SELECT coalesce(max(reached_minor) FILTER (WHERE kind = 'refund'), 0)
                   + coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)
                   - coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0)
              FROM ledger_transactions WHERE payment_id = payments.id))
ORDER BY payments.id DESC LIMIT 5;

-- name: find_wrong_donation_states
-- A paid donation's state or sums are not what the ledger of its payment says (as queries.donations.settle_returns).
SELECT donations.id AS example, count(*) OVER () AS found
FROM donations
JOIN payments ON payments.donation_id = donations.id AND payments.booked_as = 'donation'
LEFT JOIN (
    SELECT payment_id,
           coalesce(max(reached_minor) FILTER (WHERE kind = 'refund'), 0) AS refunded,
           greatest(0, coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)
                       - coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0)) AS charged_back
    FROM ledger_transactions
    WHERE kind IN ('refund', 'chargeback', 'chargeback_reversal')
      AND (:payment_ids::integer[] IS NULL OR payment_id = ANY(:payment_ids))
    GROUP BY payment_id
) AS back ON back.payment_id = payments.id
CROSS JOIN LATERAL (
    SELECT coalesce(back.refunded, 0) AS refunded, coalesce(back.charged_back, 0) AS charged_back) AS gone
WHERE (:payment_ids::integer[] IS NULL OR payments.id = ANY(:payment_ids))
  AND donations.paid_at IS NOT NULL
  AND (donations.refunded_minor <> least(gone.refunded, donations.amount_minor)
       OR donations.charged_back_minor <> gone.charged_back
       OR donations.status <> CASE WHEN gone.refunded + gone.charged_back <= 0 THEN 'paid'
                                   WHEN gone.refunded + gone.charged_back < donations.amount_minor THEN 'partially_refunded'
                                   WHEN gone.charged_back > 0 THEN 'charged_back'
                                   ELSE 'refunded' END)
ORDER BY donations.id DESC LIMIT 5;

-- name: find_paid_without_alert
-- One of which all went back needs none any more.
SELECT donations.id AS example, count(*) OVER () AS found FROM donations
WHERE donations.status IN ('paid', 'partially_refunded')
  AND (:payment_ids::integer[] IS NULL
       OR donations.id = ANY(ARRAY(SELECT donation_id FROM payments WHERE id = ANY(:payment_ids))))
  AND NOT EXISTS (SELECT FROM alerts WHERE donation_id = donations.id AND kind = 'donation')
ORDER BY donations.id DESC LIMIT 5;

-- name: find_unpaid_alerts
-- Alerts that wait or play though their donation is not paid, or is deleted. What plays may finish after a refund, alone
-- or as a part of a summary.
SELECT alerts.id AS example, count(*) OVER () AS found
FROM alerts
LEFT JOIN donations ON donations.id = alerts.donation_id
LEFT JOIN alerts AS summary ON summary.id = alerts.summary_id
WHERE (alerts.status = 'queued' OR alerts.status = 'playing')
  AND (alerts.donation_id IS NOT NULL AND donations.paid_at IS NULL
       OR NOT is_paid(alerts) AND alerts.status = 'queued' AND summary.status IS DISTINCT FROM 'playing')
ORDER BY alerts.id DESC LIMIT 5;

-- name: find_wrong_totals
SELECT streamers.id AS example, count(*) OVER () AS found
FROM streamers
LEFT JOIN streamer_totals AS totals ON totals.streamer_id = streamers.id
LEFT JOIN (
    SELECT streamer_id, -sum(amount_minor) AS minor FROM ledger_entries
    WHERE account IN ('streamer', 'refunds', 'chargebacks')
      AND (:streamer_ids::integer[] IS NULL OR streamer_id = ANY(:streamer_ids))
    GROUP BY streamer_id
) AS ledger ON ledger.streamer_id = streamers.id
WHERE (:streamer_ids::integer[] IS NULL OR streamers.id = ANY(:streamer_ids))
  AND coalesce(totals.net_minor, 0) <> coalesce(ledger.minor, 0)
ORDER BY streamers.id DESC LIMIT 5;

-- name: find_wrong_days
SELECT streamers.id AS example, count(*) OVER () AS found
FROM streamers
LEFT JOIN streamer_totals AS totals ON totals.streamer_id = streamers.id
LEFT JOIN (
    SELECT streamer_id, sum(net_minor) AS minor, sum(donations) AS donations FROM streamer_days
    WHERE :streamer_ids::integer[] IS NULL OR streamer_id = ANY(:streamer_ids)
    GROUP BY streamer_id
) AS days ON days.streamer_id = streamers.id
WHERE (:streamer_ids::integer[] IS NULL OR streamers.id = ANY(:streamer_ids))
  AND (coalesce(totals.net_minor, 0) <> coalesce(days.minor, 0)
       OR coalesce(totals.donations, 0) <> coalesce(days.donations, 0))
ORDER BY streamers.id DESC LIMIT 5;

-- name: find_wrong_goal_sums
-- Streamers with a goal whose running sums are not those of the donations that belong to it.
WITH counted AS (
    SELECT goal_id, sum(amount_minor) AS given, sum(refunded_minor + charged_back_minor) AS returned
    FROM donations
    WHERE goal_id IS NOT NULL AND paid_at IS NOT NULL
      AND (:streamer_ids::integer[] IS NULL OR streamer_id = ANY(:streamer_ids))
    GROUP BY goal_id
), wrong AS (
    SELECT DISTINCT goals.streamer_id FROM goals LEFT JOIN counted ON counted.goal_id = goals.id
    WHERE (:streamer_ids::integer[] IS NULL OR goals.streamer_id = ANY(:streamer_ids))
      AND (goals.given_minor <> coalesce(counted.given, 0) OR goals.returned_minor <> coalesce(counted.returned, 0))
)
SELECT streamer_id AS example, count(*) OVER () AS found FROM wrong ORDER BY streamer_id DESC LIMIT 5;

-- name: find_wrong_counts
SELECT streamers.id AS example, count(*) OVER () AS found
FROM streamers
LEFT JOIN streamer_totals AS totals ON totals.streamer_id = streamers.id
LEFT JOIN (
    SELECT streamer_id, count(*) AS donations FROM donations
    WHERE paid_at IS NOT NULL AND status NOT IN ('refunded', 'charged_back')
      AND (:streamer_ids::integer[] IS NULL OR streamer_id = ANY(:streamer_ids))
    GROUP BY streamer_id
) AS paid ON paid.streamer_id = streamers.id
WHERE (:streamer_ids::integer[] IS NULL OR streamers.id = ANY(:streamer_ids))
  AND coalesce(totals.donations, 0) <> coalesce(paid.donations, 0)
ORDER BY streamers.id DESC LIMIT 5;

-- name: find_unexplained_states
-- The last news that changed a payment's state changed it to another one than it has. Until it is open its state
-- changes without news, and a twin is written as pending.
SELECT payments.id AS example, count(*) OVER () AS found
FROM payments LEFT JOIN (
    SELECT DISTINCT ON (payment_id) payment_id, status_after FROM payment_news
    WHERE status_before <> status_after AND (:payment_ids::integer[] IS NULL OR payment_id = ANY(:payment_ids))
    ORDER BY payment_id, id DESC
) AS last ON last.payment_id = payments.id
WHERE (:payment_ids::integer[] IS NULL OR payments.id = ANY(:payment_ids))
  AND payments.status NOT IN ('new', 'opening')
  AND last.status_after IS DISTINCT FROM payments.status
  AND (last.status_after IS NOT NULL OR payments.twin_of IS NULL OR payments.status <> 'pending')
ORDER BY payments.id DESC LIMIT 5;

-- name: find_uncovered_refunds
-- Refunds that are done, and less went back by the books.
SELECT done.payment_id AS example, count(*) OVER () AS found
FROM (
    SELECT payment_id, greatest(sum(amount_minor), max(coalesce(before_minor, 0) + amount_minor)) AS minor
    FROM refunds WHERE status = 'done' GROUP BY payment_id
) AS done
WHERE done.minor > coalesce((SELECT max(reached_minor) FROM ledger_transactions
                             WHERE payment_id = done.payment_id AND kind = 'refund'), 0)
ORDER BY done.payment_id DESC LIMIT 5;

-- name: find_wrong_moved_days
-- The days of the money page do not add up to the ledger they have counted.
SELECT folds.streamer_id AS example, count(*) OVER () AS found
FROM ledger_folds AS folds
LEFT JOIN (
    SELECT streamer_id, sum(came_minor - refunded_minor - charged_back_minor) AS net_minor, sum(fees_minor) AS fees_minor
    FROM ledger_days WHERE :streamer_ids::integer[] IS NULL OR streamer_id = ANY(:streamer_ids)
    GROUP BY streamer_id
) AS days ON days.streamer_id = folds.streamer_id
LEFT JOIN (
    SELECT entries.streamer_id,
           -sum(entries.amount_minor) FILTER (WHERE entries.account <> 'fees') AS net_minor,
           sum(entries.amount_minor) FILTER (WHERE entries.account = 'fees') AS fees_minor
    FROM ledger_entries AS entries JOIN ledger_folds ON ledger_folds.streamer_id = entries.streamer_id
    WHERE entries.account IN ('streamer', 'refunds', 'chargebacks', 'fees')
      AND entries.transaction_id <= ledger_folds.ledger_transaction_id
      AND (:streamer_ids::integer[] IS NULL OR entries.streamer_id = ANY(:streamer_ids))
    GROUP BY entries.streamer_id
) AS ledger ON ledger.streamer_id = folds.streamer_id
WHERE (:streamer_ids::integer[] IS NULL OR folds.streamer_id = ANY(:streamer_ids))
  AND (coalesce(days.net_minor, 0) <> coalesce(ledger.net_minor, 0)
       OR coalesce(days.fees_minor, 0) <> coalesce(ledger.fees_minor, 0))
ORDER BY folds.streamer_id DESC LIMIT 5;

-- name: list_secrets
-- Every terminal's secret, the retired ones' too: their payments may still be given back.
SELECT id, secret_encrypted FROM terminals ORDER BY id DESC;

-- name: plan_by_what_is_asked!
-- A rule over everything and a rule over a few payments are one statement: each is planned for what it is asked.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true);
