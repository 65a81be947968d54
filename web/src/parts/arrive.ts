// Brings the focus to what has just come, so that whoever listens to the page hears it
// and whoever uses a keyboard goes on from there.

/** An attachment for a heading or a group: `{@attach arrive}`. */
export function arrive(element: HTMLElement): void {
  element.tabIndex = -1;
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "nearest" });
}
