// Clips as files: the cloud's, and home's main stream in the place of a clip, through the
// desk and a stand-in agent that has a film to give, or cheats.

import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import type { FootageCommand } from "../letter/footage.ts";
import { nameOf } from "../seal/binding.ts";
import { idText, type NameText, nameText, parseName } from "../seal/name.ts";
import { base64, type Bytes, concat, random } from "../wire.ts";
import type { CameraID, Opened } from "./protocol.ts";
import { good, TestHouse } from "./standin/house.ts";

const bytesOf = (name: string): Bytes => new Uint8Array(readFileSync(new URL(`testdata/${name}.mp4`, import.meta.url)));
const recording = bytesOf("recording");
const second = 1_000_000;
const began = 1_772_368_245 * second;

/** The head of the recording, and its three groups of a second each. */
const [head, ...groups] = ((): Bytes[] => {
  const view = new DataView(recording.buffer);
  const at: number[] = [0];
  for (let i = 0; i < recording.length; i += view.getUint32(i)) if (view.getUint32(i + 4) === 0x6d6f6f66) at.push(i);
  return at.map((from, i) => recording.slice(from, at[i + 1] ?? recording.length));
})();

let house: TestHouse;
let camera: CameraID;
let clip: { name: NameText; description: NameText };

beforeEach(async () => {
  house = await TestHouse.make();
  camera = await house.camera();
  clip = await happen();
});

/** An event of three seconds, whose description says what `says` changes. */
async function happen(says: Record<string, unknown> = {}, content = bytesOf("clip")): Promise<{ name: NameText; description: NameText }> {
  const { agent, server } = house;
  const event = idText("event", random(16));
  const made = await agent.seal(server.title!, camera, "clip", content, event, { time: began });
  const told = { object: made.binding.object, type: "video/mp4", stream: "sub", width: 64, height: 48, duration: 3 * second, bytes: content.length, ...says };
  const description = await agent.seal(server.title!, camera, "description", new TextEncoder().encode(JSON.stringify({ v: 1, start: began, end: began + second, clip: told })), event);
  for (const o of [made, description]) server.put(nameOf(o.binding), o.file);
  server.events.push({ event, objects: [made.row, description.row] });
  await good(house.desk.events());
  return { name: nameText(nameOf(made.binding)), description: nameText(nameOf(description.binding)) };
}

interface Kept {
  bytes: Bytes;
  time: number;
  key?: boolean;
  damaged?: boolean;
  init?: Bytes;
}

const kept = (): Kept[] => groups.map((bytes, i) => ({ bytes, time: began + i * second }));

/** The agent has those groups, and gives them as an agent does, no more than `most` bytes at a time. */
function has(all: Kept[], most = 5000): FootageCommand[] {
  const asked: FootageCommand[] = [];
  house.obeys(async (command) => {
    const ask = command.command as unknown as Extract<FootageCommand, { do: "footage" }>;
    asked.push(ask);
    const n = Math.max(0, ask.group - 1);
    const group = all[n];
    const about = group && { sequence: n + 1, time: group.time, lasts: second, key: group.key ?? true, motion: 0, damaged: group.damaged ?? false };
    const bytes = group === undefined || group.damaged ? new Uint8Array(0) : group.bytes.slice(ask.offset, ask.offset + most);
    const whole = group === undefined || group.damaged || ask.offset + bytes.length === group.bytes.length;
    const pieces = about ? [{ ...about, offset: about.damaged ? 0 : ask.offset, of: about.damaged ? 0 : group.bytes.length, bytes: bytes.length }] : [];
    const more = !whole || n + 1 < all.length;
    const next = whole ? { group: more ? n + 2 : 0, offset: 0 } : { group: n + 1, offset: ask.offset + bytes.length };
    const init = group === undefined || group.damaged ? { type: "", init: "" } : { type: "video/mp4", init: base64(group.init ?? head!) };
    return [await house.agent.reply(house.server.title!, command, 1, { ...init, pieces, more, ...next }, bytes)];
  });
  return asked;
}

const full = () => house.desk.fullClip(clip.name, clip.description, "full 1");
const lengthOf = async (blob: Blob) => (await blob.arrayBuffer()).byteLength;
const media = (all: Kept[]) => all.reduce((n, k) => n + k.bytes.length, 0);

function opened<T>(o: Opened<T>): T {
  if (o.state !== "opened") throw new Error(`not opened: ${JSON.stringify(o)}`);
  return o;
}

