-- name: lock_form^
-- The form's key, held until the end of the transaction: a doubled submit waits here for the first.
INSERT INTO donation_forms (streamer_id, form_key, fields_digest)
VALUES (:streamer_id, :form_key, :fields_digest)
ON CONFLICT (streamer_id, form_key) DO UPDATE SET form_key = excluded.form_key
RETURNING donation_id, fields_digest = :fields_digest AS same_fields;

-- name: find_reusable_donation^
-- The same wish again: unpaid and younger than 15 minutes.
SELECT id, public_id FROM donations
WHERE id = :donation_id AND status IN ('pending', 'failed') AND created_at > now() - interval '15 minutes';

-- name: point_form!
UPDATE donation_forms SET donation_id = :donation_id, fields_digest = :fields_digest, created_at = now()
WHERE streamer_id = :streamer_id AND form_key = :form_key;

-- name: delete_old_forms!
DELETE FROM donation_forms WHERE created_at < now() - interval '1 day';

-- name: insert_donation^
INSERT INTO donations (public_id, streamer_id, amount_minor, donor_name, message, public_donor_name, public_message,
                       locale, consent_version, donor_email, terms_id)
VALUES (:public_id, :streamer_id, :amount_minor, :donor_name, :message, :public_donor_name, :public_message,
        :locale, :consent_version, :donor_email, :terms_id)
RETURNING id, public_id, currency;

-- name: lock_donation^
SELECT id, streamer_id, status, amount_minor FROM donations WHERE public_id = :public_id FOR UPDATE;

-- name: reopen!
UPDATE donations SET status = 'pending' WHERE id = :donation_id AND status = 'failed';

-- name: pay^
-- The first confirmed payment of the right amount pays; no row when another did.
UPDATE donations SET status = 'paid', paid_at = now()
WHERE id = :donation_id AND status IN ('pending', 'failed', 'review')
RETURNING paid_at, donor_name, message;

-- name: mark_review!
-- Money came, but not the amount asked for: an operator looks at it.
UPDATE donations SET status = 'review' WHERE id = :donation_id AND status IN ('pending', 'failed');

-- name: settle_review!
-- Whether money of another amount is still here decides: under review, or as if nothing had been paid. The caller
-- holds the donation's row, so that two payments that go back at once do not each see the other's money.
UPDATE donations SET status = CASE WHEN here.is_any THEN 'review' ELSE 'failed' END
FROM (SELECT EXISTS (
    SELECT FROM payments
    WHERE payments.donation_id = :donation_id AND payments.booked_as = 'review'
      AND payments.confirmed_minor > (
          SELECT coalesce(max(reached_minor) FILTER (WHERE kind = 'refund'), 0)
               + coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)
               - coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0)
          FROM ledger_transactions WHERE payment_id = payments.id)) AS is_any) AS here
WHERE donations.id = :donation_id
  AND (here.is_any AND donations.status IN ('pending', 'failed') OR NOT here.is_any AND donations.status = 'review');

-- name: accept_review^
-- The streamer takes money of another amount as it came; no row when the donation is not under review any more.
UPDATE donations
SET status = 'paid', paid_at = now(), wished_minor = amount_minor, amount_minor = :amount_minor
WHERE id = :donation_id AND status = 'review'
RETURNING paid_at, donor_name, message;

-- name: fail!
-- Unless a newer attempt may still bring the money.
UPDATE donations SET status = 'failed'
WHERE id = :donation_id AND status = 'pending'
  AND NOT EXISTS (
      SELECT FROM payments WHERE donation_id = :donation_id AND attempt > :attempt AND closed_at IS NULL);

-- name: settle_returns^
-- What went back of a paid donation, counted from the ledger: by refunds, and by donors' banks less what came again.
UPDATE donations
SET refunded_minor = least(back.refunded, amount_minor),
    charged_back_minor = back.charged_back,
    status = CASE WHEN back.refunded + back.charged_back <= 0 THEN 'paid'
                  WHEN back.refunded + back.charged_back < amount_minor THEN 'partially_refunded'
                  WHEN back.charged_back > 0 THEN 'charged_back'
                  ELSE 'refunded' END
FROM (SELECT coalesce(max(reached_minor) FILTER (WHERE kind = 'refund'), 0) AS refunded,
             greatest(0, coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)
                         - coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0)) AS charged_back
      FROM ledger_transactions WHERE payment_id = :payment_id) AS back
WHERE donations.id = :donation_id AND donations.paid_at IS NOT NULL
RETURNING donations.paid_at, old.status AS status_before, donations.status,
          old.refunded_minor + old.charged_back_minor AS returned_before,
          donations.refunded_minor + donations.charged_back_minor AS returned_minor;

