-- name: insert_file$
-- No row when this terminal's file has been stored before.
INSERT INTO registry_files (streamer_id, terminal_id, provider, name, sha256, uploaded_by, first_day, last_day, rows,
                            payments, payments_minor, refunds, refunds_minor, chargebacks, chargebacks_minor, fees_minor)
VALUES (:streamer_id, :terminal_id, :provider, :name, :sha256, :uploaded_by, :first_day, :last_day, :rows,
        :payments, :payments_minor, :refunds, :refunds_minor, :chargebacks, :chargebacks_minor, :fees_minor)
ON CONFLICT (terminal_id, sha256) DO NOTHING
RETURNING id;

-- name: find_file$
SELECT id FROM registry_files WHERE terminal_id = :terminal_id AND sha256 = :sha256;

-- name: insert_rows!
-- A file's rows, without those that another file told already.
INSERT INTO registry_rows (file_id, streamer_id, terminal_id, number, kind, provider_kind, provider_payment_id, order_id,
                           operated_at, settled_on, amount_minor, fee_minor, net_minor, reference, occurrence, raw)
SELECT files.id, files.streamer_id, files.terminal_id, line.number, line.kind, line.provider_kind, line.payment,
       line.order_id, line.operated_at, line.settled_on, line.amount, line.fee, line.net, line.reference,
       line.occurrence, line.raw
FROM registry_files AS files,
     unnest(:numbers::integer[], :kinds::text[], :provider_kinds::text[], :provider_payment_ids::text[],
            :order_ids::text[], :operated_at::timestamptz[], :settled_on::date[], :amounts::bigint[], :fees::bigint[],
            :nets::bigint[], :references::text[], :occurrences::integer[], :raws::text[])
         AS line (number, kind, provider_kind, payment, order_id, operated_at, settled_on, amount, fee, net, reference,
                  occurrence, raw)
WHERE files.id = :file_id
ORDER BY line.payment, line.number
ON CONFLICT ON CONSTRAINT registry_rows_once DO NOTHING;

-- name: note_new_rows!
UPDATE registry_files SET new_rows = :new_rows WHERE id = :file_id;

-- name: knows_payments$
-- Whether any of these is a payment of this terminal.
SELECT EXISTS (SELECT FROM payments
               WHERE terminal_id = :terminal_id AND provider_payment_id = ANY(:provider_payment_ids::text[]));

-- name: start_reading^
-- Read now; should the reader die, again in a quarter of an hour.
UPDATE registry_files SET next_read_at = now() + interval '15 minutes', reads = reads + 1
WHERE id = :file_id
RETURNING id, streamer_id, terminal_id;

-- name: match_rows
-- Rows of payments that we know by now; the files they are in.
WITH matched AS (
    UPDATE registry_rows SET payment_id = payments.id
    FROM payments
    WHERE registry_rows.payment_id IS NULL AND registry_rows.terminal_id = :terminal_id
      AND payments.terminal_id = registry_rows.terminal_id
      AND payments.provider_payment_id = registry_rows.provider_payment_id
    RETURNING registry_rows.file_id
)
SELECT DISTINCT file_id FROM matched;

-- name: note_registry_sums!
-- What the registry says of the file's payments, so that those it agrees about need no look any more.
UPDATE payments SET registry_minor = told.amount
FROM (SELECT payment_id, sum(amount_minor) AS amount FROM registry_rows
      WHERE kind = 'payment' AND payment_id IN (SELECT payment_id FROM registry_rows WHERE file_id = :file_id)
      GROUP BY payment_id HAVING sum(amount_minor) > 0) AS told
WHERE payments.id = told.payment_id AND payments.registry_minor IS DISTINCT FROM told.amount;

