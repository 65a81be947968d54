-- +goose Up

-- The receipts that are written at once are one row, whosever they are: a row costs as much
-- for one as for a hundred. What is in list is written down in archive/sheet.go.
CREATE TABLE sheets (
    number INTEGER NOT NULL PRIMARY KEY, -- of its last receipt: they are counted through
    time   INTEGER NOT NULL,             -- the latest of its receipts
    marks  BLOB    NOT NULL,             -- 8 bytes for each: 4 of its session, 4 of its request
    list   BLOB    NOT NULL
) STRICT;

-- Where those of a lot of 16,384 are is written down when the lot is full, at once. An
-- index that grew with every sheet would cost more than the sheets. A search reads one of
-- 64 parts of every lot, which lie together, and the marks of the sheets that follow.
CREATE TABLE lots (
    part    INTEGER NOT NULL,
    lot     INTEGER NOT NULL, -- number >> 14
    entries BLOB    NOT NULL, -- of each receipt its mark, and 2 bytes: number & 16383
    PRIMARY KEY (part, lot)
) STRICT, WITHOUT ROWID;

INSERT INTO sheets (number, time, marks, list)
    SELECT row_number() OVER (ORDER BY number), time,
        unhex(hex(substr(session, 1, 4)) || hex(substr('----' || request, -4))),
        unhex('01' || CASE WHEN sent IS NULL THEN '02' ELSE '00' END || hex(home) || hex(session) || hex(device)
            || printf('%04x', length(request)) || hex(request)
            || printf('%04x', length(asked)) || hex(asked)
            || CASE WHEN sent IS NULL THEN '' ELSE printf('%04x', length(sent)) || hex(sent) END
            || hex(header) || printf('%016x', bytes)
            || CASE outcome WHEN 'delivered' THEN '00' WHEN 'misroute' THEN '01' ELSE '02' END
            || printf('%016x', time))
    FROM receipts;
DROP TABLE receipts;

-- +goose Down

-- No SQL takes a sheet apart.
DROP TABLE lots;
DROP TABLE sheets;
CREATE TABLE receipts (
    number  INTEGER NOT NULL PRIMARY KEY,
    home    BLOB    NOT NULL,
    session BLOB    NOT NULL,
    request TEXT    NOT NULL,
    device  BLOB    NOT NULL,
    asked   TEXT    NOT NULL,
    sent    TEXT,
    header  BLOB    NOT NULL,
    bytes   INTEGER NOT NULL,
    outcome TEXT    NOT NULL,
    time    INTEGER NOT NULL
) STRICT;
CREATE INDEX receipts_by_request ON receipts (number >> 12, request);
