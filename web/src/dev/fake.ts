// A stand-in for the worker, for working on looks: pictures are painted, nothing is
// sealed, nothing is verified, and nobody is asked for the right passphrase. It is no
// part of the built page.

import type { Keeps } from "../keeper.ts";
import { FakeAccounts } from "./accounts.ts";
import { FakeHome } from "./home.ts";
import { live } from "./live.ts";
import { FakeMembers } from "./members.ts";
import { Stage } from "./stage.ts";

/** A stand-in for the state that the address asks for. */
export function fakeKeeper(): Keeps {
  const stage = new Stage();
  const changes: Keeps["changes"] = (listener) => {
    stage.listeners.add(listener);
    return () => stage.listeners.delete(listener);
  };
  return { changes, live, ...new FakeHome(stage), ...new FakeAccounts(stage), ...new FakeMembers(stage) };
}
