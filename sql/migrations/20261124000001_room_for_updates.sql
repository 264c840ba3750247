-- migrate:up

-- Their rows are updated several times soon after they are written. With room left in its page a row stays there, and
-- no index has to hear of it.
ALTER TABLE alerts SET (fillfactor = 60);
ALTER TABLE alert_leases SET (fillfactor = 70);
ALTER TABLE payments SET (fillfactor = 70);
ALTER TABLE donations SET (fillfactor = 80);
ALTER TABLE inbox SET (fillfactor = 80);

-- migrate:down
