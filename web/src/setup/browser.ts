// What the page needs of a browser, asked before any key is made.

import { words } from "../words.ts";

export type Lack = keyof typeof words.setup.old.lacks;

/** What a browser has, as far as it matters here. */
export interface Has {
  secure: boolean;
  subtle: boolean;
  ed25519: boolean;
  worker: boolean;
  storage: boolean;
  dialog: boolean;
  observer: boolean;
  zones: boolean;
}

export type Fitness = { is: "fit" } | { is: "insecure" } | { is: "old"; lacks: Lack[] };

const lacks: Lack[] = ["subtle", "ed25519", "worker", "storage", "dialog", "observer", "zones"];

/** Whether the page can work there. Without a secure context the rest cannot even be asked. */
export function fitness(has: Has): Fitness {
  if (!has.secure) return { is: "insecure" };
  const missing = lacks.filter((l) => !has[l]);
  return missing.length > 0 ? { is: "old", lacks: missing } : { is: "fit" };
}

/** Looks at this browser. */
export async function look(): Promise<Has> {
  return {
    secure: globalThis.isSecureContext === true,
    subtle: typeof crypto !== "undefined" && typeof crypto.subtle !== "undefined",
    ed25519: await hasEd25519(),
    worker: typeof Worker === "function",
    storage: typeof indexedDB !== "undefined",
    dialog: typeof HTMLDialogElement === "function",
    observer: typeof IntersectionObserver === "function",
    zones: typeof Intl.supportedValuesOf === "function",
  };
}

async function hasEd25519(): Promise<boolean> {
  try {
    // A verification is the cheapest proof: these 32 bytes are the key of RFC 8032's first test.
    const key = Uint8Array.from("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a".match(/../g) ?? [], (h) => parseInt(h, 16));
    await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return true;
  } catch {
    return false;
  }
}
