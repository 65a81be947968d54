-- +goose Up

-- What an operator has stopped. It is history: a row is never changed or removed, and a
-- release is a row of its own. It does not begin with a home: most holds are of many.
CREATE TABLE holds (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    scope  TEXT    NOT NULL,
    home   BLOB    NOT NULL, -- with scope home, else zero
    server BLOB    NOT NULL, -- with scope server, else zero
    route  TEXT    NOT NULL, -- with scope route, else empty
    who    TEXT    NOT NULL,
    why    TEXT    NOT NULL,
    says   TEXT    NOT NULL, -- to people
    since  INTEGER NOT NULL
) STRICT;

CREATE TABLE releases (
    hold INTEGER NOT NULL PRIMARY KEY REFERENCES holds,
    who  TEXT    NOT NULL,
    why  TEXT    NOT NULL,
    at   INTEGER NOT NULL
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER holds_stay BEFORE UPDATE ON holds BEGIN SELECT raise(ABORT, 'holds are history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER holds_remain BEFORE DELETE ON holds BEGIN SELECT raise(ABORT, 'holds are history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER releases_stay BEFORE UPDATE ON releases BEGIN SELECT raise(ABORT, 'releases are history'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER releases_remain BEFORE DELETE ON releases BEGIN SELECT raise(ABORT, 'releases are history'); END;
-- +goose StatementEnd

-- The hold that began or was released; 0 for the other rows.
ALTER TABLE outbox ADD COLUMN hold INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE outbox DROP COLUMN hold;
DROP TABLE releases;
DROP TABLE holds;
