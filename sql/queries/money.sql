-- name: lock_fold^
-- How far a streamer's days are counted, and by which time zone; nobody else counts them meanwhile.
INSERT INTO ledger_folds (streamer_id, time_zone) VALUES (:streamer_id, :time_zone)
ON CONFLICT (streamer_id) DO UPDATE SET streamer_id = excluded.streamer_id
RETURNING time_zone, ledger_transaction_id;

-- name: newest_to_fold$
-- Up to where the next so many transactions are counted: those older than an hour, since no transaction of ours lasts
-- that long and so none of a smaller number can still appear. Null when all of them are counted.
SELECT max(id) FROM (
    SELECT id FROM ledger_transactions
    WHERE streamer_id = :streamer_id AND id > :counted_id AND created_at < now() - interval '1 hour'
    ORDER BY id LIMIT :limit) AS next;

-- name: delete_days!
DELETE FROM ledger_days WHERE streamer_id = :streamer_id;

-- name: fold_days!
-- Count transactions into the days on which their money moved.
INSERT INTO ledger_days (streamer_id, day, came_minor, refunded_minor, charged_back_minor, fees_minor, donations)
SELECT :streamer_id, (coalesce(transactions.moved_at, transactions.created_at) AT TIME ZONE :time_zone)::date,
       coalesce(-sum(entries.amount_minor) FILTER (WHERE entries.account = 'streamer'), 0),
       coalesce(sum(entries.amount_minor) FILTER (WHERE entries.account = 'refunds'), 0),
       coalesce(sum(entries.amount_minor) FILTER (WHERE entries.account = 'chargebacks'), 0),
       coalesce(sum(entries.amount_minor) FILTER (WHERE entries.account = 'fees'), 0),
       count(*) FILTER (WHERE entries.account = 'streamer')
FROM ledger_transactions AS transactions
JOIN ledger_entries AS entries ON entries.transaction_id = transactions.id
WHERE transactions.streamer_id = :streamer_id
  AND transactions.id > :counted_id AND transactions.id <= :newest_id
  AND entries.account IN ('streamer', 'refunds', 'chargebacks', 'fees')
GROUP BY 2
ON CONFLICT (streamer_id, day) DO UPDATE
SET came_minor = ledger_days.came_minor + excluded.came_minor,
    refunded_minor = ledger_days.refunded_minor + excluded.refunded_minor,
    charged_back_minor = ledger_days.charged_back_minor + excluded.charged_back_minor,
    fees_minor = ledger_days.fees_minor + excluded.fees_minor,
    donations = ledger_days.donations + excluded.donations;

-- name: note_folded!
UPDATE ledger_folds SET time_zone = :time_zone, ledger_transaction_id = :counted_id WHERE streamer_id = :streamer_id;

-- name: list_days
-- What moved on each day, from the first to the last: the days counted, and the transactions since counted_id.
SELECT day, sum(came_minor)::bigint AS came_minor, sum(refunded_minor)::bigint AS refunded_minor,
       sum(charged_back_minor)::bigint AS charged_back_minor, sum(fees_minor)::bigint AS fees_minor,
       sum(donations)::integer AS donations
FROM (
    SELECT day, came_minor, refunded_minor, charged_back_minor, fees_minor, donations FROM ledger_days
    WHERE streamer_id = :streamer_id AND day BETWEEN :first_day AND :last_day
    UNION ALL
    SELECT (coalesce(transactions.moved_at, transactions.created_at) AT TIME ZONE :time_zone)::date,
           CASE WHEN entries.account = 'streamer' THEN -entries.amount_minor ELSE 0 END,
           CASE WHEN entries.account = 'refunds' THEN entries.amount_minor ELSE 0 END,
           CASE WHEN entries.account = 'chargebacks' THEN entries.amount_minor ELSE 0 END,
           CASE WHEN entries.account = 'fees' THEN entries.amount_minor ELSE 0 END,
           (entries.account = 'streamer')::integer
    FROM ledger_transactions AS transactions
    JOIN ledger_entries AS entries ON entries.transaction_id = transactions.id
     AND entries.account IN ('streamer', 'refunds', 'chargebacks', 'fees')
    WHERE transactions.streamer_id = :streamer_id AND transactions.id > :counted_id
) AS moved
WHERE day BETWEEN :first_day AND :last_day
GROUP BY day ORDER BY day DESC;

-- name: list_told_periods
-- The days that the streamer's registry files tell of.
SELECT DISTINCT first_day, last_day FROM registry_files
WHERE streamer_id = :streamer_id AND read_at IS NOT NULL AND last_day >= :first_day AND first_day <= :last_day;

-- name: sum_held^
-- What came and is not the streamer's yet: paid twice, or under review.
SELECT coalesce(-sum(amount_minor) FILTER (WHERE account = 'surplus'), 0)::bigint AS surplus_minor,
       coalesce(-sum(amount_minor) FILTER (WHERE account = 'review'), 0)::bigint AS review_minor
FROM ledger_entries WHERE streamer_id = :streamer_id AND account IN ('surplus', 'review');

-- name: first_day$
SELECT (min(coalesce(moved_at, created_at)) AT TIME ZONE :time_zone)::date FROM ledger_transactions
WHERE streamer_id = :streamer_id;

-- name: list_ledger
-- Transactions whose money moved between two moments, the oldest first, on from one: what each did to the streamer's
-- accounts (fees among them) and to what is held.
SELECT transactions.id, transactions.kind, coalesce(transactions.moved_at, transactions.created_at) AS moved_at,
       transactions.created_at AS booked_at, sums.net_minor, sums.held_minor, payments.donation_id, payments.order_id,
       payments.provider_payment_id, payments.method, terminals.provider, terminals.terminal_key,
       coalesce(terminals.is_test, false) AS is_test, donations.public_donor_name AS donor_name
FROM ledger_transactions AS transactions
JOIN payments ON payments.id = transactions.payment_id
JOIN terminals ON terminals.id = payments.terminal_id
JOIN donations ON donations.id = payments.donation_id
CROSS JOIN LATERAL (
    SELECT coalesce(-sum(amount_minor) FILTER (WHERE account IN ('streamer', 'refunds', 'chargebacks', 'fees')), 0)
               ::bigint AS net_minor,
           coalesce(-sum(amount_minor) FILTER (WHERE account IN ('surplus', 'review')), 0)::bigint AS held_minor
    FROM ledger_entries WHERE transaction_id = transactions.id
) AS sums
WHERE transactions.streamer_id = :streamer_id
  AND coalesce(transactions.moved_at, transactions.created_at) < :before_moment
  AND (coalesce(transactions.moved_at, transactions.created_at), transactions.id) > (:after_moment::timestamptz, :after_id::bigint)
ORDER BY coalesce(transactions.moved_at, transactions.created_at), transactions.id
LIMIT :limit;

-- name: sum_tests$
-- What came in between two moments through terminals for trying out, less what went back then; kopecks.
SELECT coalesce(-sum(entries.amount_minor), 0)::bigint
FROM test_payments
JOIN ledger_transactions AS transactions ON transactions.payment_id = test_payments.payment_id
JOIN ledger_entries AS entries ON entries.transaction_id = transactions.id
 AND entries.account IN ('streamer', 'refunds', 'chargebacks')
WHERE test_payments.streamer_id = :streamer_id
  AND coalesce(transactions.moved_at, transactions.created_at) >= :since
  AND coalesce(transactions.moved_at, transactions.created_at) < :until;
