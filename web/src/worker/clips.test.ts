// Clips that are read in parts, through the worker's door, against a server that cheats.

import { beforeEach, expect, it } from "vitest";
import { sealBody } from "../cobblestone.ts";
import { sha256 } from "../deed/key.ts";
import { bindingBytes, nameOf } from "../seal/binding.ts";
import { type EventID, idText, type NameText, nameText, parseName } from "../seal/name.ts";
import { pieceSize } from "../seal/pieces.ts";
import { base64, type Bytes, concat, equal, random } from "../wire.ts";
import type { CameraID, Opened, Result, Track } from "./protocol.ts";
import { Desk } from "./desk.ts";
import { Hall } from "./hall.ts";
import { clipOf } from "./standin/clip.ts";
import { type Made, TestAgent } from "./standin/agent.ts";
import { MemoryKeep } from "../keep/memory.ts";
import { StandIn } from "./standin/server.ts";

const type = 'video/mp4; codecs="avc1.64001f"';
const prefix = 18 + 2 + 313 + 2;

let server: StandIn;
let desk: Desk;
let agent: TestAgent;
let camera: CameraID;

async function good<T>(call: Promise<Result<T>>): Promise<{ ok: true } & T> {
  const r = await call;
  if (!r.ok) throw new Error(`refused: ${JSON.stringify(r)}`);
  return r;
}

beforeEach(async () => {
  server = new StandIn();
  const keep = new MemoryKeep();
  desk = new Desk(new Hall(server.client(), async () => keep, () => undefined));
  await good(desk.found({ setup: "a set-up secret", home: "Our house", zone: "UTC" }));
  agent = await TestAgent.make();
  const { link, slot } = await good(desk.openJoin());
  server.answers.set(slot, await agent.answer(link, server.announcements.get(slot)!));
  await good(desk.watchJoin(slot));
  await good(desk.placeAgent(slot));
  camera = idText("camera", random(16));
  server.asks = [await agent.ask(server.title!, camera, "Door")];
  await good(desk.asks());
  await good(desk.placeCamera(camera));
});

async function hashesOf(content: Bytes): Promise<string> {
  const all: Bytes[] = [];
  for (let at = 0; at < content.length; at += pieceSize) all.push(await sha256(content.slice(at, at + pieceSize)));
  return base64(concat(...all));
}

interface Event {
  event: EventID;
  clip: Made;
  name: NameText;
  description: NameText;
}

/** An event with a clip of that content; the description says what `says` changes. */
async function happen(content: Bytes, says: Record<string, unknown> = {}, event: EventID = idText("event", random(16))): Promise<Event> {
  const clip = await agent.seal(server.title!, camera, "clip", content, event);
  const told = { object: clip.binding.object, type, width: 640, height: 360, duration: 1e6, bytes: content.length, pieces: await hashesOf(content), ...says };
  const text = new TextEncoder().encode(JSON.stringify({ v: 1, start: 1, end: 2, clip: told }));
  const description = await agent.seal(server.title!, camera, "description", text, event);
  for (const made of [clip, description]) server.put(nameOf(made.binding), made.file);
  server.events.push({ event, objects: [clip.row, description.row] });
  await good(desk.events());
  return { event, clip, name: nameText(nameOf(clip.binding)), description: nameText(nameOf(description.binding)) };
}

function opened<T>(o: Opened<T>): T {
  if (o.state !== "opened") throw new Error(`not opened: ${JSON.stringify(o)}`);
  return o;
}

async function begun({ name, description }: Event): Promise<Track> {
  const { track } = opened(await desk.beginClip(name, description));
  if (track === null) throw new Error("it has to be read whole");
  return track;
}

const asked = (e: Event): number => server.arrived.filter((q) => q.path.endsWith(e.clip.binding.object)).length;

