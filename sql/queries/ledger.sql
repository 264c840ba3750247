-- name: insert_transaction^
-- A balanced pair of entries: debit and credit of the same amount. No row when this was booked before.
WITH booked AS (
    INSERT INTO ledger_transactions (kind, streamer_id, payment_id, reached_minor)
    VALUES (:kind, :streamer_id, :payment_id, :reached_minor)
    ON CONFLICT DO NOTHING
    RETURNING id, created_at
), entries AS (
    INSERT INTO ledger_entries (transaction_id, streamer_id, account, amount_minor)
    SELECT booked.id, :streamer_id, entry.account, entry.amount
    FROM booked, (VALUES (:debit_account, :amount_minor::bigint), (:credit_account, -:amount_minor::bigint))
        AS entry (account, amount)
)
SELECT id, created_at FROM booked;

-- name: sum_account$
-- An account's balance; credits are negative.
SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger_entries
WHERE streamer_id = :streamer_id AND account = :account;

-- name: sum_refunds$
-- How much of a payment went back to the donor by now.
SELECT coalesce(max(reached_minor), 0)::bigint FROM ledger_transactions
WHERE payment_id = :payment_id AND kind = 'refund';

-- name: list_entries_of_payment
SELECT transactions.kind, entries.account, entries.amount_minor, transactions.created_at
FROM ledger_transactions AS transactions JOIN ledger_entries AS entries ON entries.transaction_id = transactions.id
WHERE transactions.payment_id = :payment_id ORDER BY transactions.id, entries.account;
