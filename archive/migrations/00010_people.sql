-- +goose Up

-- An agent whose keys were replaced counts its objects anew: a number is one of a key.
-- The key stands in the binding, behind the header's first length (docs/seal.md).
CREATE TABLE objects_by_key (
    home        BLOB    NOT NULL,
    camera      BLOB    NOT NULL,
    object      BLOB    NOT NULL,
    day         TEXT    NOT NULL,
    kind        INTEGER NOT NULL,
    event       BLOB    NOT NULL,
    agent_key   BLOB    NOT NULL,
    incarnation INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    header      BLOB    NOT NULL,
    bytes       INTEGER NOT NULL,
    stored      INTEGER NOT NULL,
    PRIMARY KEY (home, camera, object),
    UNIQUE (home, camera, agent_key, incarnation, sequence)
) STRICT;
INSERT INTO objects_by_key
    SELECT home, camera, object, day, kind, event, substr(header, 87, 32), incarnation, sequence, header, bytes, stored
    FROM objects ORDER BY rowid;
DROP TABLE objects;
ALTER TABLE objects_by_key RENAME TO objects;
CREATE INDEX objects_by_event ON objects (home, event);

-- A slot in which a person is met, and not an agent; and what its owner reveals there
-- once somebody has answered.
ALTER TABLE joins ADD COLUMN person INTEGER NOT NULL DEFAULT 0;
ALTER TABLE joins ADD COLUMN reveal BLOB NOT NULL DEFAULT x'';

-- When a copy of the agent was last refused, 0 for never.
ALTER TABLE agents ADD COLUMN cloned INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE agents DROP COLUMN cloned;
ALTER TABLE joins DROP COLUMN reveal;
ALTER TABLE joins DROP COLUMN person;
CREATE TABLE objects_by_number (
    home        BLOB    NOT NULL,
    camera      BLOB    NOT NULL,
    object      BLOB    NOT NULL,
    day         TEXT    NOT NULL,
    kind        INTEGER NOT NULL,
    event       BLOB    NOT NULL,
    incarnation INTEGER NOT NULL,
    sequence    INTEGER NOT NULL,
    header      BLOB    NOT NULL,
    bytes       INTEGER NOT NULL,
    stored      INTEGER NOT NULL,
    PRIMARY KEY (home, camera, object),
    UNIQUE (home, camera, incarnation, sequence)
) STRICT;
INSERT OR IGNORE INTO objects_by_number
    SELECT home, camera, object, day, kind, event, incarnation, sequence, header, bytes, stored
    FROM objects ORDER BY rowid;
DROP TABLE objects;
ALTER TABLE objects_by_number RENAME TO objects;
CREATE INDEX objects_by_event ON objects (home, event);
