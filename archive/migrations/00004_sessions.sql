-- +goose Up

-- A session has an ID to be listed and ended by, and the keys with which its pages MAC
-- their requests. Sessions without such keys open nothing any more: everybody signs in anew.
DROP TABLE sessions;
CREATE TABLE sessions (
    home    BLOB    NOT NULL,
    session BLOB    NOT NULL,
    secret  BLOB    NOT NULL, -- its SHA-256
    keys    BLOB    NOT NULL, -- 32 bytes for each page, the newest first
    device  BLOB    NOT NULL,
    person  BLOB    NOT NULL,
    browser TEXT    NOT NULL,
    started INTEGER NOT NULL,
    seen    INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (home, session)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sessions_by_secret ON sessions (home, secret);
CREATE INDEX sessions_by_device ON sessions (home, device);

-- +goose Down
DROP TABLE sessions;
CREATE TABLE sessions (
    home    BLOB    NOT NULL,
    secret  BLOB    NOT NULL,
    device  BLOB    NOT NULL,
    person  BLOB    NOT NULL,
    started INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (home, secret)
) STRICT, WITHOUT ROWID;
