-- +goose Up

-- What has changed in who may see what, in the order of the commits. It does not begin
-- with a home: its order is that of all homes. The highest row is never deleted, so that
-- no number comes twice.
CREATE TABLE outbox (
    number INTEGER NOT NULL PRIMARY KEY,
    home   BLOB    NOT NULL,
    seq    INTEGER NOT NULL,
    hash   BLOB    NOT NULL,
    ended  BLOB    NOT NULL, -- the session that was ended; zero if the chain has grown
    posted INTEGER NOT NULL  -- seconds, by the database's clock
) STRICT;

-- +goose Down
DROP TABLE outbox;
