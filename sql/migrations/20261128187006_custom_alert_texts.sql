-- migrate:up

-- For forgetting their texts.
CREATE INDEX alerts_custom_texts ON alerts (created_at) WHERE kind = 'custom' AND (donor_name IS NOT NULL OR message <> '');

-- migrate:down
