-- name: get_settings^
SELECT mode, acts, capitals_percent, long_over, emoji_over, message_from_minor, hold_minutes, outcome
FROM moderation_settings WHERE streamer_id = :streamer_id;

-- name: save_settings!
INSERT INTO moderation_settings (streamer_id, mode, acts, capitals_percent, long_over, emoji_over, message_from_minor,
                                 hold_minutes, outcome)
VALUES (:streamer_id, :mode, :acts, :capitals_percent, :long_over, :emoji_over, :message_from_minor, :hold_minutes,
        :outcome)
ON CONFLICT (streamer_id) DO UPDATE
SET mode = excluded.mode, acts = excluded.acts, capitals_percent = excluded.capitals_percent,
    long_over = excluded.long_over, emoji_over = excluded.emoji_over, message_from_minor = excluded.message_from_minor,
    hold_minutes = excluded.hold_minutes, outcome = excluded.outcome, updated_at = now();

-- name: list_words
-- A streamer's own words and exceptions, in the order of the alphabet.
SELECT id, kind, pattern FROM moderation_words WHERE streamer_id = :streamer_id ORDER BY pattern, id;

-- name: count_words$
SELECT count(*)::integer FROM moderation_words WHERE streamer_id = :streamer_id;

-- name: add_word!
INSERT INTO moderation_words (streamer_id, kind, pattern) VALUES (:streamer_id, :kind, :pattern)
ON CONFLICT (streamer_id, kind, pattern) DO NOTHING;

-- name: remove_word$
DELETE FROM moderation_words WHERE streamer_id = :streamer_id AND id = :word_id RETURNING id;

-- name: get_case^
-- All that a paid donation is judged by: its texts as written, and what its streamer chose (nulls: by default).
SELECT donations.donor_name, donations.message, donations.amount_minor, donations.hidden_at IS NOT NULL AS is_hidden,
       settings.mode, settings.acts, settings.capitals_percent, settings.long_over, settings.emoji_over,
       settings.message_from_minor, settings.hold_minutes, settings.outcome,
       ARRAY(SELECT pattern FROM moderation_words words
             WHERE words.streamer_id = donations.streamer_id AND kind = 'word' ORDER BY id) AS words,
       ARRAY(SELECT pattern FROM moderation_words words
             WHERE words.streamer_id = donations.streamer_id AND kind = 'exception' ORDER BY id) AS exceptions,
       EXISTS (SELECT FROM blocks WHERE blocks.streamer_id = donations.streamer_id) AS has_blocks
FROM donations LEFT JOIN moderation_settings AS settings USING (streamer_id)
WHERE donations.id = :donation_id;

-- name: set_public_texts!
-- What may leave us of a donation.
UPDATE donations SET public_donor_name = :donor_name, public_message = :message WHERE id = :donation_id;

-- name: insert_decision!
INSERT INTO moderation_decisions (streamer_id, donation_id, what, reason, by_kind, by_id, by_name, matches)
VALUES (:streamer_id, :donation_id, :what, :reason, :by_kind, :by_id, :by_name, :matches);

-- name: list_decisions
-- What was decided about a donation, the first first.
SELECT what, reason, by_kind, by_name, matches, decided_at
FROM moderation_decisions WHERE streamer_id = :streamer_id AND donation_id = :donation_id ORDER BY id;

-- name: get_originals^
-- A donation's texts as its donor wrote them, for its streamer alone.
SELECT donor_name, message FROM donations WHERE streamer_id = :streamer_id AND id = :donation_id;

-- name: list_log
-- What people and deadlines decided, the newest first, with what the rules had caught of that donation.
SELECT decision.id, decision.what, decision.reason, decision.by_kind, decision.by_name, decision.decided_at,
       donations.public_id AS donation_public_id, donations.donor_name AS name, donations.message,
       coalesce((SELECT matches FROM moderation_decisions judged
                 WHERE judged.donation_id = decision.donation_id AND judged.matches <> '[]'
                 ORDER BY judged.id LIMIT 1), '[]') AS matches
FROM moderation_decisions decision JOIN donations ON donations.id = decision.donation_id
WHERE decision.streamer_id = :streamer_id AND decision.by_kind <> 'rules'
  AND (:before::bigint IS NULL OR decision.id < :before::bigint)
  AND (:moderator_id::integer IS NULL
       OR decision.by_kind = 'moderator' AND decision.by_id = :moderator_id::integer)
ORDER BY decision.id DESC LIMIT :limit;

-- name: list_log_after
-- The same, the next that are newer, the oldest first.
SELECT decision.id, decision.what, decision.reason, decision.by_kind, decision.by_name, decision.decided_at,
       donations.public_id AS donation_public_id, donations.donor_name AS name, donations.message,
       coalesce((SELECT matches FROM moderation_decisions judged
                 WHERE judged.donation_id = decision.donation_id AND judged.matches <> '[]'
                 ORDER BY judged.id LIMIT 1), '[]') AS matches
FROM moderation_decisions decision JOIN donations ON donations.id = decision.donation_id
WHERE decision.streamer_id = :streamer_id AND decision.by_kind <> 'rules' AND decision.id > :after::bigint
  AND (:moderator_id::integer IS NULL
       OR decision.by_kind = 'moderator' AND decision.by_id = :moderator_id::integer)
ORDER BY decision.id LIMIT :limit;
