-- +goose Up

-- People's accounts. These tables begin with the account, and none of them names a home.
CREATE TABLE accounts (
    account  BLOB    NOT NULL PRIMARY KEY,
    address  TEXT    NOT NULL UNIQUE,
    verified INTEGER NOT NULL,
    code     BLOB    NOT NULL, -- what the account shares with an authenticator app, empty for nothing
    codes    INTEGER NOT NULL, -- 1 if codes are asked for
    step     INTEGER NOT NULL, -- of the last code that was used
    created  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE vaults (
    account BLOB NOT NULL PRIMARY KEY,
    hash    BLOB NOT NULL,
    vault   BLOB NOT NULL
) STRICT;

CREATE TABLE unlockers (
    account  BLOB    NOT NULL,
    unlocker BLOB    NOT NULL,
    kind     INTEGER NOT NULL,
    params   BLOB    NOT NULL,
    wrapped  BLOB    NOT NULL,
    verifier BLOB    NOT NULL,
    added    INTEGER NOT NULL,
    used     INTEGER NOT NULL,
    PRIMARY KEY (account, unlocker)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX unlockers_by_locator ON unlockers (params) WHERE kind = 3;

CREATE TABLE account_sessions (
    account BLOB    NOT NULL,
    session BLOB    NOT NULL,
    secret  BLOB    NOT NULL, -- its SHA-256
    key     BLOB    NOT NULL,
    browser TEXT    NOT NULL,
    started INTEGER NOT NULL,
    seen    INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (account, session)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX account_sessions_by_secret ON account_sessions (account, secret);

-- One key of the server, with which it answers for addresses that have no account. It
-- is as old as the accounts, so that the answers do not change when they do not.
CREATE TABLE accounts_key (
    key BLOB NOT NULL PRIMARY KEY
) STRICT;

-- +goose Down
DROP TABLE accounts_key;
DROP TABLE account_sessions;
DROP TABLE unlockers;
DROP TABLE vaults;
DROP TABLE accounts;
