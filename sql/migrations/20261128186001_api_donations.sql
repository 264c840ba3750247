-- migrate:up

-- What a program said of a donation that it asked for through the API, beside the donation itself.
CREATE TABLE api_donations (
    donation_id integer PRIMARY KEY,
    streamer_id integer NOT NULL,
    -- Whose signed token came with the request.
    user_id integer REFERENCES users ON DELETE SET NULL,
    payment_method text NOT NULL
        CHECK (payment_method IN ('test', 'yookassa', 'sberbank', 'tinkoff', 'tbank', 'card')),
    -- The program's own name of it. The bank never hears it.
    client_order_id text CHECK (length(client_order_id) BETWEEN 1 AND 128),
    created_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (donation_id, streamer_id) REFERENCES donations (id, streamer_id),
    UNIQUE (client_order_id, streamer_id)
);
CREATE INDEX api_donations_user ON api_donations (user_id, created_at DESC, donation_id DESC) WHERE user_id IS NOT NULL;

-- A donation as REST API v1 tells of it: with whom it is for, who asked for it, and the payment that matters (one that
-- may bring or has brought money before the newest).
CREATE VIEW api_donation_lines AS
SELECT donations.id, donations.public_id, donations.streamer_id, donations.status, donations.amount_minor,
       donations.donor_name AS original_name, donations.message AS original_message,
       donations.public_donor_name AS donor_name, donations.public_message AS message,
       donations.created_at, donations.paid_at, donations.hidden_at IS NOT NULL AS is_hidden,
       streamers.owner_id AS recipient_id,
       coalesce(recipients.username, 'user' || streamers.owner_id) AS recipient_username,
       asked.user_id AS donor_id, coalesce(donors.username, 'user' || asked.user_id) AS donor_username,
       asked.client_order_id,
       coalesce(asked.payment_method,
                CASE WHEN terminals.is_test THEN 'test' WHEN terminals.provider IN ('tbank', 'yookassa')
                     THEN terminals.provider ELSE 'card' END) AS payment_method,
       payment.id AS attempt_id, payment.order_id AS payment_id, payment.status AS payment_status,
       payment.provider_status, payment.payment_url, terminals.provider,
       EXISTS (SELECT FROM alerts WHERE alerts.donation_id = donations.id AND alerts.kind = 'donation'
                                    AND alerts.shown_at IS NOT NULL) AS is_alert_shown
FROM donations
JOIN streamers ON streamers.id = donations.streamer_id
LEFT JOIN api_donations AS asked ON asked.donation_id = donations.id
LEFT JOIN user_profiles AS recipients ON recipients.user_id = streamers.owner_id
LEFT JOIN user_profiles AS donors ON donors.user_id = asked.user_id
CROSS JOIN LATERAL (
    SELECT * FROM payments WHERE payments.donation_id = donations.id
    ORDER BY coalesce(booked_as = 'donation', false) DESC, payments.status = 'authorized' DESC, attempt DESC LIMIT 1
) AS payment
JOIN terminals ON terminals.id = payment.terminal_id;

-- Whether a donation is among those that a list of REST API v1 asks for; null is no condition.
CREATE FUNCTION api_donation_fits(
    status text, amount_minor bigint, donor_name text, statuses text[], least_minor bigint, most_minor bigint,
    is_anonymous boolean
) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN (statuses IS NULL OR status = ANY (statuses))
    AND (least_minor IS NULL OR amount_minor >= least_minor)
    AND (most_minor IS NULL OR amount_minor <= most_minor)
    AND (is_anonymous IS NULL OR (donor_name IS NULL) = is_anonymous);

-- migrate:down
