// What the stand-in's parts share: IDs that are always the same, and what the address
// of the dev page asks for.

const letters = "abcdefghijklmnopqrstuvwxyz234567";

/** An ID of that length in base32, always the same for a seed. */
export function id(seed: number, length: number): string {
  let text = "";
  let x = (seed * 2654435761) >>> 0;
  for (let i = 0; i < length - 1; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    text += letters[x >>> 27];
  }
  return `${text}a`;
}

export const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What the address of the dev page asks for: ?is=offline, fork, empty, new, asks … */
export const asked = new URLSearchParams(location.search);
export const is = (what: string) => (asked.get("is") ?? "").split(",").includes(what);
