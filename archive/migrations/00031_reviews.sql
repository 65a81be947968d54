-- +goose Up

-- What a person has looked at. It shows nobody anything: whoever may see an event is told
-- whether they have. The row whose event is zero stands for all up to its time.
CREATE TABLE reviews (
    home   BLOB    NOT NULL,
    person BLOB    NOT NULL,
    event  BLOB    NOT NULL,
    time   INTEGER NOT NULL, -- of the event, as in events
    PRIMARY KEY (home, person, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX reviews_by_event ON reviews (home, event);

-- +goose Down
DROP TABLE reviews;
