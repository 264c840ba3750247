-- migrate:up

-- When something of a released donation changed that neither its payment nor a moderator's decision tells: it was hidden
-- or shown again, its texts were removed, its alert came late. Bots hear of the donation again (docs/decisions/0043).
ALTER TABLE donations ADD COLUMN retold_at timestamptz;

-- A widget of version 1 stands in for an overlay, where no overlay speaks.
ALTER TABLE overlays ADD COLUMN is_widget boolean NOT NULL DEFAULT false;

-- migrate:down