it("gives the parts as they are asked for, and fetches no more than they need", async () => {
  const made = clipOf([100_000, 200_000, 700_000, 50_000]);
  const e = await happen(made.content);
  const track = await begun(e);
  expect(track).toMatchObject({ type, parts: [{ start: 0, end: 2 }, { start: 2, end: 4 }, { start: 4, end: 6 }, { start: 6, end: 8 }] });
  expect(equal(track.head, made.content.slice(0, made.head))).toBe(true);
  expect(asked(e)).toBe(1);
  for (const n of [3, 0, 2, 1]) expect(equal(opened(await desk.clipPart(e.name, n)).bytes, made.parts[n]!)).toBe(true);
  expect(asked(e)).toBeLessThan(5);
  const again = asked(e);
  expect(equal(opened(await desk.clipPart(e.name, 2)).bytes, made.parts[2]!)).toBe(true);
  expect(asked(e)).toBe(again);
});

it("reads a clip that ends with a piece or a chunk", async () => {
  for (const bytes of [pieceSize, 3 * pieceSize, pieceSize + 16384]) {
    const empty = clipOf([1000, 1000]).content.length - 2000;
    const made = clipOf([1000, bytes - empty - 1000]);
    expect(made.content.length).toBe(bytes);
    const e = await happen(made.content);
    await begun(e);
    expect(equal(opened(await desk.clipPart(e.name, 1)).bytes, made.parts[1]!)).toBe(true);
  }
});

it("reads as far as it needs to of a server that hands out whole files alone", async () => {
  const made = clipOf([100_000, 600_000]);
  const e = await happen(made.content);
  const file = e.clip.file;
  server.bend = (q, a) => (a.status === 206 && q.path.includes("/clip/") ? { status: 200, body: file } : a);
  await begun(e);
  expect(equal(opened(await desk.clipPart(e.name, 1)).bytes, made.parts[1]!)).toBe(true);
});

it("has a clip read whole that is not described in parts, or has no index", async () => {
  const made = clipOf([1000]);
  const whole = async (content: Bytes, says: object): Promise<unknown> => {
    const e = await happen(content, says as Record<string, unknown>);
    return (await desk.beginClip(e.name, e.description)) as unknown;
  };
  expect(await whole(made.content, { pieces: undefined })).toMatchObject({ state: "opened", track: null });
  expect(await whole(made.content, { pieces: "AAAA" })).toMatchObject({ state: "opened", track: null });
  expect(await whole(made.content.slice(0, -1), {})).toMatchObject({ state: "opened", track: null });
  expect(await whole(concat(new TextEncoder().encode("\0\0\0\x08ftyp"), random(900)), {})).toMatchObject({ state: "opened", track: null });
  const altered = await happen(made.content);
  server.put(parseName(altered.description)!, altered.clip.file);
  expect(await desk.beginClip(altered.name, altered.description)).toMatchObject({ state: "opened", track: null });
  expect(server.reports()).toMatchObject([{ asked: altered.description, word: "misroute" }]);
});

it("begins nothing that is no clip, or is described by what is not listed", async () => {
  const e = await happen(random(900));
  expect(await desk.beginClip(e.name, e.description)).toMatchObject({ state: "refused", word: "corrupt", reason: "malformed" });
  expect(await desk.beginClip(e.name, nameText({ ...parseName(e.description)!, object: idText("object", random(16)) }))).toMatchObject({ state: "trouble", reason: "not-listed" });
});

// What holds the object key can make chunks that open: any member can.
async function forged(e: Event, key: Bytes, content: Bytes): Promise<Bytes> {
  return concat(e.clip.file.slice(0, prefix), await sealBody(key, bindingBytes(e.clip.binding), content));
}

it("gives nothing that a member made with the object's own key", async () => {
  const made = clipOf([300_000, 300_000]);
  const e = await happen(made.content);
  const other = made.content.slice();
  other.fill(7, pieceSize + 100, pieceSize + 200);
  const forgery = await forged(e, e.clip.objectKey, other);
  expect(forgery.length).toBe(e.clip.file.length);
  server.put(nameOf(e.clip.binding), forgery);
  await begun(e); // its first piece is what the agent recorded
  expect(await desk.clipPart(e.name, 1)).toMatchObject({ state: "refused", word: "corrupt", reason: "wrong-hash" });
  await expect.poll(() => server.reports()).toMatchObject([{ asked: e.name, word: "corrupt", reason: "wrong-hash" }]);
  // The control: with the forgery's hashes in the description it opens, so nothing but they refused it.
  const agrees = await happen(made.content, { pieces: await hashesOf(other) });
  server.put(nameOf(agrees.clip.binding), await forged(agrees, agrees.clip.objectKey, other));
  await begun(agrees);
  expect((await desk.clipPart(agrees.name, 1)).state).toBe("opened");
});

