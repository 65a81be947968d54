-- +goose Up

-- moved is the number of the home's newest row in the outbox, which outlives the row, and
-- sign_ins how often a page has signed in to the home. Both only rise: what was read of a
-- home's sessions before they did is not what holds any more.
ALTER TABLE homes ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;
ALTER TABLE homes ADD COLUMN sign_ins INTEGER NOT NULL DEFAULT 0;
UPDATE homes SET moved = coalesce((SELECT max(number) FROM outbox WHERE outbox.home = homes.home), 0);

-- +goose Down
ALTER TABLE homes DROP COLUMN sign_ins;
ALTER TABLE homes DROP COLUMN moved;
