// Typing a recovery code, or parts of it (docs/account.md, "Recovery code").

const mistaken: Record<string, string> = { "0": "O", "1": "L", "8": "B" };

/** What was typed as the code has it: without dashes and spaces, in capitals, 0, 1 and 8 for what they look like. */
export function tidy(typed: string): string {
  return typed
    .replace(/[\s-]/g, "")
    .toUpperCase()
    .replace(/[018]/g, (d) => mistaken[d] ?? d);
}

/** Whether that is the group that was asked for. */
export function isGroup(typed: string, group: string): boolean {
  return tidy(typed) === tidy(group);
}

/** What can be wrong with a whole code before anybody is asked. */
export type Mistyped = { is: "letters" } | { is: "length"; length: number };

/** Looks whether it can be a code at all. */
export function mistyped(typed: string): Mistyped | null {
  const code = tidy(typed);
  if (/[^A-Z2-7]/.test(code)) return { is: "letters" };
  return code.length === 28 ? null : { is: "length", length: code.length };
}
