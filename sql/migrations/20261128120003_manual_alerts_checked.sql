-- migrate:up

ALTER TABLE alerts VALIDATE CONSTRAINT alerts_summed_up;

-- migrate:down
