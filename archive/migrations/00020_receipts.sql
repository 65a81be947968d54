-- +goose Up

-- A receipt is written for every delivery, before its first byte leaves: rows are added at
-- the end, whosever they are, and none begins with the home. The index that finds them by
-- the request grows at its end too: it is in lots of 4,096 receipts, so that those that
-- are written together lie on few pages. Without the lots each would be a page of its own
-- to write, wherever chance has put it. A search looks into every lot.
CREATE TABLE deliveries (
    number  INTEGER NOT NULL PRIMARY KEY,
    home    BLOB    NOT NULL,
    session BLOB    NOT NULL,
    request TEXT    NOT NULL,
    device  BLOB    NOT NULL,
    asked   TEXT    NOT NULL,
    sent    TEXT,              -- null: what was asked for
    header  BLOB    NOT NULL,
    bytes   INTEGER NOT NULL,
    outcome TEXT    NOT NULL,
    time    INTEGER NOT NULL
) STRICT;
INSERT INTO deliveries (home, session, request, device, asked, sent, header, bytes, outcome, time)
    SELECT home, session, request, device, asked, nullif(sent, asked), header, bytes, outcome, time
    FROM receipts ORDER BY time;
DROP TABLE receipts;
ALTER TABLE deliveries RENAME TO receipts;
CREATE INDEX receipts_by_request ON receipts (number >> 12, request);

-- +goose Down
CREATE TABLE deliveries (
    home    BLOB    NOT NULL,
    id      BLOB    NOT NULL,
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
INSERT INTO deliveries
    SELECT home, unhex(printf('%016x', time)) || randomblob(8), session, request, device, asked, coalesce(sent, asked), header, bytes, outcome, time
    FROM receipts;
DROP TABLE receipts;
ALTER TABLE deliveries RENAME TO receipts;
CREATE INDEX receipts_by_request ON receipts (home, session, request);
