-- +goose Up

-- What an agent last said of itself, sealed to its home's people.
CREATE TABLE conditions (
    home        BLOB    NOT NULL,
    agent       BLOB    NOT NULL,
    incarnation INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    letter      BLOB    NOT NULL,
    received    INTEGER NOT NULL,
    PRIMARY KEY (home, agent)
) STRICT;

-- +goose Down
DROP TABLE conditions;
