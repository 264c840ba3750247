-- name: get_settings^
SELECT receipts, receipts_since, taxation, vat, receipt_item FROM streamers WHERE id = :streamer_id;

-- name: set_settings!
-- Since when counts from the change to this kind, and not from each save.
UPDATE streamers
SET receipts = :receipts, taxation = :taxation, vat = :vat, receipt_item = :receipt_item,
    receipts_since = CASE WHEN :receipts = 'none' THEN NULL
                          WHEN receipts = :receipts THEN coalesce(receipts_since, now())
                          ELSE now() END
WHERE id = :streamer_id;

-- name: asks_email$
-- Whether a donor's e-mail is needed: only for a fiscal receipt.
SELECT receipts = 'fiscal' FROM streamers WHERE id = :streamer_id;

-- name: start_npd!
-- Who has chosen nothing about receipts and is self-employed makes her cheques herself from now on.
UPDATE streamers SET receipts = 'npd', receipts_since = now() WHERE id = :streamer_id AND receipts = 'none';
