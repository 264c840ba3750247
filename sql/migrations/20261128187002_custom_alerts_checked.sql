-- migrate:up

ALTER TABLE alerts VALIDATE CONSTRAINT alerts_kind_check;
ALTER TABLE alerts VALIDATE CONSTRAINT alerts_amount_minor_check;
ALTER TABLE alerts VALIDATE CONSTRAINT alerts_custom;

-- migrate:down
