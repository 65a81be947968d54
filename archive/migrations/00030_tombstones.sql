-- +goose Up

-- What people of a home have had deleted, for ever. Numbers count from 1; digest is
-- SHA-256(digest of the one before || hash). done says that nothing of the index is left
-- that it covers.
CREATE TABLE tombstones (
    home      BLOB    NOT NULL,
    number    INTEGER NOT NULL,
    hash      BLOB    NOT NULL,
    digest    BLOB    NOT NULL,
    tombstone BLOB    NOT NULL,
    done      INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (home, number),
    UNIQUE (home, hash)
) STRICT;
CREATE INDEX tombstones_undone ON tombstones (home, number) WHERE done = 0;

-- What they cover, to be found by an object.
CREATE TABLE deleted_events (
    home  BLOB NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (home, event)
) STRICT, WITHOUT ROWID;

CREATE TABLE deleted_spans (
    home   BLOB    NOT NULL,
    camera BLOB    NOT NULL,
    begins INTEGER NOT NULL,
    ends   INTEGER NOT NULL,
    PRIMARY KEY (home, camera, begins, ends)
) STRICT, WITHOUT ROWID;

-- Objects that are in the index no more and whose bytes may still be there.
CREATE TABLE leaving (
    home   BLOB    NOT NULL,
    camera BLOB    NOT NULL,
    object BLOB    NOT NULL,
    day    TEXT    NOT NULL,
    kind   INTEGER NOT NULL,
    PRIMARY KEY (home, camera, object)
) STRICT, WITHOUT ROWID;

-- deleted is the number of the deed up to which everything is deleted, -1 for none;
-- tombstones, and their bytes, and removed count what was ever kept, and taken out of the
-- index. objects goes on counting what was ever put in.
ALTER TABLE homes ADD COLUMN deleted INTEGER NOT NULL DEFAULT -1;
ALTER TABLE homes ADD COLUMN tombstones INTEGER NOT NULL DEFAULT 0;
ALTER TABLE homes ADD COLUMN tombstone_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE homes ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;

CREATE INDEX objects_by_stored ON objects (home, stored);

-- +goose Down
DROP INDEX objects_by_stored;
ALTER TABLE homes DROP COLUMN removed;
ALTER TABLE homes DROP COLUMN tombstone_bytes;
ALTER TABLE homes DROP COLUMN tombstones;
ALTER TABLE homes DROP COLUMN deleted;
DROP TABLE leaving;
DROP TABLE deleted_spans;
DROP TABLE deleted_events;
DROP TABLE tombstones;
