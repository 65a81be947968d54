// Walking through cards by keyboard: which card is next in a direction, in a grid
// whose rows are as wide as the window makes them.

/** Where a card lies on the page. */
export interface Box {
  left: number;
  top: number;
}

export type Step = "next" | "previous" | "up" | "down";

const steps = new Map<string, Step>(Object.entries({ j: "next", ArrowRight: "next", k: "previous", ArrowLeft: "previous", ArrowDown: "down", ArrowUp: "up" }));

/** The step that a key asks for, or null. */
export function stepOf(key: string): Step | null {
  return steps.get(key) ?? null;
}

/** The index of the card to go to from `at` (-1: from none), or -1 to stay. */
export function walk(boxes: readonly Box[], at: number, step: Step): number {
  if (boxes.length === 0) return -1;
  if (at < 0) return 0;
  if (step === "next") return at + 1 < boxes.length ? at + 1 : -1;
  if (step === "previous") return at - 1;
  return vertical(boxes, at, step === "down" ? 1 : -1);
}

// The nearest row in that direction, and in it the card that is nearest sideways.
function vertical(boxes: readonly Box[], at: number, sign: 1 | -1): number {
  const from = boxes[at]!;
  let best = -1;
  for (let i = at + sign; i >= 0 && i < boxes.length; i += sign) {
    const box = boxes[i]!;
    if ((box.top - from.top) * sign <= 1) continue; // the same row
    const row = best < 0 ? null : boxes[best]!;
    if (row && Math.abs(box.top - row.top) > 1) break; // the row after it
    if (!row || Math.abs(box.left - from.left) < Math.abs(row.left - from.left)) best = i;
  }
  return best;
}

/** Whether a key press is somebody typing and none of our business. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, select, textarea, [contenteditable]") !== null;
}
