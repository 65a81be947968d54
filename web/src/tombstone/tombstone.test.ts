// A tombstone written here is the same bytes that Go wrote of the same statement: the
// signature leaves no choice.

import { expect, it } from "vitest";

import { readHomes } from "../../vectors/homes.ts";
import { homesFile, vectors } from "../../vectors/folders.ts";
import { idText } from "../seal/name.ts";
import { base64 } from "../wire.ts";
import { signTombstone } from "./tombstone.ts";

const time = 1740852000000000;

const event = (n: number) => idText("event", new Uint8Array([n, ...new Array<number>(15).fill(0)]));

async function written(name: string): Promise<string> {
  const v = vectors<{ name: string; tombstone: string }>("tombstone", "go").find((v) => v.name === name);
  return v!.tombstone;
}

it("is what Go writes of events, in whatever order they are named, and once", async () => {
  const { A } = await readHomes(homesFile());
  for (const events of [[event(1), event(3)], [event(3), event(1), event(3)]])
    expect(base64(await signTombstone(A!.owner, A!.home, A!.title.head, time, { events }))).toBe(await written("events"));
});

it("is what Go writes of a home", async () => {
  const { A } = await readHomes(homesFile());
  expect(base64(await signTombstone(A!.owner, A!.home, A!.title.head, time, "home"))).toBe(await written("home"));
});

it("is what Go writes of a span", async () => {
  const { A } = await readHomes(homesFile());
  const what = { camera: A!.cameras[0]!.id, from: time, to: time + 1 };
  expect(base64(await signTombstone(A!.owner, A!.home, A!.title.head, time, what))).toBe(await written("span"));
});
