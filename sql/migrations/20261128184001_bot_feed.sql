-- migrate:up

-- When something of a released donation changed that neither its payment nor a moderator's decision tells: it was hidden
-- or shown again, its texts were removed, its alert came late. Bots hear of the donation again (docs/decisions/0043).
ALTER TABLE donations ADD COLUMN retold_at timestamptz;
CREATE INDEX donations_retold ON donations (streamer_id, retold_at) WHERE retold_at IS NOT NULL;

-- What bots missed is read by the time it happened. Nothing is written for it but this: money that goes back, decisions
-- and ended alerts are found by their own times.
CREATE INDEX ledger_transactions_back ON ledger_transactions (streamer_id, created_at)
    WHERE kind IN ('refund', 'chargeback', 'chargeback_reversal');
CREATE INDEX holds_settled ON holds (streamer_id, settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX alerts_finished ON alerts (streamer_id, finished_at) WHERE finished_at IS NOT NULL;

-- A widget of version 1 stands in for an overlay, where no overlay speaks.
ALTER TABLE overlays ADD COLUMN is_widget boolean NOT NULL DEFAULT false;

-- migrate:down
