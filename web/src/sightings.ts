// What a camera can say by itself that it saw (docs/seal.md, "Description").

/** Everything that it can be, in the order in which it is told. */
export const sightings = ["visitor", "person", "face", "vehicle", "animal", "package"] as const;

export type Sighting = (typeof sightings)[number];

/** What events are sought by: something that the camera saw, or motion of which it said nothing. */
export const sought = [...sightings, "motion"] as const;

export type Sought = (typeof sought)[number];
