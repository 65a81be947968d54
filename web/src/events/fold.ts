// What goes on for longer than an event may be is several events, each of which says which
// one it goes on from. Somebody who looks has one thing before them.

import type { EventID, EventRow } from "../worker/protocol.ts";

/** One thing that happened: its first event, and those that go on from it in their order. */
export interface Incident {
  row: EventRow;
  more: EventRow[];
}

/**
 * Puts together what belongs together, in the place of the first event of each. An event
 * goes on from an older one of its own camera, whatever it says; if that is not here it
 * stands for itself.
 */
export function fold(rows: readonly EventRow[], before: (row: EventRow) => EventID | null): Incident[] {
  const at = new Map(rows.map((r, i) => [r.event, i]));
  const firsts = new Map<EventRow, Incident>();
  const incidents: Incident[] = [];
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i]!;
    const said = before(row);
    const other = said === null ? undefined : at.get(said);
    const of = other !== undefined && other > i && rows[other]!.camera === row.camera ? firsts.get(rows[other]!) : undefined;
    const incident = of ?? { row, more: [] };
    if (of) of.more.push(row);
    else incidents.push(incident);
    firsts.set(row, incident);
  }
  return incidents.reverse();
}
