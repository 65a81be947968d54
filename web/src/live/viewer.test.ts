// A viewer over more than one run, and while the deeds change: what no vector says.

import { expect, it } from "vitest";
import { homesFile } from "../../vectors/folders.ts";
import { readHomes, type TestHome } from "../../vectors/homes.ts";
import { Porter } from "../../vectors/knocks.ts";
import { Writing } from "../../vectors/live.ts";
import { moment } from "../../vectors/pieces.ts";
import { signDeed } from "../deed/deed.ts";
import { publicKey, sha256 } from "../deed/key.ts";
import { Title } from "../deed/title.ts";
import { ascii, type Bytes } from "../wire.ts";
import { kindOf, LiveError, type LiveReason, streams, wordForLive } from "./message.ts";
import { type Step, Viewer } from "./viewer.ts";

const homes = await readHomes(homesFile());
const home = homes["A"]!;
const second = 1_000_000;

function viewer(of: TestHome = home): Viewer {
  return new Viewer(of.device, { home: of.home, camera: of.cameras[0]!.id, kind: streams.main });
}

/** The agent's answer to a knock: the run of that writing. */
async function letIn(w: Writing, knock: Bytes, of: TestHome = home, agent = 0, title = of.title): Promise<Bytes> {
  const { id, kem } = of.agents[agent]!;
  const brought = await new Porter(id, kem).open(knock, title, moment);
  return w.grant({ agent, title, knock: await sha256(knock), to: { recipient: "asker", key: await publicKey("X-Wing", brought) } });
}

const fragment = (w: Writing, sequence: number, flags: number, media: string): Promise<Bytes> => w.fragment({ sequence, flags, media: ascii(media) });
const shown = ({ media }: Step): string => (media === null ? "" : String.fromCharCode(...media));
const refused = (reason: LiveReason): unknown => expect.objectContaining({ reason });

it("goes on from one run to the next", async () => {
  const v = viewer();
  const [former, next] = [await Writing.begin("A", home, 0), await Writing.begin("A", home, 0)];
  const take = async (b: Bytes | Promise<Bytes>): Promise<Step> => v.take(await b, home.title, moment);
  expect(v.behind(moment)).toBeNull();
  await take(letIn(former, await v.knock(home.title, moment)));
  expect(shown(await take(fragment(former, 1, 1, "a")))).toBe("a");
  expect((await take(fragment(former, 2, 2, "b"))).knock).toBe(true);
  await expect(take(fragment(next, 1, 1, "b2"))).rejects.toEqual(refused("wrong-run"));
  const knock = await v.knock(home.title, moment);
  expect((await take(fragment(former, 3, 2, "c"))).knock, "it has knocked").toBe(false);
  await take(letIn(next, knock));
  expect(shown(await take(fragment(former, 4, 2, "d"))), "until the next has begun").toBe("d");
  expect(shown(await take(fragment(next, 2, 0, "no key"))), "begins with a key frame").toBe("");
  const begun = await take(fragment(next, 5, 1, "e"));
  expect([shown(begun), begun.missing, begun.init !== null]).toEqual(["e", 0, true]);
  await expect(take(fragment(former, 5, 0, "f"))).rejects.toEqual(refused("wrong-run"));
  expect(shown(await take(fragment(next, 6, 0, "g")))).toBe("g");
});

it("goes on with a run that is granted again", async () => {
  const v = viewer();
  const run = await Writing.begin("A", home, 0);
  const take = async (b: Bytes | Promise<Bytes>): Promise<Step> => v.take(await b, home.title, moment);
  await take(letIn(run, await v.knock(home.title, moment)));
  expect(shown(await take(fragment(run, 1, 1, "a")))).toBe("a");
  expect((await take(fragment(run, 2, 2, "b"))).knock).toBe(true);
  expect((await take(letIn(run, await v.knock(home.title, moment)))).granted).toBe(true);
  await expect(take(fragment(run, 2, 2, "b"))).rejects.toEqual(refused("replayed"));
  const next = await take(fragment(run, 3, 2, "c"));
  expect([shown(next), next.missing, next.init, next.knock], "no key frame, and no init segment").toEqual(["c", 0, null, true]);
  expect((await take(fragment(run, 5, 0, "e"))).missing).toBe(1);
  await take(letIn(run, await v.knock(home.title, moment)));
  expect(shown(await take(fragment(run, 6, 0, "f"))), "what is missing still is").toBe("");
});

it("is not told to knock when it has", async () => {
  const v = viewer();
  const [former, next] = [await Writing.begin("A", home, 0), await Writing.begin("A", home, 0)];
  const take = async (b: Bytes | Promise<Bytes>): Promise<Step> => v.take(await b, home.title, moment);
  await take(letIn(former, await v.knock(home.title, moment)));
  await take(fragment(former, 1, 1, "a"));
  const knock = await v.knock(home.title, moment);
  expect((await take(fragment(former, 2, 2, "b"))).knock, "it has knocked").toBe(false);
  await take(letIn(next, knock));
  expect((await take(fragment(former, 3, 2, "c"))).knock, "it was granted the next run").toBe(false);
});

