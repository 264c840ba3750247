-- migrate:up

-- What is found by how old it is (domain/retention.py). Each index holds only what may still be forgotten.
CREATE INDEX donations_unpaid_texts ON donations (created_at)
    WHERE status IN ('pending', 'failed')
      AND (donor_name IS NOT NULL OR message <> '' OR public_donor_name IS NOT NULL OR public_message <> ''
           OR donor_email IS NOT NULL);
CREATE INDEX donations_receipt_emails ON donations (paid_at) WHERE donor_email IS NOT NULL;
CREATE INDEX inbox_bodies ON inbox (received_at) WHERE body <> '';
CREATE INDEX payment_news_raw ON payment_news (created_at) WHERE raw IS NOT NULL;
CREATE INDEX alert_actions_created_at ON alert_actions (created_at);
CREATE INDEX moderation_decisions_words ON moderation_decisions (decided_at) WHERE matches <> '[]' OR by_name <> '';
CREATE INDEX manual_donations_deleted ON manual_donations (deleted_at) WHERE deleted_at IS NOT NULL;

-- A payment's log stays as it is; only the bank's own message in it, with masked cards, may be forgotten after a year.
CREATE FUNCTION refuse_other_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.created_at < now() - interval '1 year' AND NEW.raw IS NULL
       AND to_jsonb(NEW) - 'raw' = to_jsonb(OLD) - 'raw' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER append_only ON payment_news;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON payment_news
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER only_raw_is_forgotten BEFORE UPDATE ON payment_news
    FOR EACH ROW EXECUTE FUNCTION refuse_other_news();

-- migrate:down
