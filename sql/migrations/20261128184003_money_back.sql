-- migrate:up

-- Money that went back, by the time it did.
CREATE INDEX ledger_transactions_back ON ledger_transactions (streamer_id, created_at)
    WHERE kind IN ('refund', 'chargeback', 'chargeback_reversal');

-- migrate:down
