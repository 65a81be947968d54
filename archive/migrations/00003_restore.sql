-- +goose Up

-- A home is closed from a restore until somebody who knows has confirmed its head.
ALTER TABLE homes ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;

-- An agent whose tokens since the backup were lost is taken once with any token.
ALTER TABLE agents ADD COLUMN restored INTEGER NOT NULL DEFAULT 0;

-- One row for each restore of this archive from a backup. It is about the server and no
-- home.
CREATE TABLE restores (
    time INTEGER NOT NULL PRIMARY KEY
) STRICT;

-- +goose Down
DROP TABLE restores;
ALTER TABLE agents DROP COLUMN restored;
ALTER TABLE homes DROP COLUMN closed;
