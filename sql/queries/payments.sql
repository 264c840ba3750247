-- name: insert_payment^
-- A new attempt; its number is the next of the donation, no row beyond the last. The caller holds the donation's row.
INSERT INTO payments (donation_id, streamer_id, terminal_id, attempt, order_id, amount_minor, due_at, next_check_at)
SELECT :donation_id, :streamer_id, :terminal_id, next.attempt,
       :order_id, :amount_minor,
       now() + make_interval(mins => :link_minutes),
       now() + interval '60 seconds'
FROM (SELECT coalesce(max(attempt), 0) + 1 AS attempt FROM payments WHERE donation_id = :donation_id) AS next
WHERE next.attempt <= :max_attempts
RETURNING id, donation_id, streamer_id, terminal_id, attempt, order_id, provider_payment_id, provider_status, status,
          amount_minor, currency, confirmed_minor, booked_as, payment_url, error_code, error_message, due_at, opening_at,
          opened_at, confirmed_at, closed_at, next_check_at, checks, version, created_at,
          sbp_payload, twin_of, method, accepted_at, error_reason;

-- name: insert_twin$
-- The second payment that the provider made of one order, as an attempt of its own; no row when it is known already.
-- The caller holds the first one's row.
INSERT INTO payments (donation_id, streamer_id, terminal_id, attempt, order_id, amount_minor, due_at, next_check_at,
                      status, provider_payment_id, twin_of)
SELECT first.donation_id, first.streamer_id, first.terminal_id, next.attempt, first.order_id || '-' || next.attempt,
       first.amount_minor, first.due_at, now(), 'pending', :provider_payment_id, first.id
FROM payments AS first, LATERAL (
    SELECT max(attempt) + 1 AS attempt FROM payments WHERE donation_id = first.donation_id) AS next
WHERE first.id = :payment_id
ON CONFLICT (terminal_id, provider_payment_id) DO NOTHING
RETURNING id;

-- name: find_twin$
SELECT id FROM payments WHERE terminal_id = :terminal_id AND provider_payment_id = :provider_payment_id;

-- name: get_payment^
SELECT id, donation_id, streamer_id, terminal_id, attempt, order_id, provider_payment_id, provider_status, status,
       amount_minor, currency, confirmed_minor, booked_as, payment_url, error_code, error_message, due_at, opening_at,
       opened_at, confirmed_at, closed_at, next_check_at, checks, version, created_at,
       sbp_payload, twin_of, method, accepted_at, error_reason
FROM payments WHERE id = :payment_id;

-- name: lock_payment^
SELECT id, donation_id, streamer_id, terminal_id, attempt, order_id, provider_payment_id, provider_status, status,
       amount_minor, currency, confirmed_minor, booked_as, payment_url, error_code, error_message, due_at, opening_at,
       opened_at, confirmed_at, closed_at, next_check_at, checks, version, created_at,
       sbp_payload, twin_of, method, accepted_at, error_reason
FROM payments WHERE id = :payment_id FOR UPDATE;

-- name: get_latest_payment^
SELECT id, donation_id, streamer_id, terminal_id, attempt, order_id, provider_payment_id, provider_status, status,
       amount_minor, currency, confirmed_minor, booked_as, payment_url, error_code, error_message, due_at, opening_at,
       opened_at, confirmed_at, closed_at, next_check_at, checks, version, created_at,
       sbp_payload, twin_of, method, accepted_at, error_reason
FROM payments WHERE donation_id = :donation_id ORDER BY attempt DESC LIMIT 1;

-- name: list_open_predecessors
-- Earlier attempts of the same donation that the donor might still pay.
SELECT id, donation_id, streamer_id, terminal_id, attempt, order_id, provider_payment_id, provider_status, status,
       amount_minor, currency, confirmed_minor, booked_as, payment_url, error_code, error_message, due_at, opening_at,
       opened_at, confirmed_at, closed_at, next_check_at, checks, version, created_at,
       sbp_payload, twin_of, method, accepted_at, error_reason
FROM payments
WHERE donation_id = :donation_id AND attempt < :attempt
  AND status IN ('new', 'opening', 'pending', 'authorized', 'failed') AND closed_at IS NULL
ORDER BY attempt;

