-- name: add_to_totals!
-- A ledger transaction moves the running totals and the day's, the day being when the donation was paid.
-- The day is read from the totals' row, so that this locks them in the order of the count anew: totals, then days.
WITH totals AS (
    INSERT INTO streamer_totals (streamer_id, net_minor, donations, ledger_transaction_id)
    VALUES (:streamer_id, :delta_minor, :delta_donations::integer, :ledger_transaction_id)
    ON CONFLICT (streamer_id) DO UPDATE
    SET net_minor = streamer_totals.net_minor + :delta_minor,
        donations = streamer_totals.donations + :delta_donations::integer,
        ledger_transaction_id = greatest(streamer_totals.ledger_transaction_id, :ledger_transaction_id),
        updated_at = now()
    RETURNING streamer_id
)
INSERT INTO streamer_days (streamer_id, day, net_minor, donations)
SELECT streamers.id, (:paid_at::timestamptz AT TIME ZONE streamers.time_zone)::date,
       :delta_minor, :delta_donations::integer
FROM totals JOIN streamers ON streamers.id = totals.streamer_id
ON CONFLICT (streamer_id, day) DO UPDATE
SET net_minor = streamer_days.net_minor + :delta_minor,
    donations = streamer_days.donations + :delta_donations::integer;

-- name: note_counted!
-- Ledger transactions that change no total are counted by that.
UPDATE streamer_totals SET ledger_transaction_id = greatest(ledger_transaction_id, :ledger_transaction_id)
WHERE streamer_id = :streamer_id;

-- name: are_behind$
-- Whether the ledger knows more than the totals have counted.
SELECT coalesce((SELECT max(id) FROM ledger_transactions WHERE streamer_id = :streamer_id), 0)
     > coalesce((SELECT ledger_transaction_id FROM streamer_totals WHERE streamer_id = :streamer_id), 0);

-- name: lock_totals$
-- Nobody adds to a streamer's totals while they are counted anew.
INSERT INTO streamer_totals (streamer_id) VALUES (:streamer_id)
ON CONFLICT (streamer_id) DO UPDATE SET updated_at = now()
RETURNING ledger_transaction_id;

-- name: newest_transaction$
SELECT coalesce(max(id), 0) FROM ledger_transactions WHERE streamer_id = :streamer_id;

-- name: delete_days!
DELETE FROM streamer_days WHERE streamer_id = :streamer_id;

-- name: count_days!
-- Days counted anew from the ledger. A donation that went back whole no longer counts as one.
INSERT INTO streamer_days (streamer_id, day, net_minor, donations)
SELECT :streamer_id, (donations.paid_at AT TIME ZONE streamers.time_zone)::date,
       -sum(entries.amount_minor),
       count(DISTINCT donations.id) FILTER (WHERE donations.status NOT IN ('refunded', 'charged_back'))
FROM ledger_entries AS entries
JOIN ledger_transactions AS transactions ON transactions.id = entries.transaction_id
JOIN payments ON payments.id = transactions.payment_id
JOIN donations ON donations.id = payments.donation_id
JOIN streamers ON streamers.id = donations.streamer_id
WHERE entries.streamer_id = :streamer_id AND entries.account IN ('streamer', 'refunds', 'chargebacks')
GROUP BY 2;

-- name: count_totals!
UPDATE streamer_totals
SET net_minor = coalesce((SELECT sum(net_minor) FROM streamer_days WHERE streamer_id = :streamer_id), 0),
    donations = coalesce((SELECT sum(donations) FROM streamer_days WHERE streamer_id = :streamer_id), 0),
    ledger_transaction_id = :ledger_transaction_id,
    updated_at = now()
WHERE streamer_id = :streamer_id;

-- name: list_totals
-- Of these streamers: kopecks of today and this month in their time zones, and of all time; refunds are off.
SELECT streamers.id AS streamer_id, streamers.currency,
       coalesce(sum(days.net_minor) FILTER (WHERE days.day = clock.today), 0)::bigint AS today_minor,
       coalesce(sum(days.net_minor), 0)::bigint AS month_minor,
       coalesce(max(totals.net_minor), 0)::bigint AS all_minor,
       coalesce(sum(days.donations) FILTER (WHERE days.day = clock.today), 0)::integer AS today_donations,
       coalesce(max(totals.donations), 0)::integer AS donations
FROM streamers
CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE streamers.time_zone)::date AS today) AS clock
LEFT JOIN streamer_days AS days
    ON days.streamer_id = streamers.id AND days.day >= date_trunc('month', clock.today)::date
LEFT JOIN streamer_totals AS totals ON totals.streamer_id = streamers.id
WHERE streamers.id = ANY(:streamer_ids::integer[])
GROUP BY streamers.id;

-- name: list_stale_totals
-- Streamers whose totals have not counted their newest ledger transaction.
SELECT totals.streamer_id FROM streamer_totals AS totals
CROSS JOIN LATERAL (
    SELECT max(id) AS newest FROM ledger_transactions WHERE streamer_id = totals.streamer_id
) AS ledger
WHERE ledger.newest > totals.ledger_transaction_id
LIMIT :limit;
