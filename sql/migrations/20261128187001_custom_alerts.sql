-- migrate:up

-- Alerts of a streamer's own programs, shown like the others and counted nowhere. Such an alert may have no amount (0), a
-- picture and a sound among her files, and the program's own name for it: the same name again is the same alert.
-- The looks at every row wait for the next file, which keeps nobody out.
ALTER TABLE alerts
    ADD COLUMN external_id text CONSTRAINT alerts_external_id_length CHECK (length(external_id) BETWEEN 1 AND 100),
    ADD COLUMN image_url text,
    ADD COLUMN sound_url text,
    DROP CONSTRAINT alerts_kind_check,
    ADD CONSTRAINT alerts_kind_check
        CHECK (kind IN ('donation', 'replay', 'test', 'summary', 'goal', 'manual', 'custom')) NOT VALID,
    DROP CONSTRAINT alerts_amount_minor_check,
    ADD CONSTRAINT alerts_amount_minor_check CHECK (amount_minor > 0 OR (kind = 'custom' AND amount_minor = 0)) NOT VALID,
    ADD CONSTRAINT alerts_custom
        CHECK (kind = 'custom' OR (external_id IS NULL AND image_url IS NULL AND sound_url IS NULL)) NOT VALID;

-- Whether a streamer who was away is asked about this alert: only what brought money is.
CREATE OR REPLACE FUNCTION is_askable(alert alerts) RETURNS boolean LANGUAGE sql STABLE
RETURN alert.status = 'queued' AND alert.summary_id IS NULL AND alert.kind NOT IN ('test', 'goal', 'custom')
   AND is_paid(alert);

-- migrate:down
