// Bytes spelled in words, so that two people can compare them aloud (docs/words.md,
// "Words to compare").

import list from "../../../words.txt?raw";
import type { Head } from "../deed/head.ts";
import { type HomeID, idBytes } from "../seal/name.ts";
import { unhex } from "../wire.ts";

const words = list.trim().split(/\s+/);
const fingerprint = 10;

/** One word for each byte. */
export function spell(b: Uint8Array): string[] {
  return [...b].map((x) => words[x]!);
}

/** A home's fingerprint. */
export function homeWords(home: HomeID): string[] {
  return spell(idBytes("home", home).subarray(0, fingerprint));
}

/** A head's. */
export function headWords(head: Head): string[] {
  return spell(unhex(head.hash)!.subarray(0, fingerprint));
}