-- name: claim_opening^
-- new → opening: who gets the row asks the provider. The due date counts from the asking.
UPDATE payments
SET status = 'opening', opening_at = now(), version = version + 1,
    due_at = now() + make_interval(mins => :link_minutes)
WHERE id = :payment_id AND status = 'new'
RETURNING id, donation_id, streamer_id, terminal_id, attempt, order_id, provider_payment_id, provider_status, status,
          amount_minor, currency, confirmed_minor, booked_as, payment_url, error_code, error_message, due_at, opening_at,
          opened_at, confirmed_at, closed_at, next_check_at, checks, version, created_at,
          sbp_payload, twin_of, method, accepted_at, error_reason;

-- name: renew_opening^
-- Who still holds the opening is about to ask the provider: its time, and the link's, count from here.
UPDATE payments
SET opening_at = now(), version = version + 1, due_at = now() + make_interval(mins => :link_minutes)
WHERE id = :payment_id AND status = 'opening' AND opening_at = :opening_at
RETURNING id, donation_id, streamer_id, terminal_id, attempt, order_id, provider_payment_id, provider_status, status,
          amount_minor, currency, confirmed_minor, booked_as, payment_url, error_code, error_message, due_at, opening_at,
          opened_at, confirmed_at, closed_at, next_check_at, checks, version, created_at,
          sbp_payload, twin_of, method, accepted_at, error_reason;

-- name: record_opened^
-- The provider answered: only who still holds the opening, or was overtaken by this payment's own news, writes.
UPDATE payments
SET provider_payment_id = :provider_payment_id,
    payment_url = :payment_url,
    sbp_payload = :sbp_payload,
    status = CASE status WHEN 'opening' THEN 'pending' ELSE status END,
    opened_at = now(),
    next_check_at = CASE status WHEN 'opening' THEN now() + interval '10 seconds' ELSE next_check_at END,
    error_code = '', error_message = '',
    version = version + 1
WHERE id = :payment_id
  AND payment_url IS NULL
  AND closed_at IS NULL
  AND (status = 'opening' AND opening_at = :opening_at AND provider_payment_id IS NULL
       OR provider_payment_id = :provider_payment_id)
RETURNING id, donation_id, streamer_id, terminal_id, attempt, order_id, provider_payment_id, provider_status, status,
          amount_minor, currency, confirmed_minor, booked_as, payment_url, error_code, error_message, due_at, opening_at,
          opened_at, confirmed_at, closed_at, next_check_at, checks, version, created_at,
          sbp_payload, twin_of, method, accepted_at, error_reason;

-- name: reclaim_opening^
-- A lost opening of a provider that gives the same payment for the same order: who gets the row asks once more.
UPDATE payments
SET opening_at = now(), version = version + 1
WHERE id = :payment_id AND status = 'opening' AND opening_at = :opening_at
RETURNING id, donation_id, streamer_id, terminal_id, attempt, order_id, provider_payment_id, provider_status, status,
          amount_minor, currency, confirmed_minor, booked_as, payment_url, error_code, error_message, due_at, opening_at,
          opened_at, confirmed_at, closed_at, next_check_at, checks, version, created_at,
          sbp_payload, twin_of, method, accepted_at, error_reason;

-- name: release_opening!
-- opening → new: the provider certainly knows nothing of it, so the same attempt may be opened later.
UPDATE payments
SET status = 'new', opening_at = NULL, error_code = :error_code, error_message = :error_message,
    version = version + 1
WHERE id = :payment_id AND status = 'opening' AND opening_at = :opening_at;

-- name: doubt_opening!
-- The provider may know of it: to be settled by asking before anything else.
UPDATE payments
SET opening_at = '-infinity', error_code = :error_code, error_message = :error_message, version = version + 1
WHERE id = :payment_id AND status = 'opening' AND opening_at = :opening_at;

-- name: get_opening_age$
-- For how many seconds somebody has been opening this payment; infinite when the outcome is in doubt.
SELECT extract(epoch FROM now() - opening_at)::float8 FROM payments
WHERE id = :payment_id AND status = 'opening';

-- name: close_unopened^
-- An attempt that got no URL ends; its order stays known, should the provider ever speak of it.
UPDATE payments
SET status = :status, closed_at = now(), next_check_at = NULL, opening_at = NULL,
    error_code = :error_code, error_message = :error_message, error_reason = :error_reason, version = version + 1
