// A text as a square of dark and light, for a phone's camera.

import { encode } from "uqr";

/** The drawing as an SVG path in a square of `size`, whose margin belongs to it. */
export interface Square {
  size: number;
  path: string;
}

/** Draws a text. A seventh of the square may be unreadable, and it is read all the same. */
export function square(text: string): Square {
  const { data, size } = encode(text, { ecc: "M", border: 4 });
  let path = "";
  data.forEach((row, y) => row.forEach((dark, x) => (path += dark ? `M${x} ${y}h1v1h-1z` : "")));
  return { size, path };
}
