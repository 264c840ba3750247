-- name: insert_api_donation!
INSERT INTO api_donations (donation_id, streamer_id, user_id, payment_method, client_order_id, asked_digest)
VALUES (:donation_id, :streamer_id, :user_id, :payment_method, :client_order_id, :asked_digest);

-- name: find_ordered^
-- What this client's order became. The caller holds the order's form.
SELECT donations.id, donations.public_id, api_donations.asked_digest
FROM api_donations JOIN donations ON donations.id = api_donations.donation_id
WHERE api_donations.client_order_id = :client_order_id AND api_donations.streamer_id = :streamer_id;

-- name: get_line^
SELECT * FROM api_donation_lines WHERE id = :donation_id;

-- name: list_lines
SELECT * FROM api_donation_lines WHERE id = ANY (:ids::integer[]);

-- name: list_of_order
-- Donations of a client's order: one of each streamer whose client called it so.
SELECT donation_id FROM api_donations
WHERE client_order_id = :client_order_id AND (:streamer_id::integer IS NULL OR streamer_id = :streamer_id)
LIMIT 2;

-- name: find_by_payment$
-- The donation that this attempt is for. The order ids of one bank are random, so there is one or none.
SELECT donation_id FROM payments WHERE order_id = :order_id ORDER BY id LIMIT 1;

-- name: list_ids
-- A page of the donations that somebody received or sent. The usual orders stop at their index as soon as the page is
-- full; by other orders all that fit are sorted. `sent_by` leaves out what `received_by` has already; `named_only`: the
-- sender is asked for by another, who must not learn whose an anonymous donation is.
SELECT found.id FROM (
    (SELECT donations.id, donations.created_at, donations.amount_minor FROM donations
     WHERE :by::text = 'created_at' AND NOT :ascending::boolean AND streamer_id = :received_by
       AND created_at BETWEEN :since AND :until
       AND api_donation_fits(status, amount_minor, donor_name, :statuses, :least_minor, :most_minor, :is_anonymous)
     ORDER BY created_at DESC, id DESC LIMIT :reach)
    UNION ALL
    (SELECT donations.id, donations.created_at, donations.amount_minor FROM donations
     WHERE :by::text = 'created_at' AND :ascending::boolean AND streamer_id = :received_by
       AND created_at BETWEEN :since AND :until
       AND api_donation_fits(status, amount_minor, donor_name, :statuses, :least_minor, :most_minor, :is_anonymous)
     ORDER BY created_at, id LIMIT :reach)
    UNION ALL
    (SELECT donations.id, donations.created_at, donations.amount_minor FROM donations
     WHERE :by::text <> 'created_at' AND streamer_id = :received_by
       AND created_at BETWEEN :since AND :until
       AND api_donation_fits(status, amount_minor, donor_name, :statuses, :least_minor, :most_minor, :is_anonymous)
     ORDER BY CASE WHEN :ascending AND :by = 'amount' THEN amount_minor END, CASE WHEN :ascending THEN id END,
              CASE WHEN :by = 'amount' THEN amount_minor END DESC, id DESC LIMIT :reach)
    UNION ALL
    (SELECT donations.id, donations.created_at, donations.amount_minor
     FROM api_donations JOIN donations ON donations.id = api_donations.donation_id
     WHERE :by::text = 'created_at' AND NOT :ascending::boolean AND api_donations.user_id = :sent_by
       AND api_donations.created_at BETWEEN :since AND :until
       AND (:sent_to::integer IS NULL OR api_donations.streamer_id = :sent_to)
       AND api_donations.streamer_id IS DISTINCT FROM :received_by
       AND (NOT :named_only::boolean OR donor_name IS NOT NULL)
       AND api_donation_fits(status, amount_minor, donor_name, :statuses, :least_minor, :most_minor, :is_anonymous)
     ORDER BY api_donations.created_at DESC, api_donations.donation_id DESC LIMIT :reach)
    UNION ALL
    (SELECT donations.id, donations.created_at, donations.amount_minor
     FROM api_donations JOIN donations ON donations.id = api_donations.donation_id
     WHERE (:by::text <> 'created_at' OR :ascending::boolean) AND api_donations.user_id = :sent_by
       AND api_donations.created_at BETWEEN :since AND :until
       AND (:sent_to::integer IS NULL OR api_donations.streamer_id = :sent_to)
       AND api_donations.streamer_id IS DISTINCT FROM :received_by
       AND (NOT :named_only::boolean OR donor_name IS NOT NULL)
       AND api_donation_fits(status, amount_minor, donor_name, :statuses, :least_minor, :most_minor, :is_anonymous))
) AS found
ORDER BY CASE WHEN :ascending AND :by = 'created_at' THEN found.created_at END,
         CASE WHEN :ascending AND :by = 'amount' THEN found.amount_minor END,
         CASE WHEN :ascending THEN found.id END,
         CASE WHEN :by = 'created_at' THEN found.created_at END DESC,
         CASE WHEN :by = 'amount' THEN found.amount_minor END DESC,
         found.id DESC
OFFSET :reach - :limit LIMIT :limit;

-- name: list_pending
-- Donations whose payment is open at the bank, the oldest first.
SELECT donations.id, payments.order_id AS payment_id, donations.amount_minor, donations.created_at,
       donations.donor_name IS NULL AS is_anonymous, donations.streamer_id
FROM payments JOIN donations ON donations.id = payments.donation_id
WHERE payments.next_check_at IS NOT NULL AND payments.closed_at IS NULL
  AND payments.status IN ('new', 'opening', 'pending', 'authorized', 'failed')
  AND donations.status IN ('pending', 'failed')
ORDER BY payments.id LIMIT :limit;

-- name: hurry_pending$
-- Open payments are asked about now rather than when their time comes; how many. Those the scheduler is at are skipped.
WITH waiting AS (
    SELECT id FROM payments
    WHERE next_check_at > now() AND closed_at IS NULL
      AND status IN ('new', 'opening', 'pending', 'authorized', 'failed')
    ORDER BY next_check_at LIMIT :limit FOR UPDATE SKIP LOCKED
), hurried AS (
    UPDATE payments SET next_check_at = now() FROM waiting WHERE payments.id = waiting.id RETURNING payments.id
)
SELECT count(*) FROM hurried;

-- name: find_recipient$
-- The page of the user with this id; else the page with this id.
SELECT id FROM streamers WHERE owner_id = :recipient_id OR id = :recipient_id
ORDER BY owner_id = :recipient_id DESC LIMIT 1;
