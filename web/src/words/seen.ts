import type { Sighting, Sought } from "../sightings.ts";

const one: Record<Sought, string> = { visitor: "Doorbell", person: "Person", face: "Face", vehicle: "Vehicle", animal: "Animal", package: "Package", motion: "Motion only" };

export const seen = {
  filter: "Show what the camera saw",
  anything: "Everything",
  one,
  /** Everything that a camera saw, as one line. */
  line(all: readonly Sighting[]): string {
    const line = all.map((s) => one[s].toLowerCase()).join(", ");
    return line.charAt(0).toUpperCase() + line.slice(1);
  },
  /** The first of what a camera saw, where there is room for no more. */
  short: (all: readonly Sighting[]) => `${all[0] === undefined ? "" : one[all[0]]}${all.length > 1 ? ` +${all.length - 1}` : ""}`,
  none: (what: string, camera: string, day: string) => `${what}: nothing${camera ? ` from ${camera}` : ""}${day ? ` on ${day}` : ""}.`,
  noneSays: "What was there is said by the cameras that can tell. What the others record is found by camera and day.",
  lookedTo: (day: string) => (day ? `Looked through everything back to ${day}.` : "Looked through many events."),
  further: "Look further back",
};
