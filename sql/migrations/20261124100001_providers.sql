-- migrate:up

-- A provider is a folder of code; which there are is not the schema's to know.
ALTER TABLE terminals DROP CONSTRAINT terminals_provider_check;
ALTER TABLE terminals ADD CONSTRAINT terminals_provider_check CHECK (provider ~ '^[a-z][a-z0-9_]{1,19}$');
ALTER TABLE terminals
    -- A streamer may have one of each provider; the one chosen last takes the next payment.
    ADD COLUMN chosen_at timestamptz NOT NULL DEFAULT now(),
    -- When the provider last accepted key and secret.
    ADD COLUMN checked_at timestamptz,
    -- Notifications signed before the secret was replaced still come for a while.
    ADD COLUMN former_secret_encrypted text,
    ADD COLUMN secret_replaced_at timestamptz,
    -- Whether the bank gives SBP codes on this terminal; null: not known yet.
    ADD COLUMN offers_sbp boolean,
    ADD CONSTRAINT terminals_former_secret CHECK ((former_secret_encrypted IS NULL) = (secret_replaced_at IS NULL));

-- How a provider answers: after failures in a row it is left alone for a while, ever longer, and then asked once.
CREATE TABLE provider_health (
    provider text PRIMARY KEY,
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failing_since timestamptz,
    rest_until timestamptz,
    last_error text NOT NULL DEFAULT '',
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- What a receipt says, if one is sent at all: none, the streamer's own cheques of "Мой налог" (npd), or 54-ФЗ.
ALTER TABLE streamers
    ADD COLUMN receipts text NOT NULL DEFAULT 'none' CHECK (receipts IN ('none', 'npd', 'fiscal')),
    ADD COLUMN receipts_since timestamptz,
    ADD COLUMN taxation text NOT NULL DEFAULT 'usn_income'
        CHECK (taxation IN ('osn', 'usn_income', 'usn_income_outcome', 'esn', 'patent')),
    ADD COLUMN vat text NOT NULL DEFAULT 'none'
        CHECK (vat IN ('none', 'vat0', 'vat5', 'vat7', 'vat10', 'vat22', 'vat105', 'vat107', 'vat110', 'vat122')),
    ADD COLUMN receipt_item text NOT NULL DEFAULT 'Добровольная поддержка' CHECK (length(receipt_item) BETWEEN 1 AND 128);

-- Asked for only where a receipt needs it.
ALTER TABLE donations ADD COLUMN donor_email text CHECK (length(donor_email) BETWEEN 3 AND 64);

-- YooKassa names its payment, not our order; and what nobody here knows waits for a person.
ALTER TABLE inbox
    ADD COLUMN provider_payment_id text,
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN settled_by integer REFERENCES users,
    ADD COLUMN settled_note text NOT NULL DEFAULT '' CHECK (length(settled_note) <= 500);
CREATE INDEX inbox_unknown ON inbox (terminal_id, id)
    WHERE outcome IN ('unknown_order', 'malformed') AND settled_at IS NULL;
CREATE INDEX inbox_payment ON inbox (payment_id) WHERE payment_id IS NOT NULL;

-- An unsigned notification names neither its terminal nor anything but a payment.
CREATE INDEX payments_provider_payment ON payments (provider_payment_id) WHERE provider_payment_id IS NOT NULL;
CREATE INDEX payments_order ON payments (order_id);

-- migrate:down
