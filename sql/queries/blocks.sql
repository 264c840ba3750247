-- name: insert_block$
-- No row when this is blocked already; a block that ended begins anew, and a longer one lengthens it.
INSERT INTO blocks (streamer_id, kind, value, shown, note, donation_id, created_by, expires_at)
VALUES (:streamer_id, :kind, :value, :shown, :note, :donation_id, :created_by,
        now() + make_interval(days => :days::integer))
ON CONFLICT (streamer_id, kind, value) DO UPDATE
SET shown = excluded.shown, note = coalesce(nullif(excluded.note, ''), blocks.note), created_at = excluded.created_at,
    expires_at = excluded.expires_at, donation_id = excluded.donation_id, created_by = excluded.created_by
RETURNING id;

-- name: list_blocks
SELECT blocks.id, blocks.kind, blocks.shown, blocks.note, blocks.created_at, blocks.expires_at,
       donations.public_id AS donation_public_id
FROM blocks LEFT JOIN donations ON donations.id = blocks.donation_id
WHERE blocks.streamer_id = :streamer_id AND (blocks.expires_at IS NULL OR blocks.expires_at > now())
ORDER BY blocks.id DESC LIMIT :limit;

-- name: delete_block$
DELETE FROM blocks WHERE streamer_id = :streamer_id AND id = :block_id RETURNING id;

-- name: find_block$
-- The first reason to hold a donation: its name, the payer of any of its payments, or where it came from.
SELECT blocks.kind FROM blocks
WHERE blocks.streamer_id = :streamer_id AND (blocks.expires_at IS NULL OR blocks.expires_at > now())
  AND (blocks.kind = 'name' AND blocks.value = :name_key
       OR blocks.kind = 'payer' AND blocks.value IN (
           SELECT payer FROM payments WHERE donation_id = :donation_id AND payer <> '')
       OR blocks.kind = 'address' AND blocks.value = (
           SELECT encode(address_hash, 'hex') FROM donation_addresses WHERE donation_id = :donation_id))
ORDER BY blocks.kind LIMIT 1;

-- name: is_address_blocked$
SELECT EXISTS (
    SELECT FROM blocks
    WHERE streamer_id = :streamer_id AND kind = 'address' AND value = ANY(:values::text[]) AND expires_at > now());

-- name: get_blockable^
-- By what a donation's donor can be blocked.
SELECT donations.id, donations.donor_name,
       coalesce((SELECT payer FROM payments WHERE donation_id = donations.id AND payer <> ''
                 ORDER BY booked_as = 'donation' DESC NULLS LAST, id DESC LIMIT 1), '') AS payer,
       (SELECT encode(address_hash, 'hex') FROM donation_addresses
        WHERE donation_id = donations.id) AS address
FROM donations WHERE donations.streamer_id = :streamer_id AND donations.public_id = :public_id;

-- name: list_blocked_values
-- Which of these are blocked now, as `kind:value`.
SELECT kind || ':' || value AS found FROM blocks
WHERE streamer_id = :streamer_id AND (expires_at IS NULL OR expires_at > now())
  AND kind || ':' || value = ANY(:values::text[]);

-- name: insert_address!
INSERT INTO donation_addresses (donation_id, address_hash) VALUES (:donation_id, :address_hash);

-- name: note_payer!
-- Unless the streamer's account is deleted. Who ends a deletion waits for this.
WITH kept AS (
    SELECT streamers.id FROM payments JOIN streamers ON streamers.id = payments.streamer_id
    WHERE payments.id = :payment_id AND streamers.closed_at IS NULL
    FOR KEY SHARE OF streamers
)
UPDATE payments SET payer = :payer FROM kept
WHERE payments.id = :payment_id AND payments.streamer_id = kept.id AND payer <> :payer;

-- name: delete_expired!
DELETE FROM blocks WHERE expires_at < now();
