-- migrate:up

-- A key of the API presses controls and decides, and is named beside what it did. Nothing that is there can break the
-- wider rules.
ALTER TABLE alert_actions DROP CONSTRAINT alert_actions_actor_kind_check,
    ADD CONSTRAINT alert_actions_actor_kind_check
        CHECK (actor_kind IN ('owner', 'superuser', 'moderator', 'button', 'key')) NOT VALID;
ALTER TABLE holds DROP CONSTRAINT holds_by_kind_check,
    ADD CONSTRAINT holds_by_kind_check CHECK (by_kind IN ('owner', 'superuser', 'moderator', 'deadline', 'key')) NOT VALID;
ALTER TABLE moderation_decisions DROP CONSTRAINT moderation_decisions_by_kind_check,
    ADD CONSTRAINT moderation_decisions_by_kind_check
        CHECK (by_kind IN ('rules', 'owner', 'superuser', 'moderator', 'deadline', 'key')) NOT VALID;

-- migrate:down
