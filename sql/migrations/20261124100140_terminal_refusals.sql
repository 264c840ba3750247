-- migrate:up

-- Whether a provider refuses to open payments on a terminal, and has opened one since.
CREATE INDEX payments_refused ON payments (terminal_id, closed_at DESC) WHERE status = 'failed' AND opened_at IS NULL;
CREATE INDEX payments_terminal ON payments (terminal_id, id DESC);

-- migrate:down
