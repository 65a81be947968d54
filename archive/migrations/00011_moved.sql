-- +goose Up

-- moved is the number of the home's newest row in the outbox, which outlives the row: what
-- was read of the home before it may not be shown any more.
ALTER TABLE homes ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;
UPDATE homes SET moved = coalesce((SELECT max(number) FROM outbox WHERE outbox.home = homes.home), 0);

-- +goose Down
ALTER TABLE homes DROP COLUMN moved;
