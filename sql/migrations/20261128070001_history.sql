-- migrate:up

-- A donation its streamer keeps out of public lists, of the best donors and of what is told about donors. Its money
-- counts as before.

-- What few donations are in is found here, however many donations there are.
CREATE INDEX donations_returned ON donations (streamer_id, paid_at DESC, id DESC)
    INCLUDE (amount_minor, refunded_minor, charged_back_minor, status)
    WHERE status IN ('partially_refunded', 'refunded', 'charged_back');
CREATE INDEX donations_hidden ON donations (streamer_id) WHERE hidden_at IS NOT NULL;
CREATE INDEX alerts_unshown ON alerts (streamer_id, donation_id) WHERE status IN ('held', 'queued', 'playing');

-- Money received elsewhere may be shown as well: an alert of its own kind, which is nobody's donation here.
ALTER TABLE alerts DROP CONSTRAINT alerts_kind_check;
ALTER TABLE alerts ADD CONSTRAINT alerts_kind_check
    CHECK (kind IN ('donation', 'replay', 'test', 'summary', 'goal', 'manual'));
ALTER TABLE alerts
    ADD COLUMN manual_donation_id integer REFERENCES manual_donations,
    ADD CONSTRAINT alerts_manual_donation CHECK ((manual_donation_id IS NOT NULL) = (kind = 'manual'));
CREATE INDEX alerts_manual ON alerts (manual_donation_id) WHERE manual_donation_id IS NOT NULL;

-- Text as a search compares it.
CREATE FUNCTION fold_text(written text) RETURNS text LANGUAGE sql IMMUTABLE RETURN replace(lower(written), 'ё', 'е');

-- A streamer's donations that brought money, those under review, and those written down by hand, between two places of
-- the list (both left out), the next `looked` of them from one end. `among` names those to look at: 'all', 'paid',
-- 'returned', 'hidden', 'unshown', 'review', 'manual'. A place is a time and a key: a donation's id, or less than zero
-- for one written by hand.
CREATE FUNCTION donation_history(
    of_streamer integer, among text, after_at timestamptz, after_key integer, before_at timestamptz, before_key integer,
    oldest_first boolean, looked integer
) RETURNS TABLE (
    key integer, at timestamptz, is_manual boolean, public_id text, status text, amount_minor bigint,
    refunded_minor bigint, charged_back_minor bigint, donor_name text, message text, written_name text,
    written_message text, source text, hidden_at timestamptz
) LANGUAGE sql STABLE AS $$
    SELECT * FROM (
        (SELECT id, paid_at, false, public_id, status, amount_minor, refunded_minor, charged_back_minor,
                public_donor_name, public_message, donor_name, message, '', hidden_at
         FROM donations
         WHERE among IN ('all', 'paid') AND NOT oldest_first AND streamer_id = of_streamer AND paid_at IS NOT NULL
           AND (paid_at, id) > (after_at, after_key) AND (paid_at, id) < (before_at, before_key)
         ORDER BY paid_at DESC, id DESC LIMIT looked)
        UNION ALL
        (SELECT id, paid_at, false, public_id, status, amount_minor, refunded_minor, charged_back_minor,
                public_donor_name, public_message, donor_name, message, '', hidden_at
         FROM donations
         WHERE among IN ('all', 'paid') AND oldest_first AND streamer_id = of_streamer AND paid_at IS NOT NULL
           AND (paid_at, id) > (after_at, after_key) AND (paid_at, id) < (before_at, before_key)
         ORDER BY paid_at, id LIMIT looked)
        UNION ALL
        (SELECT id, paid_at, false, public_id, status, amount_minor, refunded_minor, charged_back_minor,
                public_donor_name, public_message, donor_name, message, '', hidden_at
         FROM donations
         WHERE among = 'returned' AND NOT oldest_first AND streamer_id = of_streamer
           AND status IN ('partially_refunded', 'refunded', 'charged_back')
           AND (paid_at, id) > (after_at, after_key) AND (paid_at, id) < (before_at, before_key)
         ORDER BY paid_at DESC, id DESC LIMIT looked)
        UNION ALL
        (SELECT id, paid_at, false, public_id, status, amount_minor, refunded_minor, charged_back_minor,
                public_donor_name, public_message, donor_name, message, '', hidden_at
         FROM donations
         WHERE among = 'returned' AND oldest_first AND streamer_id = of_streamer
           AND status IN ('partially_refunded', 'refunded', 'charged_back')
           AND (paid_at, id) > (after_at, after_key) AND (paid_at, id) < (before_at, before_key)
         ORDER BY paid_at, id LIMIT looked)
        UNION ALL
        SELECT id, paid_at, false, public_id, status, amount_minor, refunded_minor, charged_back_minor,
               public_donor_name, public_message, donor_name, message, '', hidden_at
        FROM donations
        WHERE among = 'hidden' AND streamer_id = of_streamer AND hidden_at IS NOT NULL AND paid_at IS NOT NULL
          AND (paid_at, id) > (after_at, after_key) AND (paid_at, id) < (before_at, before_key)
        UNION ALL
        SELECT donations.id, paid_at, false, public_id, donations.status, donations.amount_minor, refunded_minor,
               charged_back_minor, public_donor_name, public_message, donations.donor_name, donations.message, '',
               hidden_at
        FROM alerts JOIN donations ON donations.id = alerts.donation_id
        WHERE among = 'unshown' AND alerts.streamer_id = of_streamer
          AND alerts.status IN ('held', 'queued', 'playing') AND alerts.kind = 'donation' AND paid_at IS NOT NULL
          AND (paid_at, donations.id) > (after_at, after_key) AND (paid_at, donations.id) < (before_at, before_key)
        UNION ALL
        SELECT id, came.at, false, public_id, status, amount_minor, refunded_minor, charged_back_minor,
               public_donor_name, public_message, donor_name, message, '', hidden_at
        FROM donations
        CROSS JOIN LATERAL (SELECT min(confirmed_at) AS at FROM payments WHERE donation_id = donations.id) AS came
        WHERE among IN ('all', 'hidden', 'review') AND streamer_id = of_streamer AND status = 'review'
          AND (among <> 'hidden' OR hidden_at IS NOT NULL)
          AND (came.at, id) > (after_at, after_key) AND (came.at, id) < (before_at, before_key)
        UNION ALL
        SELECT -id, received_at, true, public_id, 'manual', amount_minor, 0, 0, donor_name, message, donor_name,
               message, source, NULL
        FROM manual_donations
        WHERE among IN ('all', 'manual', 'unshown') AND streamer_id = of_streamer AND deleted_at IS NULL
          AND (among <> 'unshown' OR id IN (SELECT manual_donation_id FROM alerts
                                            WHERE streamer_id = of_streamer AND status IN ('queued', 'playing')))
          AND (received_at, -id) > (after_at, after_key) AND (received_at, -id) < (before_at, before_key)
    ) AS found (key, at, is_manual, public_id, status, amount_minor, refunded_minor, charged_back_minor, donor_name,
                message, written_name, written_message, source, hidden_at)
    ORDER BY CASE WHEN oldest_first THEN at END, CASE WHEN oldest_first THEN key END, at DESC, key DESC
    LIMIT looked
$$;

-- migrate:down
