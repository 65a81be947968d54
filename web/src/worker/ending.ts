// What becomes of a person's homes when their account is deleted. Nobody leaves a home by
// that: who is in it stands in its deeds. So the person is told first where they are the
// only one who decides.

import type { KeptHome } from "../keep/keep.ts";
import type { HomeLeft } from "./accounts.ts";
import { folded } from "./chain.ts";

/** How a person stands in a home, by what this browser saw of it last. */
export async function standingIn(kept: KeptHome | undefined): Promise<HomeLeft["as"]> {
  if (kept?.secrets == null || kept.deeds.length === 0) return "unknown";
  const title = await folded(kept.home, kept.deeds);
  const owners = title.people.filter((p) => p.role === "owner");
  if (owners.every((p) => p.id !== kept.secrets?.person)) return "member";
  return owners.length === 1 ? "only owner" : "owner";
}
