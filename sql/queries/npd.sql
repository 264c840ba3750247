-- name: get_regime^
SELECT receipts, receipts_since, receipt_item FROM streamers WHERE id = :streamer_id;

-- name: sum_income^
-- Kopecks of a year by the clocks of Moscow: what donations brought, less what went back of them whenever it did; and
-- what came in that year and is held (paid twice, or under review). What came through terminals for trying out is no
-- income: it is told apart.
SELECT coalesce(paid.all_minor - paid.test_minor, 0)::bigint AS income_minor,
       coalesce(paid.test_minor, 0)::bigint AS test_minor,
       coalesce((SELECT -sum(entries.amount_minor)
                 FROM ledger_entries AS entries
                 JOIN ledger_transactions AS transactions ON transactions.id = entries.transaction_id
                 JOIN payments ON payments.id = transactions.payment_id
                 WHERE entries.streamer_id = :streamer_id AND entries.account IN ('surplus', 'review')
                   AND payments.confirmed_at >= clock.since AND payments.confirmed_at < clock.until
                   AND payments.id NOT IN (SELECT payment_id FROM test_payments WHERE streamer_id = :streamer_id)
                ), 0)::bigint AS held_minor
FROM (SELECT make_timestamptz(:year, 1, 1, 0, 0, 0, 'Europe/Moscow') AS since,
             make_timestamptz(:year + 1, 1, 1, 0, 0, 0, 'Europe/Moscow') AS until) AS clock
CROSS JOIN LATERAL (
    SELECT sum(amount_minor - refunded_minor - charged_back_minor) AS all_minor,
           coalesce(sum(amount_minor - refunded_minor - charged_back_minor) FILTER (WHERE id IN (
               SELECT donation_id FROM test_payments WHERE streamer_id = :streamer_id AND is_counted)), 0)
               AS test_minor
    FROM donations
    WHERE streamer_id = :streamer_id AND paid_at >= clock.since AND paid_at < clock.until
) AS paid;

-- name: list_to_issue
-- Donations without a cheque, of which something is left, the oldest first; none of those that only tried out.
SELECT donations.id AS donation_id, donations.paid_at,
       (donations.paid_at AT TIME ZONE 'Europe/Moscow')::date AS day,
       donations.amount_minor - donations.refunded_minor - donations.charged_back_minor AS amount_minor,
       donations.public_donor_name AS donor_name
FROM donations
WHERE donations.streamer_id = :streamer_id AND donations.paid_at >= coalesce(:since::timestamptz, '-infinity')
  AND donations.amount_minor > donations.refunded_minor + donations.charged_back_minor
  AND donations.id NOT IN (SELECT donation_id FROM test_payments
                           WHERE streamer_id = :streamer_id AND is_counted)
  AND NOT EXISTS (SELECT FROM npd_cheques
                  WHERE npd_cheques.donation_id = donations.id AND npd_cheques.annulled_at IS NULL)
ORDER BY donations.paid_at, donations.id LIMIT :limit;

-- name: count_to_issue^
SELECT count(*)::integer AS cheques,
       coalesce(sum(donations.amount_minor - donations.refunded_minor - donations.charged_back_minor), 0)::bigint
           AS amount_minor
FROM donations
WHERE donations.streamer_id = :streamer_id AND donations.paid_at >= coalesce(:since::timestamptz, '-infinity')
  AND donations.amount_minor > donations.refunded_minor + donations.charged_back_minor
  AND donations.id NOT IN (SELECT donation_id FROM test_payments
                           WHERE streamer_id = :streamer_id AND is_counted)
  AND NOT EXISTS (SELECT FROM npd_cheques
                  WHERE npd_cheques.donation_id = donations.id AND npd_cheques.annulled_at IS NULL);

-- name: list_to_annul
-- Valid cheques for another sum than is left of their donations: to be annulled, and made anew for the rest.
SELECT cheques.id AS cheque_id, donations.id AS donation_id, donations.paid_at, cheques.amount_minor, cheques.issued_at,
       donations.amount_minor - donations.refunded_minor - donations.charged_back_minor AS left_minor,
       donations.public_donor_name AS donor_name
FROM npd_cheques AS cheques JOIN donations ON donations.id = cheques.donation_id
WHERE cheques.streamer_id = :streamer_id AND cheques.annulled_at IS NULL
  AND cheques.amount_minor <> greatest(0, donations.amount_minor - donations.refunded_minor
                                          - donations.charged_back_minor)
ORDER BY donations.paid_at, donations.id;

-- name: issue_cheques!
-- Cheques of these donations over these sums, as far as that is what is due: money may have gone back since.
INSERT INTO npd_cheques (streamer_id, donation_id, amount_minor, issued_by)
SELECT donations.streamer_id, donations.id, cheque.amount, :user_id
FROM unnest(:donation_ids::integer[], :amounts::bigint[]) AS cheque (donation_id, amount)
JOIN donations ON donations.id = cheque.donation_id
WHERE donations.streamer_id = :streamer_id AND donations.paid_at IS NOT NULL AND cheque.amount > 0
  AND donations.amount_minor - donations.refunded_minor - donations.charged_back_minor = cheque.amount
  AND NOT EXISTS (SELECT FROM test_payments WHERE donation_id = donations.id AND is_counted)
ON CONFLICT (donation_id) WHERE annulled_at IS NULL DO NOTHING;

-- name: annul_cheque!
UPDATE npd_cheques SET annulled_at = now(), annulled_by = :user_id
WHERE id = :cheque_id AND streamer_id = :streamer_id AND annulled_at IS NULL;

-- name: list_issued
-- The cheques of donations paid between two moments, the newest first.
SELECT cheques.id AS cheque_id, donations.id AS donation_id, donations.paid_at, cheques.amount_minor, cheques.issued_at,
       cheques.annulled_at, donations.public_donor_name AS donor_name
FROM npd_cheques AS cheques JOIN donations ON donations.id = cheques.donation_id
WHERE cheques.streamer_id = :streamer_id AND donations.paid_at >= :since AND donations.paid_at < :until
ORDER BY donations.paid_at DESC, cheques.id DESC LIMIT :limit;

-- name: delete_cheque!
-- A mark made by mistake.
DELETE FROM npd_cheques
WHERE id = :cheque_id AND streamer_id = :streamer_id AND annulled_at IS NULL;
