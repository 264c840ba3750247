-- migrate:up

-- Whether an alert may be played at all: a refunded donation's may not, nor a replay of what its donor's bank took back,
-- even in part, nor that of money by hand which was deleted.
CREATE OR REPLACE FUNCTION is_paid(alert alerts) RETURNS boolean LANGUAGE sql STABLE
RETURN (alert.donation_id IS NULL
        OR (SELECT status IN ('paid', 'partially_refunded') AND (alert.kind <> 'replay' OR charged_back_minor = 0)
            FROM donations WHERE id = alert.donation_id))
   AND (alert.manual_donation_id IS NULL
        OR (SELECT deleted_at IS NULL FROM manual_donations WHERE id = alert.manual_donation_id));

-- A summary stands for money written down by hand as it does for donations. What is there already obeys the stricter
-- rule before this one, so that the look at every row may wait: the next file does it without keeping anybody out.
ALTER TABLE alerts
    DROP CONSTRAINT alerts_check1,
    ADD CONSTRAINT alerts_summed_up CHECK (summary_id IS NULL OR kind IN ('donation', 'manual')) NOT VALID;

-- migrate:down
