-- migrate:up

-- Several may wait for the same file, in several processes. So one that was refused stays for all of them, and is out of
-- sight once somebody was told why.
ALTER TABLE media_files ADD COLUMN told_at timestamptz;

-- migrate:down
