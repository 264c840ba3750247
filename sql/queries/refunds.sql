-- name: insert_refund^
-- The wish; no row while another of this payment is under way.
INSERT INTO refunds (public_id, payment_id, streamer_id, amount_minor, reason, requested_by, form_key)
VALUES (:public_id, :payment_id, :streamer_id, :amount_minor, :reason, :requested_by, :form_key)
ON CONFLICT (payment_id) WHERE status IN ('wished', 'asking', 'pending') DO NOTHING
RETURNING id, public_id, payment_id, streamer_id, amount_minor, reason, status, before_minor, provider_refund_id,
          error_code, error_reason, error_message, tries, next_try_at, asked_at, called_at, finished_at, created_at;

-- name: get_refund^
SELECT id, public_id, payment_id, streamer_id, amount_minor, reason, status, before_minor, provider_refund_id,
       error_code, error_reason, error_message, tries, next_try_at, asked_at, called_at, finished_at, created_at
FROM refunds WHERE id = :refund_id;

-- name: find_refund_of_form^
-- What this very form has wished before.
SELECT id, public_id, payment_id, streamer_id, amount_minor, reason, status, before_minor, provider_refund_id,
       error_code, error_reason, error_message, tries, next_try_at, asked_at, called_at, finished_at, created_at
FROM refunds WHERE payment_id = :payment_id AND form_key = :form_key;

-- name: list_refunds_of_donation
-- Of all its payments, with who wished them.
SELECT refunds.id, refunds.public_id, refunds.payment_id, refunds.streamer_id, refunds.amount_minor, refunds.reason,
       refunds.status, refunds.before_minor, refunds.provider_refund_id, refunds.error_code, refunds.error_reason,
       refunds.error_message, refunds.tries, refunds.next_try_at, refunds.asked_at, refunds.called_at,
       refunds.finished_at, refunds.created_at, users.email AS requested_by_email
FROM refunds JOIN payments ON payments.id = refunds.payment_id LEFT JOIN users ON users.id = refunds.requested_by
WHERE payments.donation_id = :donation_id ORDER BY refunds.id;

-- name: claim_refund^
-- Who gets the row asks the provider: for the first time, or once its time has come again.
UPDATE refunds
SET status = CASE status WHEN 'wished' THEN 'asking' ELSE status END, asked_at = now(), tries = tries + 1,
    next_try_at = now() + interval '60 seconds'
WHERE id = :refund_id AND status IN ('wished', 'asking', 'pending') AND (tries = 0 OR next_try_at <= now())
RETURNING id, public_id, payment_id, streamer_id, amount_minor, reason, status, before_minor, provider_refund_id,
          error_code, error_reason, error_message, tries, next_try_at, asked_at, called_at, finished_at, created_at;

-- name: note_call^
-- About to call: what has gone back by now tells later whether a lost answer meant yes. Only who holds the claim goes
-- on, and holds it for longer than a call takes; after an earlier call in doubt, what was noted then counts.
UPDATE refunds
SET before_minor = coalesce(before_minor, :before_minor), called_at = now(), next_try_at = now() + interval '60 seconds'
WHERE id = :refund_id AND status = 'asking' AND asked_at = :asked_at
RETURNING id;

-- name: get_called_seconds$
-- For how long the provider's last call is over; null when it was never called.
SELECT extract(epoch FROM now() - called_at)::float8 FROM refunds WHERE id = :refund_id;

-- name: postpone_refund^
-- Not decided yet: looked at again after so long. Only who holds the claim writes.
UPDATE refunds
SET status = :status, next_try_at = now() + make_interval(secs => :seconds),
    before_minor = CASE WHEN :status = 'wished' THEN NULL ELSE before_minor END,
    provider_refund_id = coalesce(nullif(:provider_refund_id, ''), provider_refund_id),
    error_code = :error_code, error_reason = :error_reason, error_message = :error_message
WHERE id = :refund_id AND status IN ('asking', 'pending') AND asked_at = :asked_at
RETURNING id;

-- name: refuse_refund^
-- Only who holds the claim writes.
UPDATE refunds
SET status = 'refused', finished_at = now(), next_try_at = NULL,
    error_code = :error_code, error_reason = :error_reason, error_message = :error_message
WHERE id = :refund_id AND status IN ('asking', 'pending') AND asked_at = :asked_at
RETURNING called_at;

-- name: dismiss_refusal!
UPDATE refunds SET dismissed_at = now(), dismissed_by = :user_id
WHERE id = :refund_id AND streamer_id = :streamer_id AND status = 'refused' AND dismissed_at IS NULL;

-- name: finish_covered!
-- What was asked for has gone back, whatever the provider answered at the time.
UPDATE refunds
SET status = 'done', finished_at = now(), next_try_at = NULL, error_code = '', error_reason = '', error_message = ''
WHERE payment_id = :payment_id AND status IN ('asking', 'pending') AND before_minor + amount_minor <= :refunded_minor;

-- name: list_due_refunds
SELECT id FROM refunds WHERE next_try_at <= now() ORDER BY next_try_at LIMIT :limit;

-- name: find_open_refund$
SELECT id FROM refunds WHERE payment_id = :payment_id AND status IN ('wished', 'asking', 'pending');
