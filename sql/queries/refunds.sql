-- name: insert_refund^
-- The wish; no row while another of this payment is under way.
INSERT INTO refunds (public_id, payment_id, streamer_id, amount_minor, reason, requested_by)
VALUES (:public_id, :payment_id, :streamer_id, :amount_minor, :reason, :requested_by)
ON CONFLICT (payment_id) WHERE status IN ('wished', 'asking', 'pending') DO NOTHING
RETURNING id, public_id, payment_id, streamer_id, amount_minor, reason, status, before_minor, provider_refund_id,
          error_code, error_reason, error_message, tries, next_try_at, asked_at, finished_at, created_at;

-- name: get_refund^
SELECT id, public_id, payment_id, streamer_id, amount_minor, reason, status, before_minor, provider_refund_id,
       error_code, error_reason, error_message, tries, next_try_at, asked_at, finished_at, created_at
FROM refunds WHERE id = :refund_id;

-- name: list_refunds_of_donation
SELECT refunds.id, refunds.public_id, refunds.payment_id, refunds.streamer_id, refunds.amount_minor, refunds.reason,
       refunds.status, refunds.before_minor, refunds.provider_refund_id, refunds.error_code, refunds.error_reason,
       refunds.error_message, refunds.tries, refunds.next_try_at, refunds.asked_at, refunds.finished_at,
       refunds.created_at
FROM refunds JOIN payments ON payments.id = refunds.payment_id
WHERE payments.donation_id = :donation_id ORDER BY refunds.id;

-- name: claim_refund^
-- Who gets the row asks the provider: for the first time, or once its time has come again.
UPDATE refunds
SET status = CASE status WHEN 'wished' THEN 'asking' ELSE status END, asked_at = now(), tries = tries + 1,
    next_try_at = now() + interval '60 seconds'
WHERE id = :refund_id AND status IN ('wished', 'asking', 'pending') AND (tries = 0 OR next_try_at <= now())
RETURNING id, public_id, payment_id, streamer_id, amount_minor, reason, status, before_minor, provider_refund_id,
          error_code, error_reason, error_message, tries, next_try_at, asked_at, finished_at, created_at;

-- name: note_before^
-- About to ask: what has gone back by now tells later whether a lost answer meant yes. Only who holds the claim writes.
UPDATE refunds SET before_minor = :before_minor
WHERE id = :refund_id AND status = 'asking' AND asked_at = :asked_at AND before_minor IS NULL
RETURNING id;

-- name: postpone_refund!
-- Not decided yet: looked at again after so long.
UPDATE refunds
SET status = :status, next_try_at = now() + make_interval(secs => :seconds),
    before_minor = CASE WHEN :status = 'wished' THEN NULL ELSE before_minor END,
    provider_refund_id = coalesce(nullif(:provider_refund_id, ''), provider_refund_id),
    error_code = :error_code, error_reason = :error_reason, error_message = :error_message
WHERE id = :refund_id AND status IN ('wished', 'asking', 'pending');

-- name: refuse_refund!
UPDATE refunds
SET status = 'refused', finished_at = now(), next_try_at = NULL,
    error_code = :error_code, error_reason = :error_reason, error_message = :error_message
WHERE id = :refund_id AND status IN ('wished', 'asking', 'pending');

-- name: finish_covered!
-- What was asked for has gone back, whatever the provider answered at the time.
UPDATE refunds
SET status = 'done', finished_at = now(), next_try_at = NULL, error_code = '', error_reason = '', error_message = ''
WHERE payment_id = :payment_id AND status IN ('asking', 'pending') AND before_minor + amount_minor <= :refunded_minor;

-- name: list_due_refunds
SELECT id FROM refunds WHERE next_try_at <= now() ORDER BY next_try_at LIMIT :limit;
