-- migrate:up

-- Whether a terminal is for trying out: payments through it bring no money. Null: not looked at yet; the site does so
-- when it starts, since only the provider's own rules, and often the secret, tell it.
ALTER TABLE terminals ADD COLUMN is_test boolean;

-- What came through such terminals. is_counted: it is what the donation brought, or what is under review of it, and not
-- what was paid beyond it.
CREATE VIEW test_payments AS
SELECT payments.id AS payment_id, payments.streamer_id, payments.donation_id,
       payments.booked_as = CASE donations.status WHEN 'review' THEN 'review' ELSE 'donation' END AS is_counted
FROM terminals
JOIN payments ON payments.terminal_id = terminals.id
JOIN donations ON donations.id = payments.donation_id
WHERE terminals.is_test AND payments.booked_as IS NOT NULL;

-- migrate:down