-- name: list_payments_to_ask_about
-- Payments of the file whose news the provider has and we do not: paid and not booked, or more refunded than booked.
SELECT payments.id
FROM (SELECT payment_id, bool_or(kind = 'payment') AS is_paid,
             coalesce(sum(amount_minor) FILTER (WHERE kind = 'refund'), 0) AS refunded
      FROM registry_rows
      WHERE payment_id IN (SELECT payment_id FROM registry_rows
                           WHERE file_id = :file_id AND kind IN ('payment', 'refund'))
      GROUP BY payment_id) AS told
JOIN payments ON payments.id = told.payment_id
WHERE told.is_paid AND payments.booked_as IS NULL
   OR told.refunded > 0 AND told.refunded > coalesce(
          (SELECT max(reached_minor) FROM ledger_transactions
           WHERE payment_id = payments.id AND kind = 'refund'), 0)
ORDER BY payments.id LIMIT :limit;

-- name: list_unknown_of_our_orders
-- Payments in the file that we do not know, of orders that we do: ours has another id, or none yet.
SELECT DISTINCT payments.id, registry_rows.provider_payment_id
FROM registry_rows
JOIN payments ON payments.terminal_id = registry_rows.terminal_id AND payments.order_id = registry_rows.order_id
WHERE registry_rows.file_id = :file_id AND registry_rows.payment_id IS NULL AND registry_rows.kind = 'payment'
  AND registry_rows.provider_payment_id <> ''
ORDER BY payments.id LIMIT :limit;

-- name: list_payments_with_fees
-- Payments of the file whose fees are not all booked, from one id on.
SELECT told.payment_id
FROM (SELECT payment_id, sum(fee_minor) AS fees FROM registry_rows
      WHERE payment_id IN (SELECT DISTINCT payment_id FROM registry_rows
                           WHERE file_id = :file_id AND payment_id > :after_id AND fee_minor > 0
                           ORDER BY payment_id LIMIT :limit)
      GROUP BY payment_id) AS told
WHERE told.fees > coalesce((SELECT max(reached_minor) FROM ledger_transactions
                            WHERE payment_id = told.payment_id AND kind = 'fee'), 0)
ORDER BY told.payment_id;

-- name: last_payment_with_fees$
-- Where the next look for fees goes on after; null at the end.
SELECT max(payment_id) FROM (
    SELECT DISTINCT payment_id FROM registry_rows
    WHERE file_id = :file_id AND payment_id > :after_id AND fee_minor > 0
    ORDER BY payment_id LIMIT :limit) AS looked_at;

-- name: sum_fees^
-- All that was kept for a payment, for its refunds and disputes too, and when that was last.
SELECT coalesce(sum(fee_minor), 0)::bigint AS fees_minor, max(operated_at) AS moved_at
FROM registry_rows WHERE payment_id = :payment_id AND fee_minor > 0;

