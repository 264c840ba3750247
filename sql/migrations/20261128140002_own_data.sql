-- migrate:up

-- A donor asked that the name and the message go; what was paid stays.
ALTER TABLE donations ADD COLUMN erased_at timestamptz;
ALTER TABLE moderation_decisions DROP CONSTRAINT moderation_decisions_what_check;
ALTER TABLE moderation_decisions ADD CONSTRAINT moderation_decisions_what_check CHECK
    (what IN ('mask', 'hold', 'reject', 'show', 'show_without_text', 'hide', 'undo', 'exception', 'block', 'erase'));

-- The same worker packs what the site knows of one account, for its owner: an export of no streamer's donations.
ALTER TABLE exports ALTER COLUMN streamer_id DROP NOT NULL;
ALTER TABLE exports DROP CONSTRAINT exports_format_check;
ALTER TABLE exports
    ADD CONSTRAINT exports_format_check CHECK (format IN ('csv', 'xlsx', 'zip')),
    ADD CONSTRAINT exports_whose CHECK ((streamer_id IS NULL) = (format = 'zip'));
CREATE UNIQUE INDEX exports_one_open_archive ON exports (user_id) WHERE format = 'zip' AND state IN ('queued', 'running');

-- migrate:down
