-- name: note_chargeback!
-- A payment's dispute, or news of one: to be read again.
INSERT INTO chargebacks (payment_id, streamer_id, happened_at)
VALUES (:payment_id, :streamer_id, :happened_at)
ON CONFLICT (payment_id) DO UPDATE
SET happened_at = least(chargebacks.happened_at, excluded.happened_at), changed_at = now(), read_at = NULL, read_by = NULL;

-- name: withdraw_replays!
-- Replays that wait; the donation's first alert follows its status.
UPDATE alerts SET status = 'dropped', finished_at = now()
WHERE donation_id = :donation_id AND kind = 'replay' AND status IN ('held', 'queued');

-- name: list_chargebacks
-- A streamer's disputed payments, the newest news first, each with its donation.
SELECT chargebacks.payment_id, payments.donation_id, chargebacks.happened_at, chargebacks.told_at,
       chargebacks.changed_at, chargebacks.read_at, payments.booked_as, payments.confirmed_minor, payments.confirmed_at,
       donations.public_donor_name AS donor_name, donations.public_message AS message, sums.charged_back_minor,
       sums.reversed_minor
FROM chargebacks
JOIN payments ON payments.id = chargebacks.payment_id
JOIN donations ON donations.id = payments.donation_id
CROSS JOIN LATERAL (
    SELECT coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)::bigint AS charged_back_minor,
           coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0)::bigint AS reversed_minor
    FROM ledger_transactions WHERE payment_id = payments.id
) AS sums
WHERE chargebacks.streamer_id = :streamer_id AND (chargebacks.read_at IS NULL OR NOT :only_unread::boolean)
ORDER BY chargebacks.changed_at DESC, chargebacks.payment_id DESC LIMIT :limit;

-- name: count_unread$
SELECT count(*) FROM chargebacks WHERE streamer_id = :streamer_id AND read_at IS NULL;

-- name: mark_read!
UPDATE chargebacks SET read_at = now(), read_by = :user_id
WHERE payment_id = :payment_id AND streamer_id = :streamer_id AND read_at IS NULL;

-- name: get_case^
-- All that is known of a disputed payment, for the bank that asks.
SELECT chargebacks.payment_id, payments.donation_id, donations.public_id, chargebacks.happened_at, chargebacks.told_at,
       chargebacks.read_at, payments.booked_as, payments.amount_minor, payments.confirmed_minor, payments.confirmed_at,
       payments.created_at, payments.method, payments.order_id, payments.provider_payment_id, terminals.provider,
       terminals.terminal_key, donations.donor_name AS written_name, donations.message AS written_message,
       donations.public_donor_name AS donor_name, donations.public_message AS message, donations.consent_version,
       donations.consented_at, donations.refunded_minor
FROM chargebacks
JOIN payments ON payments.id = chargebacks.payment_id
JOIN donations ON donations.id = payments.donation_id
JOIN terminals ON terminals.id = payments.terminal_id
WHERE chargebacks.payment_id = :payment_id AND chargebacks.streamer_id = :streamer_id;

-- name: list_operations
-- What donors' banks did with a payment, as the registry says, in order.
SELECT operated_at, settled_on, kind, provider_kind, amount_minor, reference
FROM registry_rows
WHERE payment_id = :payment_id AND kind IN ('payment', 'refund', 'chargeback', 'chargeback_reversal')
ORDER BY operated_at, id;

-- name: list_showings
-- When and how a donation was on stream, in order; what belonged to a summary was shown with it.
SELECT kind, status, donor_name, message, amount_minor, shown_at, interrupted, summary_id IS NOT NULL AS in_summary,
       finished_at
FROM alerts WHERE donation_id = :donation_id ORDER BY id;
