-- name: insert_transaction^
-- A balanced pair of entries: debit and credit of the same amount. No row when this was booked before. moved_at says
-- when the money moved, where that was before now.
WITH booked AS (
    INSERT INTO ledger_transactions (kind, streamer_id, payment_id, reached_minor, moved_at)
    VALUES (:kind, :streamer_id, :payment_id, :reached_minor,
            CASE WHEN :moved_at::timestamptz < now() THEN :moved_at::timestamptz END)
    ON CONFLICT DO NOTHING
    RETURNING id, created_at
), entries AS (
    INSERT INTO ledger_entries (transaction_id, streamer_id, account, amount_minor)
    SELECT booked.id, :streamer_id, entry.account, entry.amount
    FROM booked, (VALUES (:debit_account, :amount_minor::bigint), (:credit_account, -:amount_minor::bigint))
        AS entry (account, amount)
)
SELECT id, created_at FROM booked;

-- name: sum_reached$
-- How much a payment's transactions of one kind add up to by now.
SELECT coalesce(max(reached_minor), 0)::bigint FROM ledger_transactions
WHERE payment_id = :payment_id AND kind = :kind;

-- name: sum_gone$
-- Kopecks of a payment that went back, by refunds and chargebacks, less what came again.
SELECT coalesce(max(reached_minor) FILTER (WHERE kind = 'refund'), 0)
     + coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)
     - coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0)
FROM ledger_transactions WHERE payment_id = :payment_id;