WHERE id = :payment_id AND status IN ('new', 'opening') AND provider_payment_id IS NULL
RETURNING id, donation_id, streamer_id, terminal_id, attempt, order_id, provider_payment_id, provider_status, status,
          amount_minor, currency, confirmed_minor, booked_as, payment_url, error_code, error_message, due_at, opening_at,
          opened_at, confirmed_at, closed_at, next_check_at, checks, version, created_at,
          sbp_payload, twin_of, method, accepted_at, error_reason;

-- name: update_payment!
-- What a piece of news changed. The caller holds the row's lock. `keep_looks`: what somebody told us and we did not
-- believe as it came is still to be asked about, whatever else was told after it.
UPDATE payments
SET status = :status,
    provider_payment_id = coalesce(provider_payment_id, :provider_payment_id),
    provider_status = :provider_status,
    error_code = :error_code,
    error_message = :error_message,
    error_reason = :error_reason,
    confirmed_minor = :confirmed_minor,
    booked_as = :booked_as,
    method = coalesce(nullif(:method, ''), method),
    confirmed_at = CASE WHEN :confirmed_minor::bigint IS NULL THEN NULL ELSE coalesce(confirmed_at, now()) END,
    closed_at = CASE WHEN :closed THEN coalesce(closed_at, now()) END,
    next_check_at = CASE
        WHEN :check_again
            OR :keep_looks AND EXISTS (SELECT FROM inbox WHERE inbox.payment_id = payments.id AND outcome = 'asked')
        THEN coalesce(next_check_at, now() + interval '60 seconds') END,
    version = version + 1
WHERE id = :payment_id;

-- name: check_soon!
-- Look at it as at one just opened, counting the looks anew. An answer that is on its way now is older than the wish.
UPDATE payments
SET next_check_at = now() + make_interval(secs => :delay_seconds), checks = 0, version = version + 1
WHERE id = :payment_id;

-- name: insert_news!
INSERT INTO payment_news (payment_id, source, status_before, status_after, provider_status, raw, note, inbox_id, user_id)
VALUES (:payment_id, :source, :status_before, :status_after, :provider_status, :raw, :note, :inbox_id, :user_id);

-- name: list_news
-- Everything a payment heard and what we did to it, in order.
SELECT news.id, news.source, news.status_before, news.status_after, news.provider_status, news.raw, news.note,
       news.inbox_id, news.created_at, users.email AS user_email
FROM payment_news AS news LEFT JOIN users ON users.id = news.user_id
WHERE news.payment_id = :payment_id ORDER BY news.id;

-- name: list_payments_of_donation
SELECT id, donation_id, streamer_id, terminal_id, attempt, order_id, provider_payment_id, provider_status, status,
       amount_minor, currency, confirmed_minor, booked_as, payment_url, error_code, error_message, due_at, opening_at,
       opened_at, confirmed_at, closed_at, next_check_at, checks, version, created_at,
       sbp_payload, twin_of, method, accepted_at, error_reason
FROM payments WHERE donation_id = :donation_id ORDER BY attempt;

-- name: claim_asking$
-- Who gets the row may ask the provider about it for so long; nobody else does meanwhile.
UPDATE payments SET asked_until = now() + make_interval(secs => :seconds)
WHERE id = :payment_id AND (asked_until IS NULL OR asked_until < now())
RETURNING id;

-- name: end_asking!
UPDATE payments SET asked_until = NULL WHERE id = :payment_id;

-- name: list_told_ids
-- Payment ids that notifications gave for this payment, while we have none of our own.
SELECT DISTINCT provider_payment_id FROM inbox
WHERE payment_id = :payment_id AND provider_payment_id IS NOT NULL;

-- name: keep_asking!
-- The answer settles nothing: the payment stays as it is and is looked at again.
UPDATE payments
SET provider_status = :provider_status, next_check_at = coalesce(next_check_at, now() + interval '60 seconds'),
    version = version + 1
WHERE id = :payment_id;

