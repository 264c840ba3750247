-- name: list_attention
-- What waits for a person, the newest first: money that pays nothing and is not on its way back, refunds that were
-- refused and not wished again, and signed notifications that nobody could place. Of one streamer, or of all (null).
SELECT found.kind, found.id, found.at, found.amount_minor, found.left_minor, found.code, found.reason, found.words,
       found.body, found.repeats, found.last_at, found.is_asked, found.order_id, found.provider_payment_id,
       terminals.provider, terminals.terminal_key, donations.public_id AS donation_public_id,
       donations.public_donor_name AS donor_name, streamers.id AS streamer_id, streamers.slug, streamers.display_name,
       streamers.time_zone
FROM (
    (SELECT payments.booked_as AS kind, payments.id::bigint, payments.confirmed_at AS at, payments.amount_minor,
            payments.confirmed_minor - gone.minor AS left_minor, '' AS code, '' AS reason, '' AS words,
            NULL::bytea AS body, 0 AS repeats, NULL::timestamptz AS last_at, false AS is_asked, payments.order_id,
            payments.provider_payment_id, payments.terminal_id, payments.donation_id, payments.streamer_id
     FROM payments, LATERAL (
         SELECT coalesce(max(reached_minor) FILTER (WHERE kind = 'refund'), 0)
              + coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)
              - coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0) AS minor
         FROM ledger_transactions WHERE payment_id = payments.id) AS gone
     WHERE payments.booked_as IN ('surplus', 'review') AND payments.status <> 'refunded'
       AND (:streamer_id::integer IS NULL OR payments.streamer_id = :streamer_id)
       AND (payments.confirmed_at, payments.booked_as, payments.id::bigint)
           < (coalesce(:before_at::timestamptz, 'infinity'), :before_kind::text, :before_id::bigint)
       AND payments.confirmed_minor > gone.minor
       AND NOT EXISTS (SELECT FROM refunds WHERE payment_id = payments.id AND next_try_at IS NOT NULL)
     ORDER BY payments.confirmed_at DESC, payments.booked_as DESC, payments.id DESC LIMIT :limit)
    UNION ALL
    (SELECT 'refund', refunds.id::bigint, refunds.finished_at, refunds.amount_minor, refunds.amount_minor,
            refunds.error_code, refunds.error_reason, refunds.error_message, NULL, 0, NULL, false, payments.order_id,
            payments.provider_payment_id, payments.terminal_id, payments.donation_id, payments.streamer_id
     FROM refunds JOIN payments ON payments.id = refunds.payment_id
     WHERE refunds.status = 'refused' AND refunds.dismissed_at IS NULL
       AND (:streamer_id::integer IS NULL OR refunds.streamer_id = :streamer_id)
       AND (refunds.finished_at, 'refund', refunds.id::bigint)
           < (coalesce(:before_at::timestamptz, 'infinity'), :before_kind::text, :before_id::bigint)
       AND NOT EXISTS (SELECT FROM refunds AS later WHERE later.payment_id = refunds.payment_id AND later.id > refunds.id)
     ORDER BY refunds.finished_at DESC, refunds.id DESC LIMIT :limit)
    UNION ALL
    (SELECT 'notification', inbox.id, inbox.received_at, NULL, NULL, inbox.outcome, '', '', inbox.body, inbox.repeats,
            inbox.last_received_at, inbox.processed_at IS NULL, inbox.order_id, inbox.provider_payment_id,
            inbox.terminal_id, payments.donation_id, terminals.streamer_id
     FROM inbox JOIN terminals ON terminals.id = inbox.terminal_id LEFT JOIN payments ON payments.id = inbox.payment_id
     WHERE inbox.outcome IN ('unknown_order', 'malformed') AND inbox.settled_at IS NULL
       AND (:streamer_id::integer IS NULL OR terminals.streamer_id = :streamer_id)
       AND (inbox.received_at, 'notification', inbox.id)
           < (coalesce(:before_at::timestamptz, 'infinity'), :before_kind::text, :before_id::bigint)
     ORDER BY inbox.received_at DESC, inbox.id DESC LIMIT :limit)
) AS found
JOIN terminals ON terminals.id = found.terminal_id
JOIN streamers ON streamers.id = found.streamer_id
LEFT JOIN donations ON donations.id = found.donation_id
ORDER BY found.at DESC, found.kind DESC, found.id DESC LIMIT :limit;

-- name: count_attention$
-- How much waits for a person of one streamer; no more of each kind than so many.
SELECT (SELECT count(*) FROM (
            SELECT FROM payments
            WHERE payments.streamer_id = :streamer_id
              AND payments.booked_as IN ('surplus', 'review') AND payments.status <> 'refunded'
              AND payments.confirmed_minor > (
            SELECT coalesce(max(reached_minor) FILTER (WHERE kind = 'refund'), 0)
                 + coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)
                 - coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0)
            FROM ledger_transactions WHERE payment_id = payments.id)
              AND NOT EXISTS (SELECT FROM refunds WHERE payment_id = payments.id AND next_try_at IS NOT NULL)
            LIMIT :limit) AS money)
     + (SELECT count(*) FROM (
            SELECT FROM refunds
            WHERE refunds.streamer_id = :streamer_id AND refunds.status = 'refused' AND refunds.dismissed_at IS NULL
              AND NOT EXISTS (
                  SELECT FROM refunds AS later WHERE later.payment_id = refunds.payment_id AND later.id > refunds.id)
            LIMIT :limit) AS refused)
     + (SELECT count(*) FROM (
            SELECT FROM inbox JOIN terminals ON terminals.id = inbox.terminal_id
            WHERE terminals.streamer_id = :streamer_id
              AND inbox.outcome IN ('unknown_order', 'malformed') AND inbox.settled_at IS NULL
            LIMIT :limit) AS unknown);
