// How hard a passphrase is to guess, roughly: a hint while it is typed, and no proof.

export type Strength = { is: "empty" } | { is: "short"; more: number } | { is: "weak" } | { is: "fair" } | { is: "good" };

/** What the worker and docs/account.md ask for at least; white space at the ends does not count. */
export const shortest = 12;

const alphabets: [RegExp, number][] = [
  [/[a-z]/, 26],
  [/[A-Z]/, 26],
  [/\d/, 10],
  [/[ -/:-@[-`{-~]/, 33],
  [/[^ -~]/, 60],
];

/** Judges what was typed. */
export function strengthOf(typed: string): Strength {
  const characters = [...typed.normalize("NFKC").trim()];
  if (characters.length === 0) return { is: "empty" };
  if (characters.length < shortest) return { is: "short", more: shortest - characters.length };
  const bits = Math.min(bitsOfCharacters(characters), bitsOfWords(characters.join("")));
  return { is: bits < 40 ? "weak" : bits < 60 ? "fair" : "good" };
}

// A character that repeats the one before, goes on counting or stood in a pair before
// says little that is new.
function bitsOfCharacters(characters: string[]): number {
  const text = characters.join("");
  const each = Math.log2(alphabets.reduce((sum, [some, size]) => sum + (some.test(text) ? size : 0), 0));
  const seen = new Set<string>();
  return characters.reduce((bits, c, i) => {
    const step = (at: number) => (characters[at]?.codePointAt(0) ?? 0) - (characters[at - 1]?.codePointAt(0) ?? 0);
    const pair = `${characters[i - 1] ?? ""}${c}`;
    const stale = i > 0 && (Math.abs(step(i)) <= 1 || (i > 1 && step(i) === step(i - 1)) || seen.has(pair));
    seen.add(pair);
    return bits + (stale ? 0.5 : each * 0.75);
  }, 0);
}

// Words are guessed as words, each out of some thousands; what is no plain word counts more.
function bitsOfWords(text: string): number {
  const words = text.split(/[\s._-]+/).filter(Boolean);
  const different = new Set(words.map((w) => w.toLowerCase()));
  return [...different].reduce((bits, w) => bits + (/^\p{L}{1,12}$/u.test(w) ? 13 : w.length * 5.5), 0);
}
