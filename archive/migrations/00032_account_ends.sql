-- +goose Up

-- Accounts that their people have deleted. An ID is random and says of nobody who it was;
-- it stays, so that no request that comes late, or comes again, is an account once more.
CREATE TABLE account_ends (
    account BLOB    NOT NULL PRIMARY KEY,
    ended   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE account_ends;
