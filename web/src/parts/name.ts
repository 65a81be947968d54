// The rule for names that people give (docs/deed.md, "Settings"): 1 to 64 characters,
// none of them a control or one that turns the direction of writing.

const forbidden = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Whether text, without the spaces around it, is a name. */
export function isName(text: string): boolean {
  const name = text.trim();
  const characters = [...name].length;
  return characters >= 1 && characters <= 64 && !forbidden.test(name);
}
