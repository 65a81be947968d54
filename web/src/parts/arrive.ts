// Brings the focus to what has just come, or back from what is gone, so that whoever
// listens to the page hears it and whoever uses a keyboard goes on from there.

import { tick } from "svelte";

/** An attachment for a heading or a group: `{@attach arrive}`. */
export function arrive(element: HTMLElement): void {
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "nearest" });
}

/** The part of the page that something belongs to, to be asked for while it is still there. */
export function partOf(element: EventTarget | null): Element | null {
  return element instanceof Element ? element.closest("section") : null;
}

/** If what had the focus is gone: brings the focus to the heading of its part, or of the page. */
export async function regain(part: Element | null): Promise<void> {
  await tick();
  if (document.activeElement !== null && document.activeElement !== document.body) return;
  const heading = (part?.isConnected && part.querySelector<HTMLElement>("h1, h2")) || document.querySelector<HTMLElement>("main h1");
  if (heading) arrive(heading);
}
