// The colour of a home: a hue taken from its ID, so that somebody with two homes sees
// at once which of them this is. Nobody can choose a home's ID, so nobody can choose
// to look like another home; it is a help for the eye and no proof.

const letters = "abcdefghijklmnopqrstuvwxyz234567";

// Hues that are told apart at a glance and on which white text is easy to read.
const hues = [12, 38, 62, 108, 140, 164, 190, 218, 246, 272, 300, 332];

/** A hue in degrees for a home; the same home has the same one everywhere. */
export function hueOf(home: string): number {
  let sum = 0;
  for (const letter of home.slice(0, 10)) sum = (sum * 32 + Math.max(0, letters.indexOf(letter))) % 7919;
  return hues[sum % hues.length] ?? 0;
}