describe("full quality", () => {
  it("comes from the camera's main stream, of the clip's time, and says how far it is", async () => {
    const asked = has(kept());
    const got = await good(full());
    expect([got.lasts, got.lacks]).toEqual([3 * second, 0]);
    expect(asked.length).toBeGreaterThan(4);
    for (const ask of asked) expect(ask).toMatchObject({ do: "footage", camera, track: "main", from: began, until: began + 3 * second });
    const told = house.heard.flatMap((c) => (c.changed === "progress" && c.command === "full 1" ? [c] : []));
    expect(told[0]).toMatchObject({ done: 0, of: 3 * second });
    expect(told.at(-1)).toMatchObject({ done: 3 * second, of: 3 * second });
    expect(await lengthOf(got.blob)).toBeGreaterThan(media(kept()) * 0.8);
    // The day and hour of the first picture are in the file.
    const seconds = new DataView((await got.blob.arrayBuffer()).slice(0, 200)).getBigUint64(28 + 8 + 8 + 4);
    expect(Number(seconds) - 2_082_844_800).toBe(began / second);
  });

  it("says what it lacks", async () => {
    const [one, two, three] = kept() as [Kept, Kept, Kept];
    const otherwise = concat(head!, new Uint8Array([0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65]));
    for (const [all, lasts] of [
      [[one, { ...two, damaged: true }, three], 2],
      [[{ ...one, key: false }, two, three], 2], // nothing to begin with
      [[one, two, { ...three, init: otherwise }], 2], // coded otherwise
      [[{ ...one, init: otherwise }, two, three], 2], // as sound joins it
      [[two], 1],
    ] as [Kept[], number][]) {
      has(all);
      expect(await good(full())).toMatchObject({ lasts: lasts * second, lacks: (3 - lasts) * second });
    }
  });

  it("is nothing if home has nothing, or what is no film", async () => {
    has([]);
    expect(await full()).toMatchObject({ ok: false, trouble: "refused", reason: "no-footage" });
    has([{ ...kept()[0]!, damaged: true }]);
    expect(await full()).toMatchObject({ ok: false, reason: "no-footage" });
    has([{ ...kept()[0]!, bytes: random(3000) }]);
    expect(await full()).toMatchObject({ ok: false, reason: "no-film" });
  });

  it("takes what no decoder can begin with only behind what one can, and none of which it is not said how it is coded", async () => {
    const [first, next, third] = kept() as [Kept, Kept, Kept];
    has([{ ...first, key: false }, next, { ...third, key: false }]);
    expect((await good(full())).lasts).toBe(2 * second);
    house.obeys(async (command) => {
      const piece = { sequence: 1, time: began, lasts: second, key: true, motion: 0, damaged: false, offset: 0, of: 3, bytes: 3 };
      return [await house.agent.reply(house.server.title!, command, 1, { type: "", init: "", pieces: [piece], more: false, group: 0, offset: 0 }, random(3))];
    });
    expect(await full()).toMatchObject({ ok: false, reason: "no-footage" });
  });

  it("is of what is listed, described by what verifies, and of the camera that took both", async () => {
    const asked = has(kept());
    const strange = (text: NameText): NameText => nameText({ ...parseName(text)!, object: idText("object", random(16)) });
    expect(await house.desk.fullClip(clip.name, strange(clip.description), "1")).toMatchObject({ ok: false, reason: "not-listed" });
    expect(await house.desk.fullClip(strange(clip.name), clip.description, "1")).toMatchObject({ ok: false, reason: "no-clip" });
    const altered = await happen();
    house.server.put(parseName(altered.description)!, random(300));
    expect(await house.desk.fullClip(altered.name, altered.description, "1")).toMatchObject({ ok: false, reason: "no-clip" });
    const here = camera;
    camera = await house.camera();
    const { description } = await happen({ object: parseName(clip.name)!.object });
    camera = here;
    expect(await house.desk.fullClip(clip.name, description, "1")).toMatchObject({ ok: false, reason: "no-clip" });
    for (const says of [{ duration: 0 }, { object: 5 }]) {
      clip = await happen(says);
      expect(await full()).toMatchObject({ ok: false, reason: "no-clip" });
    }
    expect(asked).toEqual([]);
  });

  it("is of this clip alone", async () => {
    has(kept());
    const other = await happen();
    expect(await house.desk.fullClip(other.name, clip.description, "1")).toMatchObject({ ok: false, reason: "no-clip" });
    clip = await happen({ object: idText("object", random(16)) });
    expect(await full()).toMatchObject({ ok: false, reason: "no-clip" });
    has([{ ...kept()[0]!, time: began + 3 * second }]);
    clip = await happen();
    expect(await full()).toMatchObject({ ok: false, trouble: "broken" });
  });

  it("ends when it is stopped, between two answers too", async () => {
    const asked = has(kept());
    const answers = house.server.carry;
    house.server.carry = async (...args) => {
      if (asked.length === 2) await good(house.desk.stopCommand("full 1"));
      return answers!(...args);
    };
    expect(await full()).toMatchObject({ ok: false, reason: "stopped" });
    expect(asked.length).toBeLessThan(4);
    expect((await good(full())).lasts).toBe(3 * second);
  });

  it("is away while home is", async () => {
    house.server.carry = async () => null;
    expect(await full()).toMatchObject({ ok: false, trouble: "away" });
  });
});

it("makes one file of the cloud's clip, with the time in it", async () => {
  const { blob } = opened(await house.desk.clipFile(clip.name));
  const text = new TextDecoder("latin1").decode(await blob.arrayBuffer());
  expect(text).not.toContain("moof");
  expect(text).toContain("stss");
  const strange = new TextEncoder().encode("    ftypof another make");
  const e = await happen({}, strange);
  expect(await lengthOf(opened(await house.desk.clipFile(e.name)).blob)).toBe(strange.length);
});
