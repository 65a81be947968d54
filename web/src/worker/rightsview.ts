// Rights as the page has them, and as a deed states them.

import type { Rights as Stated, Standing } from "../deed/parts.ts";
import type { Rights, Role } from "./members.ts";

/** Rights for the page, null for those who see the whole home. */
export function rightsView(r: Stated | null): Rights | null {
  return r && { kinds: [...r.sees], until: r.until, cameras: r.cameras === "every" ? null : [...r.cameras] };
}

/** A standing of what the page says. */
export function standingOf(role: Exclude<Role, "link">, rights: Rights | null): Standing {
  if (role !== "guest") return { role, rights: null };
  return { role, rights: rights && { sees: rights.kinds, until: rights.until, cameras: rights.cameras ?? "every" } };
}