-- name: claim_due_payments
-- Payments it is time to look at; each gets its next time now (10, 20, 40, 80 s, then every three minutes, five
-- after a decline, an hour when the link has been dead for a day and the bank still does not say what became of it,
-- or when it was asked for hours; ± 10 %), so that a lost task is asked again. Returned with whether it has been opened.
-- At most so many of one terminal in one look; a provider that failed is left alone while it rests, then asked once.
WITH waiting AS (
    SELECT payments.id, coalesce(health.failures, 0) >= :failures_to_rest AS is_probe,
           row_number() OVER (PARTITION BY payments.terminal_id ORDER BY payments.next_check_at) AS of_terminal,
           row_number() OVER (PARTITION BY terminals.provider ORDER BY payments.next_check_at) AS of_provider
    FROM (
        SELECT payments.id, payments.terminal_id, payments.next_check_at
        FROM payments
        WHERE payments.next_check_at <= now()
          AND payments.terminal_id NOT IN (
              SELECT terminals.id FROM terminals JOIN provider_health ON provider_health.provider = terminals.provider
              WHERE provider_health.rest_until > now())
        ORDER BY payments.next_check_at LIMIT :limit
    ) AS payments
    JOIN terminals ON terminals.id = payments.terminal_id
    LEFT JOIN provider_health AS health ON health.provider = terminals.provider
), due AS (
    SELECT payments.id FROM payments JOIN waiting ON waiting.id = payments.id
    WHERE payments.next_check_at <= now()
      AND waiting.of_terminal <= :per_terminal AND (NOT waiting.is_probe OR waiting.of_provider = 1)
    FOR UPDATE OF payments SKIP LOCKED
)
UPDATE payments
SET checks = checks + 1,
    next_check_at = now() + make_interval(secs =>
        CASE WHEN closed_at IS NULL AND due_at < now() - interval '1 day' OR checks >= 50 THEN 3600
             WHEN status = 'failed' THEN 300
             WHEN status IN ('new', 'opening') THEN least(600, 60 * power(2, least(checks, 10)))
             ELSE least(180, 10 * power(2, least(checks, 10))) END
        * (0.9 + random() * 0.2))
FROM due WHERE payments.id = due.id
RETURNING payments.id, payments.status IN ('new', 'opening') AS unopened;

-- name: is_past_due$
-- The link has been dead for so long (65 minutes: a bank's check may take 60) that an unpaid answer is final.
SELECT due_at < now() - interval '65 minutes' FROM payments WHERE id = :payment_id;

-- name: accept_payment!
-- Money under review becomes the donation's. The caller holds the row.
UPDATE payments
SET booked_as = 'donation', accepted_at = now(), accepted_by = :user_id, version = version + 1
WHERE id = :payment_id AND booked_as = 'review';

-- name: count_other_reviews$
-- Other payments of a donation that brought another amount, of which something is left.
SELECT count(*) FROM payments
WHERE donation_id = :donation_id AND id <> :payment_id AND booked_as = 'review'
  AND confirmed_minor > (
      SELECT coalesce(max(reached_minor) FILTER (WHERE kind = 'refund'), 0)
           + coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback'), 0)
           - coalesce(max(reached_minor) FILTER (WHERE kind = 'chargeback_reversal'), 0)
      FROM ledger_transactions WHERE payment_id = payments.id);

-- name: search_payments
-- By what somebody has in hand: our order, the provider's payment id, the donation's public id, or our own id.
SELECT payments.id, payments.order_id, payments.provider_payment_id, payments.status, payments.amount_minor,
       payments.confirmed_minor, payments.booked_as, payments.created_at, terminals.provider, terminals.terminal_key,
       donations.public_id AS donation_public_id, streamers.slug, streamers.display_name, streamers.time_zone
FROM payments
JOIN terminals ON terminals.id = payments.terminal_id
JOIN donations ON donations.id = payments.donation_id
JOIN streamers ON streamers.id = payments.streamer_id
WHERE payments.id IN (
    SELECT id FROM payments WHERE order_id = :text
    UNION SELECT id FROM payments WHERE provider_payment_id = :text
    UNION SELECT id FROM payments WHERE id = :number
    UNION SELECT payments.id FROM payments JOIN donations ON donations.id = payments.donation_id
          WHERE donations.public_id = :text)
ORDER BY payments.id DESC LIMIT :limit;
