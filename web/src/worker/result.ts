// How every call ends: with a value, or with one of the troubles of the protocol.

import { Failed } from "../api.ts";
import type { Opened, Result } from "./protocol.ts";

/** Ends a call as a value. */
export async function result<T>(work: () => T | Promise<T>): Promise<Result<T>> {
  try {
    return { ok: true, ...(await work()) };
  } catch (e) {
    if (e instanceof Failed) return { ok: false, ...e.trouble };
    if (e instanceof DOMException && /quota|invalidstate|notfound|abort/i.test(e.name)) return { ok: false, trouble: "storage", message: e.message };
    return { ok: false, trouble: "broken", message: e instanceof Error ? e.message : String(e) };
  }
}

/** Ends a call for an object as a value. */
export async function openedResult<T>(work: () => Promise<Opened<T>>): Promise<Opened<T>> {
  const done = await result(async () => ({ opened: await work() }));
  if (done.ok) return done.opened;
  const { ok: _, ...trouble } = done;
  return { state: "trouble", ...trouble };
}

/** For what may fail without anybody losing by it. */
export function ignoreTrouble(e: unknown): void {
  if (!(e instanceof Failed)) throw e;
}

/** What this page says no to by itself. */
export function refused(reason: string, message: string): Failed {
  return new Failed({ trouble: "refused", status: 0, reason, message });
}
