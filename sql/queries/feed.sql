-- name: list_manual
-- Money that a streamer wrote down herself, the newest first.
SELECT id, public_id, amount_minor, donor_name, message, source, received_at AS paid_at FROM manual_donations
WHERE streamer_id = :streamer_id AND deleted_at IS NULL
ORDER BY received_at DESC, id DESC LIMIT :limit;

-- name: has_manual$
SELECT EXISTS (SELECT FROM manual_donations WHERE streamer_id = :streamer_id AND deleted_at IS NULL);

-- name: find_public_id$
SELECT public_id FROM donations WHERE id = :donation_id AND streamer_id = :streamer_id;
