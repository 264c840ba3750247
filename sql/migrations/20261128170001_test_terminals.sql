-- migrate:up

-- Whether a terminal is for trying out: payments through it bring no money. Null: not looked at yet; the site does so
-- when it starts, since only the provider's own rules, and often the secret, tell it.
ALTER TABLE terminals ADD COLUMN is_test boolean;

-- Payments that came through such terminals, as they are booked.
CREATE VIEW test_payments AS
SELECT payments.id AS payment_id, payments.streamer_id, payments.donation_id, payments.booked_as
FROM terminals JOIN payments ON payments.terminal_id = terminals.id
WHERE terminals.is_test AND payments.booked_as IS NOT NULL;

-- Whether what a donation brought, or what is under review of it, is no money.
CREATE FUNCTION is_test_donation(of_donation integer, status text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM test_payments
                   WHERE donation_id = of_donation AND booked_as = CASE status WHEN 'review' THEN 'review' ELSE 'donation' END)
$$;

-- migrate:down