it("refuses a part of another place, of another clip, cut off or bent", async () => {
  const made = clipOf([600_000, 600_000, 600_000]);
  const other = await happen(clipOf([600_000, 600_000, 600_000]).content);
  const bends: [string, (part: Bytes, from: number) => Bytes][] = [
    ["chunk", (part, from) => other.clip.file.slice(from, from + part.length)],
    ["chunk", (part, from) => e.clip.file.slice(from - 262_400, from - 262_400 + part.length)],
    ["truncated", (part) => part.slice(0, -1)],
    ["chunk", (part) => part.map((x, i) => (i === 20_000 ? x ^ 1 : x))],
  ];
  let e = other;
  for (const [reason, bend] of bends) {
    server.bend = (_, a) => a;
    e = await happen(made.content);
    await begun(e);
    server.bend = (q, a) => {
      const from = Number(/ (\d+)-/.exec(a.headers?.["Content-Range"] ?? "")?.[1]);
      return a.status === 206 && q.path.includes("/clip/") ? { ...a, body: bend(a.body as Bytes, from) } : a;
    };
    expect(await desk.clipPart(e.name, 2)).toMatchObject({ state: "refused", word: "corrupt", reason });
  }
});

it("takes no answer to another range", async () => {
  const e = await happen(clipOf([600_000, 600_000]).content);
  await begun(e);
  server.bend = (q, a) => (a.status === 206 && q.path.includes("/clip/") ? { ...a, headers: { "Content-Range": "bytes 5-9/10" } } : a);
  expect(await desk.clipPart(e.name, 1)).toMatchObject({ state: "refused", word: "misroute" });
});

it("begins no other clip than the one that was described", async () => {
  const made = clipOf([1000, 1000]);
  const [one, two] = [await happen(made.content), await happen(made.content)];
  // The description of another event, and an object of another name in the file's place.
  expect(await desk.beginClip(one.name, two.description)).toMatchObject({ state: "refused", word: "corrupt", reason: "wrong-hash" });
  server.put(nameOf(two.clip.binding), one.clip.file);
  expect(await desk.beginClip(two.name, two.description)).toMatchObject({ state: "refused", word: "misroute", reason: "wrong-object" });
  const shorter = await happen(made.content, { bytes: made.content.length - 1 });
  expect(await desk.beginClip(shorter.name, shorter.description)).toMatchObject({ state: "refused", reason: "wrong-hash" });
});

it("lets go of the clip that was looked at first, and of the parts, where there is no room", async () => {
  const made = clipOf([1000]);
  const all = [];
  for (let i = 0; i < 4; i++) all.push(await happen(made.content));
  for (const e of all) await begun(e);
  expect(await desk.clipPart(all[0]!.name, 0)).toMatchObject({ state: "trouble", reason: "not-begun" });
  opened(await desk.clipPart(all[1]!.name, 0));
  const large = await happen(clipOf([1000, 41 * pieceSize]).content);
  await begun(large);
  opened(await desk.clipPart(large.name, 1));
  const before = asked(large);
  opened(await desk.clipPart(large.name, 0));
  expect(asked(large)).toBe(before + 1);
});

it("gives no part of a clip that was not begun", async () => {
  const e = await happen(clipOf([1000]).content);
  expect(await desk.clipPart(e.name, 0)).toMatchObject({ state: "trouble", reason: "not-begun" });
  await begun(e);
  expect(await desk.clipPart(e.name, 1)).toMatchObject({ state: "trouble", reason: "not-begun" });
});
