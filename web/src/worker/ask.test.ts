// What an agent asks for, and what is no ask of this home's.

import { expect, it } from "vitest";
import { homesFile } from "../../vectors/folders.ts";
import { readHomes, type TestHome } from "../../vectors/homes.ts";
import { headBytes } from "../deed/head.ts";
import type { Signer } from "../deed/key.ts";
import { seal } from "../hpke.ts";
import { type AgentID, type CameraID, idBytes, idText } from "../seal/name.ts";
import { ascii, type Bytes, concat, label, random, Writer } from "../wire.ts";
import { parseAsk, readAsk } from "./ask.ts";

const { A: home, B: stranger } = (await readHomes(homesFile())) as Record<"A" | "B", TestHome>;
const { title, ring } = home;
const agent = home.agents.find((a) => title.agent(a.id) !== null)!;
const camera = idText("camera", random(16));

/** What differs from an honest ask. */
interface Change {
  home?: TestHome;
  agent?: AgentID;
  camera?: CameraID;
  head?: typeof title.head;
  epoch?: number;
  /** The epoch to whose key the name is really sealed. */
  sealed?: number;
  signer?: Signer;
  name?: Bytes;
  more?: Bytes;
}

async function ask(c: Change = {}): Promise<Bytes> {
  const [epoch, asks] = [c.epoch ?? title.epoch, c.camera ?? camera];
  const key = title.epochKey(c.sealed ?? epoch)!;
  const info = concat(label("latchkey ask name v1"), idBytes("home", home.home), idBytes("camera", asks));
  const signed = new Writer()
    .u8(1)
    .raw(idBytes("home", (c.home ?? home).home))
    .raw(idBytes("agent", c.agent ?? agent.id))
    .raw(idBytes("camera", asks))
    .raw(headBytes(c.head ?? title.head))
    .u64(7)
    .raw(idBytes("key", key.id))
    .u64(epoch)
    .lp16(await seal(key.bytes, info, c.name ?? ascii("Door")))
    .bytes();
  return new Writer().raw(signed).u8(1).lp16(await (c.signer ?? agent.signer).sign(concat(label("latchkey ask v1"), signed))).bytes();
}

const read = async (c: Change = {}, keys = ring) => readAsk(parseAsk(await ask(c))!, title, keys);

it("says what its agent calls the camera", async () => {
  expect(await read()).toBe("Door");
  expect(parseAsk(await ask())).toMatchObject({ home: home.home, agent: agent.id, camera, head: title.head, time: 7, epoch: title.epoch });
});

it("is of this home, by an agent that stands in it, on its chain, for a camera that nobody has", async () => {
  for (const change of [
    { home: stranger },
    { agent: idText("agent", random(16)) },
    { camera: home.cameras[0]!.id },
    { head: { ...title.head, hash: "ab".repeat(32) } },
    { epoch: 1, sealed: title.epoch },
    { signer: home.owner },
    { name: ascii("") },
    { name: random(300) },
    { name: new Uint8Array([0x41, 0xff]) },
  ] as Change[])
    expect(await read(change), JSON.stringify(Object.keys(change))).toBeNull();
  expect(await read({}, new Map())).toBeNull();
});

it("is read whole or not at all", async () => {
  const whole = await ask();
  const at = whole.length - 64 - 2 - 1; // of the number of signatures
  const other = (at: number, to: number): Bytes => Object.assign(whole.slice(), { [at]: to });
  for (const bad of [other(0, 2), other(at, 2), concat(whole, ascii("x")), whole.slice(0, -1), concat(whole.slice(0, at + 1), new Writer().lp16(random(63)).bytes()), await ask({ name: random(4096) })]) expect(parseAsk(bad)).toBeNull();
});