-- name: get_donor_view^
-- All that a donor's page shows, in one look: the donation, the attempt that matters (one that may bring or has
-- brought money before the newest), the alert and how much plays before it. A part of a summary waits and plays with
-- the summary.
SELECT donations.id, donations.public_id, donations.streamer_id, donations.status, donations.amount_minor,
       donations.refunded_minor, donations.charged_back_minor, donations.public_donor_name, donations.public_message,
       donations.donor_name IS NOT NULL AND donations.public_donor_name IS NULL AS is_name_hidden,
       streamers.slug, streamers.display_name, streamers.time_zone,
       payment.status AS payment_status, payment.payment_url, payment.error_code, payment.closed_at IS NOT NULL AS payment_closed,
       payment.due_at < now() AS payment_overdue, payment.provider_status, payment.attempt, payment.sbp_payload,
       payment.error_reason,
       (SELECT coalesce(is_test, false) FROM terminals WHERE terminals.id = payment.terminal_id) AS is_test,
       extract(epoch FROM now() - payment.created_at)::float8 AS since_seconds,
       extract(epoch FROM payment.due_at - now())::float8 AS left_seconds,
       CASE WHEN alerts.status = 'queued' AND summary.status = 'playing' THEN 'playing' ELSE alerts.status END AS alert_status,
       alerts.shown_at,
       ahead.alerts AS alerts_ahead, ahead.milliseconds AS milliseconds_ahead,
       -- Nothing shows alerts now, they are paused, or the streamer has not yet said what to do with this one.
       alerts.status = 'queued' AND NOT EXISTS (
           SELECT FROM speakers LEFT JOIN questions question ON question.streamer_id = speakers.streamer_id
           WHERE speakers.streamer_id = donations.streamer_id AND speakers.overlay_id IS NOT NULL
             AND speakers.paused_at IS NULL
             AND (question.asking_since IS NULL
                  OR question.postponed AND alerts.playable_at > question.asking_since)) AS is_held_back,
       (SELECT coalesce(sum(surplus.confirmed_minor - (
            SELECT coalesce(max(reached_minor) FILTER (WHERE kind = 'refund'), 0)
                 + coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)
                 - coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0)
            FROM ledger_transactions WHERE payment_id = surplus.id)), 0)
        FROM payments AS surplus
        WHERE surplus.donation_id = donations.id
          AND (surplus.booked_as = 'surplus' OR surplus.booked_as = 'review' AND donations.paid_at IS NOT NULL)
       )::bigint AS surplus_minor
FROM donations
JOIN streamers ON streamers.id = donations.streamer_id
CROSS JOIN LATERAL (
    SELECT * FROM payments WHERE donation_id = donations.id
    ORDER BY coalesce(booked_as = 'donation', false) DESC, status = 'authorized' DESC, attempt DESC LIMIT 1
) AS payment
LEFT JOIN alerts ON alerts.donation_id = donations.id AND alerts.kind = 'donation'
LEFT JOIN alerts AS summary ON summary.id = alerts.summary_id
LEFT JOIN LATERAL (
    SELECT count(*) AS alerts, coalesce(sum(others.duration_ms), 0) AS milliseconds
    FROM alerts AS others
    WHERE others.streamer_id = donations.streamer_id AND alerts.status = 'queued'
      AND (others.status = 'playing'
           OR others.status = 'queued' AND others.summary_id IS NULL
              AND others.place < coalesce(summary.place, alerts.place))
) AS ahead ON true
WHERE donations.public_id = :public_id;

-- name: list_feed
-- A streamer's donations that brought money, the newest money first, with what became of their alerts.
SELECT donations.id, donations.public_id, donations.status, donations.amount_minor, donations.refunded_minor,
       donations.charged_back_minor, donations.public_donor_name AS donor_name, donations.public_message AS message, donations.came_at AS paid_at,
       donations.hidden_at IS NOT NULL AS is_hidden,
       alerts.alert_id,
       CASE WHEN alerts.status = 'queued' AND summary.status = 'playing' THEN 'playing' ELSE alerts.status END AS alert_status,
       alerts.shown_at, alerts.interrupted,
       EXISTS (SELECT FROM test_payments WHERE donation_id = donations.id AND is_counted) AS is_test,
       (SELECT coalesce(sum(surplus.confirmed_minor - (
            SELECT coalesce(max(reached_minor) FILTER (WHERE kind = 'refund'), 0)
                 + coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)
                 - coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0)
            FROM ledger_transactions WHERE payment_id = surplus.id)), 0)
        FROM payments AS surplus
        WHERE surplus.donation_id = donations.id
          AND (surplus.booked_as = 'surplus' OR surplus.booked_as = 'review' AND donations.paid_at IS NOT NULL)
       )::bigint AS surplus_minor,
       EXISTS (SELECT FROM refunds JOIN payments AS refunded ON refunded.id = refunds.payment_id
               WHERE refunded.donation_id = donations.id AND refunds.next_try_at IS NOT NULL) AS refund_open
