-- migrate:up

ALTER TABLE refunds
    -- The form that wished it: a doubled submit is one refund, however soon the first was over.
    ADD COLUMN form_key text CHECK (length(form_key) BETWEEN 16 AND 64),
    -- When the provider was last called to give it back: what is in doubt since then gets time to show itself.
    ADD COLUMN called_at timestamptz,
    -- A person has read why it was refused.
    ADD COLUMN dismissed_at timestamptz,
    ADD COLUMN dismissed_by integer REFERENCES users,
    -- What had gone back before is known exactly while the provider may have done something.
    ADD CONSTRAINT refunds_before CHECK (
        CASE status WHEN 'wished' THEN before_minor IS NULL WHEN 'pending' THEN before_minor IS NOT NULL ELSE true END),
    ADD CONSTRAINT refunds_dismissed CHECK (dismissed_at IS NULL OR status = 'refused');
CREATE UNIQUE INDEX refunds_form ON refunds (payment_id, form_key) WHERE form_key IS NOT NULL;

-- What waits for a person: money that pays nothing, and refunds that were refused.
CREATE INDEX payments_astray ON payments (streamer_id, confirmed_at)
    WHERE booked_as IN ('surplus', 'review') AND status <> 'refunded';
CREATE INDEX refunds_refused ON refunds (streamer_id, finished_at) WHERE status = 'refused' AND dismissed_at IS NULL;

-- migrate:down
