-- migrate:up

-- What somebody registers with through API v1 lies with the code that was mailed for it: a code confirms nothing that
-- another said of the same address.
ALTER TABLE confirmations
    -- Username, full name and the like of who registered; null: the code was asked for without the password.
    ADD COLUMN profile jsonb,
    DROP CONSTRAINT confirmations_check,
    ADD CONSTRAINT confirmations_password_check
        CHECK (password_hash IS NULL AND purpose <> 'register'
               OR password_hash IS NOT NULL AND purpose IN ('register', 'verify')),
    ADD CONSTRAINT confirmations_profile_check
        CHECK ((profile IS NOT NULL) = (purpose = 'verify' AND password_hash IS NOT NULL));

-- migrate:down