it("knocks for no camera that is not there", async () => {
  const strange = new Viewer(home.device, { home: home.home, camera: homes["B"]!.cameras[0]!.id, kind: streams.main });
  await expect(strange.knock(home.title, moment)).rejects.toThrow("no such camera");
});

it("names messages by their first two bytes", () => {
  expect([1, 2, 3].map((n) => kindOf(new Uint8Array([1, n])))).toEqual(["knock", "grant", "fragment"]);
  for (const [b, reason] of [[[1, 0], "malformed"], [[1, 4], "malformed"], [[0, 1], "malformed"], [[2, 1], "future-version"], [[1], "truncated"], [[], "truncated"]] as const) {
    expect(() => kindOf(new Uint8Array(b)), reason).toThrow(reason);
  }
});

it("calls a privacy alarm what answers another question, and nothing else", () => {
  expect((["wrong-home", "wrong-camera", "wrong-stream", "wrong-knock"] as const).map(wordForLive)).toEqual(Array(4).fill("misroute"));
  expect((["wrong-run", "wrong-agent", "bad-signature", "replayed", "no-envelope"] as const).map(wordForLive)).toEqual(Array(5).fill("corrupt"));
});

it("is answered for the newest knock alone", async () => {
  const v = viewer();
  const w = await Writing.begin("A", home, 0);
  const earlier = await letIn(w, await v.knock(home.title, moment));
  const later = await v.knock(home.title, moment);
  await expect(v.take(earlier, home.title, moment)).rejects.toEqual(refused("wrong-knock"));
  expect((await v.take(await letIn(w, later), home.title, moment)).granted).toBe(true);
});

it("takes one message after the other, in the order in which they came", async () => {
  const v = viewer();
  const w = await Writing.begin("A", home, 0);
  const grant = await letIn(w, await v.knock(home.title, moment));
  const large = await w.fragment({ sequence: 1, media: new Uint8Array(1 << 20) });
  const [small, broken] = [await fragment(w, 2, 0, "b"), ascii("no message")];
  const outcomes = await Promise.allSettled([grant, large, broken, small, small].map((b) => v.take(b, home.title, moment)));
  expect(outcomes.map((o) => (o.status === "fulfilled" ? (o.value.media?.length ?? "granted") : (o.reason as LiveError).reason))).toEqual(["granted", 1 << 20, "future-version", 1, "replayed"]);
});

it("takes no more when the home is frozen", async () => {
  const v = viewer();
  const w = await Writing.begin("A", home, 0);
  await v.take(await letIn(w, await v.knock(home.title, moment)), home.title, moment);
  await v.take(await fragment(w, 1, 1, "a"), home.title, moment);
  const frozen = await home.title.append([await signDeed(home.owner, home.title.next, home.title.time + second, { type: "freeze" })]);
  await expect(v.take(await fragment(w, 2, 0, "b"), frozen, moment)).rejects.toEqual(refused("frozen"));
  const knock = await v.knock(frozen, moment);
  const asker = { recipient: "asker" as const, key: await publicKey("X-Wing", await new Porter(home.agents[0]!.id, home.agents[0]!.kem).open(knock, frozen, moment)) };
  const no = await w.grant({ title: frozen, knock: await sha256(knock), to: asker, run: new Uint8Array(16), from: 0, content: ascii("frozen") });
  expect((await v.take(no, frozen, moment)).refused).toBe("frozen");
});

it("takes no more under a key that the agent has no longer", async () => {
  const d = homes["D"]!;
  const before = await Title.start(d.deeds.slice(0, 12));
  const v = viewer(d);
  const w = await Writing.begin("D", d, 1);
  await v.take(await letIn(w, await v.knock(before, moment), d, 0, before), before, moment);
  const a = await fragment(w, 1, 1, "a");
  expect(shown(await v.take(a, before, moment))).toBe("a");
  await expect(v.take(await fragment(w, 2, 0, "b"), d.title, moment)).rejects.toEqual(refused("former-signer"));
});

it("says how far behind it is, and never too little", async () => {
  const v = viewer();
  const w = await Writing.begin("A", home, 0);
  const grant = await letIn(w, await v.knock(home.title, moment)); // made 0.1 s after the knock, by the agent's clock
  await v.take(grant, home.title, moment + 4 * second);
  await v.take(await w.fragment({ sequence: 1, time: moment + 2.1 * second }), home.title, moment + 5 * second);
  expect(v.behind(moment + 5 * second)).toBe(3 * second);
  expect(v.behind(moment + 6 * second)).toBe(4 * second);
  expect(v.behind(moment), "a clock that was set back").toBe(0);
});
