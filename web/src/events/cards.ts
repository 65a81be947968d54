// The cards on the page as the keyboard sees them.

import { isTyping, stepOf, walk } from "./walk.ts";

/** Every card in `root`, in the order of the page. */
function cards(root: HTMLElement): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>("[data-event]")];
}

/** Moves the focus from card to card by the key that was pressed, if it is such a key. */
export function step(event: KeyboardEvent, root: HTMLElement): void {
  const to = stepOf(event.key);
  if (!to || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
  const all = cards(root);
  const at = all.findIndex((c) => c === document.activeElement);
  // Without a card in hand the arrows scroll, as they do anywhere.
  if (at < 0 && event.key.length > 1) return;
  const boxes = all.map((c) => {
    const { left, top } = c.getBoundingClientRect();
    return { left, top: top + scrollY };
  });
  const next = at < 0 ? boxes.findIndex((b) => b.top >= scrollY + 60) : walk(boxes, at, to);
  if (next < 0) return;
  event.preventDefault();
  all[next]?.focus();
}

/** Gives the focus to the card of an event, if it is on the page. */
export function focusCard(root: HTMLElement, event: string): void {
  cards(root).find((c) => c.dataset["event"] === event)?.focus();
}

/** What is done to the card in hand, or to those that are selected. */
export type Does = "select" | "all" | "review" | "none";

/** What a key asks for that is no step. */
export function doesOf(event: Pick<KeyboardEvent, "key" | "metaKey" | "ctrlKey" | "altKey" | "target">): Does | null {
  if (event.altKey || isTyping(event.target)) return null;
  if (event.metaKey || event.ctrlKey) return event.key === "a" ? "all" : null;
  const keys: Record<string, Does> = { x: "select", r: "review", Escape: "none" };
  return keys[event.key] ?? null;
}

/** The key of the event whose card has the focus. */
export function cardInHand(): string | null {
  return document.activeElement?.closest<HTMLElement>("[data-event]")?.dataset["event"] ?? null;
}
