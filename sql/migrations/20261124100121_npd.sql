-- migrate:up

-- Cheques of "Мой налог" (НПД) that the streamer says she has issued, and annulled: one for each donation at a time.
CREATE TABLE npd_cheques (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    streamer_id integer NOT NULL,
    donation_id integer NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    issued_at timestamptz NOT NULL DEFAULT now(),
    issued_by integer REFERENCES users,
    annulled_at timestamptz,
    annulled_by integer REFERENCES users,
    FOREIGN KEY (donation_id, streamer_id) REFERENCES donations (id, streamer_id)
);
CREATE UNIQUE INDEX npd_cheques_valid ON npd_cheques (donation_id) WHERE annulled_at IS NULL;
CREATE INDEX npd_cheques_streamer ON npd_cheques (streamer_id, issued_at);

-- migrate:down
