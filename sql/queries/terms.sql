-- name: find_terms$
SELECT id FROM terms WHERE streamer_id = :streamer_id AND hash = :hash;

-- name: insert_terms!
INSERT INTO terms (streamer_id, hash, documents) VALUES (:streamer_id, :hash, :documents)
ON CONFLICT (streamer_id, hash) DO NOTHING;

-- name: get_agreed_terms^
-- What a donation's donor agreed to. No row: no such donation, or one from before the words were kept.
SELECT terms.hash, terms.documents, terms.created_at, donations.consented_at, donations.consent_version,
       streamers.slug, streamers.display_name, streamers.time_zone
FROM donations
JOIN terms ON terms.id = donations.terms_id
JOIN streamers ON streamers.id = donations.streamer_id
WHERE donations.public_id = :public_id;
