-- +goose Up

-- A home's chain of deeds ends at (seq, hash); epoch is the one that holds there.
-- objects and bytes count what the home has stored.
CREATE TABLE homes (
    home    BLOB    NOT NULL PRIMARY KEY,
    seq     INTEGER NOT NULL,
    hash    BLOB    NOT NULL,
    epoch   INTEGER NOT NULL,
    objects INTEGER NOT NULL DEFAULT 0,
    bytes   INTEGER NOT NULL DEFAULT 0,
    founded INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deeds (
    home BLOB    NOT NULL,
    seq  INTEGER NOT NULL,
    deed BLOB    NOT NULL,
    PRIMARY KEY (home, seq)
) STRICT;

-- The only table that does not begin with a home: there is none yet.
CREATE TABLE setups (
    secret  BLOB    NOT NULL PRIMARY KEY,
    expires INTEGER NOT NULL,
    home    BLOB              -- that was founded with it
) STRICT, WITHOUT ROWID;

-- time is that of the first object of the event that arrived; it orders the list.
CREATE TABLE events (
    home  BLOB    NOT NULL,
    event BLOB    NOT NULL,
    time  INTEGER NOT NULL,
    PRIMARY KEY (home, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_by_time ON events (home, time, event);

CREATE TABLE objects (
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
CREATE INDEX objects_by_event ON objects (home, event);

CREATE TABLE envelopes (
    home      BLOB    NOT NULL,
    camera    BLOB    NOT NULL,
    object    BLOB    NOT NULL,
    recipient INTEGER NOT NULL,
    key       BLOB    NOT NULL,
    epoch     INTEGER NOT NULL,
    envelope  BLOB    NOT NULL,
    PRIMARY KEY (home, camera, object, recipient, key)
) STRICT;

CREATE TABLE sessions (
    home    BLOB    NOT NULL,
    secret  BLOB    NOT NULL,
    device  BLOB    NOT NULL,
    person  BLOB    NOT NULL,
    started INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (home, secret)
) STRICT, WITHOUT ROWID;

CREATE TABLE joins (
    home         BLOB    NOT NULL,
    slot         BLOB    NOT NULL,
    announcement BLOB    NOT NULL,
    expires      INTEGER NOT NULL,
    answer       BLOB    NOT NULL,
    PRIMARY KEY (home, slot),
    UNIQUE (slot)
) STRICT;

CREATE TABLE asks (
    home   BLOB NOT NULL,
    camera BLOB NOT NULL,
    agent  BLOB NOT NULL,
    ask    BLOB NOT NULL,
    PRIMARY KEY (home, camera)
) STRICT;

CREATE TABLE settings (
    home     BLOB NOT NULL PRIMARY KEY,
    hash     BLOB NOT NULL,
    document BLOB NOT NULL
) STRICT;

CREATE TABLE agents (
    home        BLOB    NOT NULL,
    agent       BLOB    NOT NULL,
    incarnation INTEGER NOT NULL,
    token       BLOB    NOT NULL,
    seen        INTEGER NOT NULL,
    PRIMARY KEY (home, agent)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipts (
    home    BLOB    NOT NULL,
    id      BLOB    NOT NULL, -- time and chance
    session BLOB    NOT NULL,
    request TEXT    NOT NULL,
    device  BLOB    NOT NULL,
    asked   TEXT    NOT NULL,
    sent    TEXT    NOT NULL,
    header  BLOB    NOT NULL,
    bytes   INTEGER NOT NULL,
    outcome TEXT    NOT NULL,
    time    INTEGER NOT NULL,
    PRIMARY KEY (home, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX receipts_by_request ON receipts (home, session, request);

-- +goose Down
DROP TABLE receipts;
DROP TABLE agents;
DROP TABLE settings;
DROP TABLE asks;
DROP TABLE joins;
DROP TABLE sessions;
DROP TABLE envelopes;
DROP TABLE objects;
DROP TABLE events;
DROP TABLE setups;
DROP TABLE deeds;
DROP TABLE homes;