-- name: list_disputed_payments
-- Payments of the file whose chargebacks or reversals are not all booked.
SELECT told.payment_id
FROM (SELECT payment_id, coalesce(sum(amount_minor) FILTER (WHERE kind = 'chargeback'), 0) AS charged_back,
             coalesce(sum(amount_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0) AS reversed
      FROM registry_rows
      WHERE payment_id IN (SELECT payment_id FROM registry_rows
                           WHERE file_id = :file_id AND kind IN ('chargeback', 'chargeback_reversal'))
      GROUP BY payment_id) AS told
WHERE told.charged_back > coalesce((SELECT max(reached_minor) FROM ledger_transactions
                                    WHERE payment_id = told.payment_id AND kind = 'chargeback'), 0)
   OR least(told.reversed, told.charged_back) > coalesce((SELECT max(reached_minor) FROM ledger_transactions
                                    WHERE payment_id = told.payment_id AND kind = 'chargeback_reversal'), 0)
ORDER BY told.payment_id;

-- name: sum_disputes^
-- What donors' banks took back of a payment in all and gave again, when that was last, and the line that says so.
SELECT coalesce(sum(amount_minor) FILTER (WHERE kind = 'chargeback'), 0)::bigint AS charged_back_minor,
       coalesce(sum(amount_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0)::bigint AS reversed_minor,
       max(operated_at) FILTER (WHERE kind = 'chargeback') AS charged_back_at,
       max(operated_at) FILTER (WHERE kind = 'chargeback_reversal') AS reversed_at,
       min(operated_at) AS happened_at,
       (array_agg(provider_kind ORDER BY operated_at DESC, id DESC))[1] AS provider_kind,
       (array_agg(raw ORDER BY operated_at DESC, id DESC))[1] AS raw
FROM registry_rows
WHERE payment_id = :payment_id AND kind IN ('chargeback', 'chargeback_reversal');

-- name: has_open_rows$
-- Whether something in the file waits for a payment to become known or booked.
SELECT EXISTS (
    SELECT FROM registry_rows
    LEFT JOIN payments ON payments.id = registry_rows.payment_id
    WHERE registry_rows.file_id = :file_id
      AND (registry_rows.payment_id IS NULL
               AND registry_rows.kind IN ('payment', 'refund', 'chargeback', 'chargeback_reversal')
           OR registry_rows.kind IN ('payment', 'chargeback', 'chargeback_reversal') AND payments.id IS NOT NULL
               AND payments.booked_as IS NULL));

-- name: finish_reading!
-- Read to the end; again later while something is open, ever later, and not for ever.
UPDATE registry_files
SET read_at = now(),
    next_read_at = CASE WHEN :is_open AND reads <= :max_reads
                        THEN now() + make_interval(secs => 60 * power(4, reads - 1)) END
WHERE id = :file_id;

-- name: read_again!
-- A person wants a file read again.
UPDATE registry_files SET reads = 0, next_read_at = now() + interval '60 seconds'
WHERE id = :file_id AND streamer_id = :streamer_id;

-- name: list_files_with_unbooked_disputes
-- Files with a chargeback or reversal of a booked payment that the books lack, whatever became of their reading.
SELECT min(disputes.file_id) AS id
FROM registry_rows AS disputes
JOIN payments ON payments.id = disputes.payment_id AND payments.booked_as IS NOT NULL
WHERE disputes.kind IN ('chargeback', 'chargeback_reversal')
GROUP BY disputes.payment_id
HAVING sum(disputes.amount_minor) FILTER (WHERE disputes.kind = 'chargeback')
    > coalesce((SELECT max(reached_minor) FROM ledger_transactions
                WHERE ledger_transactions.payment_id = disputes.payment_id AND kind = 'chargeback'), 0)
    OR least(coalesce(sum(disputes.amount_minor) FILTER (WHERE disputes.kind = 'chargeback_reversal'), 0),
             coalesce(sum(disputes.amount_minor) FILTER (WHERE disputes.kind = 'chargeback'), 0))
    > coalesce((SELECT max(reached_minor) FROM ledger_transactions
                WHERE ledger_transactions.payment_id = disputes.payment_id AND kind = 'chargeback_reversal'), 0)
LIMIT :limit;

-- name: claim_due_files
-- Files whose time to be read has come, with their next time should this reading be lost.
UPDATE registry_files SET next_read_at = now() + interval '15 minutes'
WHERE id IN (SELECT id FROM registry_files WHERE next_read_at <= now() ORDER BY next_read_at LIMIT :limit)
RETURNING id;

-- name: list_files
-- A streamer's files, the newest days first.
SELECT files.id, files.name, files.provider, terminals.terminal_key, files.first_day, files.last_day, files.rows,
       files.new_rows, files.payments, files.payments_minor, files.refunds, files.refunds_minor, files.chargebacks,
       files.chargebacks_minor, files.fees_minor, files.read_at, files.created_at
FROM registry_files AS files JOIN terminals ON terminals.id = files.terminal_id
WHERE files.streamer_id = :streamer_id
ORDER BY files.last_day DESC, files.id DESC LIMIT :limit;

-- name: last_day$
-- The newest day that a read file tells of.
SELECT max(last_day) FROM registry_files WHERE streamer_id = :streamer_id AND read_at IS NOT NULL;