FROM (
    -- Only as many of the paid as may be asked for; those under review are few.
    (SELECT paid.*, paid.paid_at AS came_at FROM donations paid
     WHERE paid.streamer_id = :streamer_id AND paid.paid_at IS NOT NULL
       AND (paid.paid_at, paid.id)
           < (coalesce(:before_at::timestamptz, 'infinity'), coalesce(:before_id::integer, 0))
     ORDER BY paid.paid_at DESC, paid.id DESC LIMIT :limit)
    UNION ALL
    SELECT review.*, (SELECT min(confirmed_at) FROM payments WHERE payments.donation_id = review.id) AS came_at
    FROM donations review
    WHERE review.streamer_id = :streamer_id AND review.status = 'review'
) donations
LEFT JOIN alerts ON alerts.donation_id = donations.id AND alerts.kind = 'donation'
LEFT JOIN alerts AS summary ON summary.id = alerts.summary_id
WHERE (donations.came_at, donations.id)
      < (coalesce(:before_at::timestamptz, 'infinity'), coalesce(:before_id::integer, 0))
ORDER BY donations.came_at DESC, donations.id DESC
LIMIT :limit;

-- name: is_overdue$
-- Less than a minute left to pay by this link.
SELECT due_at < now() + interval '1 minute' FROM payments WHERE id = :payment_id;

-- name: get_for_opening^
-- What the provider is told of a donation: where its donor comes back to, and whom it is for.
SELECT donations.public_id, donations.locale, donations.status, donations.donor_email, streamers.display_name,
       streamers.receipts, streamers.taxation, streamers.vat, streamers.receipt_item
FROM donations JOIN streamers ON streamers.id = donations.streamer_id
WHERE donations.id = :donation_id;

-- name: lock_donation_by_id^
-- Whoever changes the donation or locks it so waits; rows that only point at it are still written meanwhile, so that
-- who decides on a held alert and who carries the decision out never wait for each other.
SELECT status, created_at FROM donations WHERE id = :donation_id FOR NO KEY UPDATE;

-- name: list_alertless
-- Paid donations without an alert, of those that were booked last.
SELECT DISTINCT donations.id AS donation_id
FROM (SELECT payment_id FROM ledger_transactions ORDER BY id DESC LIMIT 2000) AS booked
JOIN payments ON payments.id = booked.payment_id AND payments.booked_as = 'donation'
JOIN donations ON donations.id = payments.donation_id
WHERE donations.status IN ('paid', 'partially_refunded')
  AND NOT EXISTS (SELECT FROM alerts WHERE alerts.donation_id = donations.id AND alerts.kind = 'donation')
LIMIT :limit;

-- name: get_alertless^
-- A paid donation that has no alert, as its donor wrote it.
SELECT streamer_id, amount_minor, donor_name, message FROM donations
WHERE id = :donation_id AND status IN ('paid', 'partially_refunded')
  AND NOT EXISTS (SELECT FROM alerts WHERE alerts.donation_id = donations.id AND alerts.kind = 'donation');

-- name: tell_again!
-- Its alert came later than its money: whoever is told of donations hears of it now.
UPDATE donations SET retold_at = now() WHERE id = :donation_id;

-- name: get_details^
-- One donation of a streamer, for her own page of it.
SELECT donations.id, donations.public_id, donations.status, donations.amount_minor, donations.wished_minor,
       donations.refunded_minor, donations.charged_back_minor, donations.public_donor_name AS donor_name,
       donations.public_message AS message, donations.consent_version, donations.consented_at, donations.created_at,
       donations.paid_at, donations.hidden_at, donations.erased_at, donations.donor_name AS written_name,
       donations.message AS written_message, alerts.shown_at, alerts.interrupted,
       EXISTS (SELECT FROM test_payments WHERE donation_id = donations.id AND is_counted) AS is_test,
       CASE WHEN alerts.status = 'queued' AND summary.status = 'playing' THEN 'playing' ELSE alerts.status END AS alert_status
FROM donations
LEFT JOIN alerts ON alerts.donation_id = donations.id AND alerts.kind = 'donation'
LEFT JOIN alerts AS summary ON summary.id = alerts.summary_id
WHERE donations.streamer_id = :streamer_id AND donations.public_id = :public_id;
