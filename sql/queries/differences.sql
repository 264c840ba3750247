-- name: list_differences
-- Where the books and the provider's registry do not agree now, the newest first. Only those that nobody settled,
-- unless asked for. Each branch looks at few rows: what agrees is in none of its indexes.
WITH found AS (
    -- Operations of payments that we do not know, a line for each payment of the provider's.
    SELECT CASE WHEN registry_rows.provider_payment_id = '' THEN 'unlinked' ELSE 'unknown_payment' END AS kind,
           registry_rows.terminal_id || '/' || CASE WHEN registry_rows.provider_payment_id = ''
               THEN registry_rows.id::text ELSE registry_rows.provider_payment_id END AS subject,
           NULL::integer AS payment_id, min(registry_rows.file_id) AS file_id, registry_rows.provider_payment_id,
           min(registry_rows.order_id) AS order_id, min(registry_rows.provider_kind) AS provider_kind,
           NULL::bigint AS ours_minor,
           CASE WHEN registry_rows.provider_payment_id = '' AND min(registry_rows.kind) = 'fee'
                THEN sum(registry_rows.fee_minor) ELSE sum(registry_rows.amount_minor) END AS theirs_minor,
           min(registry_rows.operated_at) AS happened_at
    FROM terminals
    JOIN registry_rows ON registry_rows.terminal_id = terminals.id AND registry_rows.payment_id IS NULL
    WHERE terminals.streamer_id = :streamer_id AND registry_rows.kind <> 'other'
    GROUP BY 1, 2, registry_rows.provider_payment_id
    UNION ALL
    -- Operations whose meaning for the books a person has to decide.
    SELECT 'other', registry_rows.id::text, registry_rows.payment_id, registry_rows.file_id,
           registry_rows.provider_payment_id, registry_rows.order_id, registry_rows.provider_kind, NULL,
           registry_rows.amount_minor, registry_rows.operated_at
    FROM registry_rows
    WHERE registry_rows.streamer_id = :streamer_id AND registry_rows.kind = 'other'
    UNION ALL
    -- Payments that the registry says were paid and the books do not, or for another amount.
    SELECT CASE WHEN payments.booked_as IS NULL THEN 'not_booked' ELSE 'amount' END, payments.id::text, payments.id,
           (SELECT min(file_id) FROM registry_rows WHERE payment_id = payments.id AND registry_rows.kind = 'payment'),
           payments.provider_payment_id, payments.order_id, '', payments.confirmed_minor, payments.registry_minor,
           coalesce(payments.confirmed_at, payments.created_at)
    FROM payments
    WHERE payments.streamer_id = :streamer_id
      AND payments.registry_minor IS NOT NULL AND payments.registry_minor IS DISTINCT FROM payments.confirmed_minor
    UNION ALL
    -- Our payments inside a file's days that it lacks.
    SELECT 'missing', payments.id::text, payments.id, min(files.id), payments.provider_payment_id, payments.order_id, '',
           payments.confirmed_minor, NULL, payments.confirmed_at
    FROM registry_files AS files
    JOIN payments ON payments.streamer_id = :streamer_id
     AND payments.registry_minor IS NULL AND payments.confirmed_at IS NOT NULL
     AND payments.terminal_id = files.terminal_id
     AND payments.confirmed_at >= files.first_day::timestamp AT TIME ZONE 'Europe/Moscow'
     AND payments.confirmed_at < (files.last_day + 1)::timestamp AT TIME ZONE 'Europe/Moscow'
     AND payments.confirmed_at < now() - make_interval(days => :grace_days)
    WHERE files.streamer_id = :streamer_id AND files.read_at IS NOT NULL
    GROUP BY payments.id
    UNION ALL
    -- What went back by the registry, and not by the books, or not yet.
    SELECT told.kind, told.payment_id::text, told.payment_id, told.file_id, payments.provider_payment_id,
           payments.order_id, '', booked.amount, told.amount, told.operated_at
    FROM (
        SELECT registry_rows.payment_id, min(registry_rows.file_id) AS file_id, registry_rows.kind,
               sum(registry_rows.amount_minor) AS amount, max(registry_rows.operated_at) AS operated_at
        FROM registry_rows
        WHERE registry_rows.streamer_id = :streamer_id AND registry_rows.payment_id IS NOT NULL
          AND registry_rows.kind IN ('refund', 'chargeback', 'chargeback_reversal')
        GROUP BY registry_rows.payment_id, registry_rows.kind
    ) AS told
    JOIN payments ON payments.id = told.payment_id
    CROSS JOIN LATERAL (
        SELECT coalesce(max(reached_minor), 0) AS amount FROM ledger_transactions
        WHERE ledger_transactions.payment_id = told.payment_id AND ledger_transactions.kind = told.kind
    ) AS booked
    WHERE told.amount > booked.amount
    UNION ALL
    -- Refunds of ours, inside a file's days, that the registry lacks.
    SELECT 'refund_missing', payments.id::text, payments.id, ours.file_id, payments.provider_payment_id,
           payments.order_id, '', ours.amount, told.amount, ours.moved_at
    FROM (
        SELECT transactions.payment_id, max(transactions.reached_minor) AS amount,
               max(coalesce(transactions.moved_at, transactions.created_at)) AS moved_at, min(files.id) AS file_id
        FROM ledger_transactions AS transactions
        JOIN payments ON payments.id = transactions.payment_id
        JOIN registry_files AS files ON files.terminal_id = payments.terminal_id AND files.read_at IS NOT NULL
         AND transactions.created_at >= files.first_day::timestamp AT TIME ZONE 'Europe/Moscow'
         AND transactions.created_at < (files.last_day + 1)::timestamp AT TIME ZONE 'Europe/Moscow'
        WHERE transactions.streamer_id = :streamer_id AND transactions.kind = 'refund'
          AND transactions.created_at < now() - make_interval(days => :grace_days)
        GROUP BY transactions.payment_id
    ) AS ours
    JOIN payments ON payments.id = ours.payment_id
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_minor), 0) AS amount FROM registry_rows
        WHERE registry_rows.payment_id = ours.payment_id AND registry_rows.kind = 'refund'
    ) AS told
    WHERE ours.amount > told.amount
), named AS (
    SELECT found.kind || ':' || found.subject || ':' || coalesce(found.ours_minor::text, '') || ':'
               || coalesce(found.theirs_minor::text, '') AS difference,
           found.kind, found.payment_id, found.file_id, found.provider_payment_id, found.order_id, found.provider_kind,
           found.ours_minor, found.theirs_minor, found.happened_at
    FROM found
)
SELECT named.difference, named.kind, named.payment_id, named.file_id, named.provider_payment_id, named.order_id,
       named.provider_kind, named.ours_minor, named.theirs_minor::bigint AS theirs_minor, named.happened_at,
       donations.public_id AS donation_public_id, donations.public_donor_name AS donor_name,
       marks.note, marks.settled_at, users.email AS settled_by
FROM named
LEFT JOIN registry_marks AS marks ON marks.streamer_id = :streamer_id AND marks.difference = named.difference
LEFT JOIN users ON users.id = marks.settled_by
LEFT JOIN payments ON payments.id = named.payment_id
LEFT JOIN donations ON donations.id = payments.donation_id
WHERE (marks.settled_at IS NOT NULL) = :settled::boolean
ORDER BY named.happened_at DESC, named.difference
LIMIT :limit;

-- name: settle!
-- A person has looked at a difference; it returns when its sums change.
INSERT INTO registry_marks (streamer_id, difference, note, settled_by)
VALUES (:streamer_id, :difference, :note, :user_id)
ON CONFLICT (streamer_id, difference) DO UPDATE
SET note = excluded.note, settled_by = excluded.settled_by, settled_at = now();

-- name: unsettle!
DELETE FROM registry_marks WHERE streamer_id = :streamer_id AND difference = :difference;
