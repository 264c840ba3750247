-- migrate:up

-- Whether a streamer who was away is asked about this alert. Tests are nobody's loss.
CREATE FUNCTION is_askable(alert alerts) RETURNS boolean LANGUAGE sql STABLE
RETURN alert.status = 'queued' AND alert.summary_id IS NULL AND alert.kind <> 'test' AND is_paid(alert);

-- The questions about missed alerts that hold a queue back. One whose alerts are all gone (refunded, skipped) is over
-- without an answer: nobody would be shown it.
CREATE VIEW questions AS
SELECT speaker.streamer_id, speaker.asking_since, speaker.postponed
FROM speakers speaker
WHERE speaker.asking_since IS NOT NULL
  AND EXISTS (SELECT FROM alerts alert
              WHERE alert.streamer_id = speaker.streamer_id AND alert.playable_at <= speaker.asking_since
                AND is_askable(alert));

-- migrate:down
