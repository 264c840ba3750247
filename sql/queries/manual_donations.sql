-- name: insert_manual^
-- No row when the same form has written one down already.
INSERT INTO manual_donations (public_id, streamer_id, donor_name, message, amount_minor, source, received_at, created_by,
                              form_key)
VALUES (:public_id, :streamer_id, :donor_name, :message, :amount_minor, :source, :received_at, :created_by, :form_key)
ON CONFLICT (streamer_id, form_key) WHERE form_key IS NOT NULL DO NOTHING
RETURNING public_id;

-- name: find_manual^
-- Deleted ones, too: their page offers to bring them back.
SELECT manual.id, manual.public_id, manual.donor_name, manual.message, manual.amount_minor, manual.source,
       manual.received_at, manual.created_at, manual.deleted_at,
       CASE WHEN alert.status = 'queued' AND summary.status = 'playing' THEN 'playing' ELSE alert.status END AS alert_status,
       alert.shown_at,
       alert.interrupted
FROM manual_donations AS manual
LEFT JOIN LATERAL (SELECT status, shown_at, interrupted, summary_id FROM alerts WHERE manual_donation_id = manual.id
                   ORDER BY id DESC LIMIT 1) AS alert ON true
LEFT JOIN alerts AS summary ON summary.id = alert.summary_id
WHERE manual.streamer_id = :streamer_id AND manual.public_id = :public_id;

-- name: update_manual$
UPDATE manual_donations
SET donor_name = :donor_name, message = :message, amount_minor = :amount_minor, source = :source,
    received_at = :received_at
WHERE streamer_id = :streamer_id AND public_id = :public_id AND deleted_at IS NULL
RETURNING id;

-- name: delete_manual$
UPDATE manual_donations SET deleted_at = now()
WHERE streamer_id = :streamer_id AND public_id = :public_id AND deleted_at IS NULL
RETURNING id;

-- name: restore_manual$
UPDATE manual_donations SET deleted_at = NULL
WHERE streamer_id = :streamer_id AND public_id = :public_id AND deleted_at IS NOT NULL
RETURNING id;

-- name: lock_manual^
-- Locked, so that of two presses the second sees the first's alert.
SELECT id, donor_name, message, amount_minor FROM manual_donations
WHERE streamer_id = :streamer_id AND public_id = :public_id AND deleted_at IS NULL FOR UPDATE;
