// The letter vectors of this side: mostly what JSON, text and numbers can be made to
// say, and signatures over almost the right bytes.

import { type Key, publicKey, type Signer } from "../src/deed/key.ts";
import { Title } from "../src/deed/title.ts";
import { privateKey } from "../src/hpke.ts";
import { type About, commandLife, parseLetter, writeLetter } from "../src/letter/letter.ts";
import { commandBytes } from "../src/letter/read.ts";
import type { Command } from "../src/letter/content.ts";
import { base64, type Bytes, concat, label, random } from "../src/wire.ts";
import type { LetterVector } from "./check.ts";
import type { Homes, TestHome, TestPerson } from "./homes.ts";
import { moment } from "./pieces.ts";

const incarnation = 9;
const text = (s: string): Bytes => new TextEncoder().encode(s);
const pin = { mac: "", serial: "", certificate: "" };

const healthy = {
  v: 1,
  version: "1.0",
  name: "attic",
  started: 1,
  clock: { quality: "estimated", boots: [] as unknown[] },
  cameras: [] as unknown[],
  spool: { objects: 0, bytes: 0, limit: 1, says: "" },
  disk: { free: 1, says: "" },
};

/** Writes letters of home A, and collects them as vectors. */
class Writing {
  readonly vectors: LetterVector[] = [];
  readonly title: Title;

  private constructor(
    readonly name: string,
    readonly home: TestHome,
    readonly seed: Bytes,
    /** The public key that the command brings. */
    readonly brought: Bytes,
    /** The command that replies answer. */
    readonly sent: Bytes,
    readonly re: Bytes,
  ) {
    this.title = home.title;
  }

  static async begin(name: string, home: TestHome): Promise<Writing> {
    const seed = random(32);
    const { publicKey: brought } = await privateKey(seed);
    const sent = await write(home, "command", commandBytes({ do: "discover" }, brought));
    return new Writing(name, home, seed, brought, sent, (await parseLetter(sent)).hash);
  }

  #add(name: string, says: string, expect: string, letter: Bytes, reader: Partial<LetterVector>, content: Bytes): void {
    const v = { name, says, home: this.name, reader: "", ...reader, letter: base64(letter), expect };
    this.vectors.push(expect === "opened" && v.reader !== "carrier" ? { ...v, content: base64(content) } : v);
  }

  /** A command of that content. */
  async command(name: string, says: string, expect: string, content: Bytes, change: Change = {}): Promise<void> {
    const letter = await write(this.home, "command", content, change);
    this.#add(name, says, expect, letter, { reader: `agent ${change.agent ?? 0}`, incarnation }, content);
  }

  /** A reply of that content, to a command of that name. */
  async reply(name: string, says: string, expect: string, to: string, content: Bytes, change: Change = {}): Promise<void> {
    const key = await publicKey("X-Wing", this.brought);
    const letter = await write(this.home, "reply", content, { to: { recipient: "asker", key }, about: { re: this.re }, ...change });
    this.#add(name, says, expect, letter, { reader: "asker", do: to, command: base64(this.sent), asker: base64(this.seed) }, content);
  }

  /** A condition of that content. */
  async condition(name: string, says: string, expect: string, content: Bytes, change: Change = {}, reader: Partial<LetterVector> = {}): Promise<void> {
    const letter = await write(this.home, "condition", content, change);
    this.#add(name, says, expect, letter, { reader: "epoch", asked: "agent 0", ...reader }, content);
  }
}

/** What differs from an honest letter. */
interface Change {
  about?: Partial<About>;
  /** Which of the home's agents, the first if it is absent. */
  agent?: number;
  signer?: Signer;
  title?: Title;
  to?: Parameters<typeof writeLetter>[3];
  bend?: (b: Bytes) => Bytes;
}

async function write(home: TestHome, kind: About["kind"], content: Bytes, change: Change = {}): Promise<Bytes> {
  const title = change.title ?? home.title;
  const agent = home.agents[change.agent ?? 0]!;
  const command = kind === "command";
  const about: About = {
    kind,
    agent: agent.id,
    incarnation,
    number: command ? 0 : 1,
    re: new Uint8Array(32),
    time: moment,
    expires: command ? moment + commandLife : 0,
    ...change.about,
  };
  const to = command
    ? ({ recipient: "agent", key: await publicKey("X-Wing", agent.kem.publicKey) } as const)
    : ({ recipient: "epoch", key: title.epochKey(title.epoch)! } as const);
  const letter = await writeLetter(about, change.signer ?? (command ? home.device : agent.signer), title, change.to ?? to, content);
  return change.bend?.(letter) ?? letter;
}

/** Every letter vector of this side. */
export async function letterDrafts(homes: Homes): Promise<LetterVector[]> {
  const w = await Writing.begin("A", homes["A"]!);
  await commands(w);
  await replies(w);
  await conditions(w);
  await signatures(w, homes);
  return [...w.vectors, ...(await formerLetters(homes["D"]!))];
}

async function commands(w: Writing): Promise<void> {
  const camera = w.home.cameras[0]!.id;
  const of = (c: Command): Bytes => commandBytes(c, w.brought);
  const json = (members: Record<string, unknown>): Bytes => text(JSON.stringify({ v: 1, reply: base64(w.brought), ...members }));
  const source = { name: "Door", main: "rtsp://192.0.2.7/1", sub: "", user: "", password: "", pin };
  const square = [[0, 0], [1, 0], [1, 1]] as const;
  const each: Command[] = [
    { do: "probe", address: "192.0.2.7:554", user: "é", password: "\u{1f6aa} \"\\" },
    { do: "discover" },
    { do: "confirm-head" },
    { do: "add-camera", ...source },
    { do: "change-camera", camera, ...source },
    { do: "describe-camera", camera },
    { do: "forget-camera", camera },
    { do: "accept-device", camera },
    { do: "still", camera },
    { do: "would-fire", camera, sensitivity: "low", zones: [{ name: "Gate", points: [...square] }], masks: [] },
    { do: "timeline", cameras: [camera], track: "main", from: 5, until: 9 },
    { do: "stills", camera, from: 5, until: 9, most: 96 },
    { do: "footage", camera, track: "sub", from: 5, until: 9, group: 7, offset: 3, most: 1 },
    { do: "save", camera, from: 5, until: 9 },
    { do: "unsave", camera, from: 5, until: 9 },
    { do: "delete-footage", camera, from: 5, until: 9 },
  ];
  for (const c of each) await w.command(`command-${c.do}`, "a command as this page writes it", "opened", of(c));
  await w.command("command-password-257", "a password of 257 characters", "content", of({ do: "probe", address: "a", user: "", password: "x".repeat(257) }));
  await w.command("command-password-256", "256 characters that JavaScript counts as 512", "opened", of({ do: "probe", address: "a", user: "", password: "\u{1f6aa}".repeat(256) }));
  await w.command("command-address-line", "an address and a line end", "content", of({ do: "probe", address: "a\n", user: "", password: "" }));
  await w.command("command-camera-capitals", "a camera's ID in capitals", "content", json({ do: "still", camera: camera.toUpperCase() }));
  await w.command("command-version-fraction", "version 1.0 is 1", "opened", concat(text('{"v":1.0,'), json({ do: "discover" }).subarray(7)));
  await w.command("command-version-text", "a version that is text", "content", json({ v: "1", do: "discover" }));
  await w.command("command-do-null", "null is no name", "content", json({ do: null }));
  await w.command("command-reply-missing", "no key for replies", "content", text('{"v":1,"do":"discover"}'));
  await w.command("command-point-outside", "a point beside the picture", "content", json({ do: "would-fire", camera, masks: [{ points: [[0, 0], [1, 0], [1, 10_001]] }] }));
  await w.command("command-point-half", "half a ten-thousandth", "content", json({ do: "would-fire", camera, masks: [{ points: [[0, 0], [1, 0.5], [1, 1]] }] }));
  await w.command("command-point-whole", "a whole number, written otherwise", "opened", json({ do: "would-fire", camera, later: true, masks: [{ points: [[0, 0], [1e3, 0], [1, 1]] }] }));
  await w.command("command-zones-17", "17 zones", "content", json({ do: "would-fire", camera, zones: Array.from({ length: 17 }, () => ({ name: "Z", points: square })) }));
  await w.command("command-sensitivity", "a sensitivity that there is not", "content", json({ do: "would-fire", camera, sensitivity: "none" }));
  await w.command("command-no-json", "no JSON", "content", text("reboot"));
  await w.command("command-byte-order-mark", "a byte order mark", "content", concat(text("\ufeff"), json({ do: "discover" })));
}

async function replies(w: Writing): Promise<void> {
  const json = (members: Record<string, unknown>): Bytes => text(JSON.stringify({ v: 1, ...members }));
  await w.reply("reply-devices", "which cameras there are", "opened", "discover", json({ devices: [] }));
  await w.reply("reply-progress", "how far it has come", "opened", "discover", json({ progress: { says: "Listening", done: 0, of: 0 } }));
  await w.reply("reply-progress-half", "half of something", "content", "discover", json({ progress: { says: "Listening", done: 0.5, of: 1 } }));
  await w.reply("reply-progress-2-53", "a count of 2^53", "content", "discover", text('{"v":1,"progress":{"says":"","done":9007199254740992,"of":0}}'));
  await w.reply("reply-error", "it could not be done", "opened", "discover", json({ error: { reason: "no-network", message: "The agent has no network." } }));
  await w.reply("reply-error-silent", "an error without a message", "content", "discover", json({ error: { reason: "x" } }));
  await w.reply("reply-error-600", "600 characters", "opened", "discover", json({ error: { reason: "x", message: "\u{1f6aa}".repeat(600) } }));
  await w.reply("reply-error-601", "601 characters", "content", "discover", json({ error: { reason: "x", message: "m".repeat(601) } }));
  await w.reply("reply-devices-257", "257 devices", "content", "discover", json({ devices: Array.from({ length: 257 }, () => ({ host: "a", name: "", hardware: "", address: "" })) }));
  await w.reply("reply-devices-object", "an object in place of the list", "content", "discover", json({ devices: {} }));
  await w.reply("reply-device-null", "a device that is null", "content", "discover", json({ devices: [null] }));
  await w.reply("reply-lone-surrogate", "half of a character, escaped", "opened", "discover", text('{"v":1,"error":{"reason":"x","message":"\\ud83d"}}'));
  const hash = "0a".repeat(32);
  await w.reply("reply-head", "the newest deed that the agent knows", "opened", "confirm-head", json({ head: `9007199254740991:${hash}` }));
  await w.reply("reply-head-2-53", "a deed numbered 2^53", "content", "confirm-head", json({ head: `9007199254740992:${hash}` }));
  await w.reply("reply-head-zero", "a number that begins with 0", "content", "confirm-head", json({ head: `07:${hash}` }));
  await w.reply("reply-head-object", "a head in parts", "content", "confirm-head", json({ head: { seq: 7, hash } }));
  await w.reply("reply-head-long", "a hash of 33 bytes", "content", "confirm-head", json({ head: `7:${hash}0a` }));
  const behind = (bytes: number[], members: Record<string, unknown>): Bytes => concat(json(members), new Uint8Array(1), new Uint8Array(bytes));
  const piece = { sequence: 7, time: 5, lasts: 2, key: true, motion: 0, damaged: false, offset: 1, of: 3, bytes: 2 };
  const film = { type: "video/mp4", init: "", pieces: [piece], more: false, group: 0, offset: 0 };
  await w.reply("reply-pieces", "the end of a group, with zeros in it", "opened", "footage", behind([0, 0], film));
  await w.reply("reply-pieces-short", "a byte less than it says", "content", "footage", behind([0], film));
  await w.reply("reply-pieces-long", "a byte more than it says", "content", "footage", behind([0, 0, 0], film));
  await w.reply("reply-pieces-beyond", "more than the group has", "content", "footage", behind([0, 0], { ...film, pieces: [{ ...piece, offset: 2 }] }));
  await w.reply("reply-stills", "a picture", "opened", "stills", behind([0xff, 0xd8, 0xff, 0xe0], { stills: [{ time: 5, bytes: 4 }], until: 9 }));
  await w.reply("reply-stills-gif", "what is no JPEG", "content", "stills", behind([0x47, 0x49, 0x46, 0x38], { stills: [{ time: 5, bytes: 4 }], until: 9 }));
  await w.reply("reply-devices-bytes", "bytes behind a reply that has none", "content", "discover", behind([1], { devices: [] }));
  await w.reply("reply-incarnation", "the agent has started anew before it replied", "stale", "discover", json({ devices: [] }), { about: { re: w.re, incarnation: incarnation + 1 } });
  await w.reply("reply-elsewhere", "a reply to another command", "wrong-command", "discover", json({ devices: [] }), { about: { re: random(32) } });
}

async function conditions(w: Writing): Promise<void> {
  const json = (change: Record<string, unknown>): Bytes => text(JSON.stringify({ ...healthy, ...change }));
  const camera = { camera: w.home.cameras[0]!.id, state: "off", recording: false, since: 1, says: "", last: 0, width: 0, height: 0, codec: "", rate: 0, audio: "", motion: "", events_24h: 0 };
  const boot = "a".repeat(26);
  const clock = (...boots: unknown[]): Bytes => json({ clock: { quality: "unknown", boots } });
  await w.condition("told", "how an agent is", "opened", json({}));
  await w.condition("told-camera", "with a camera that is off", "opened", json({ cameras: [camera], later: [] }));
  await w.condition("told-camera-strange", "a camera that this home has not: the page shows it nowhere", "opened", json({ cameras: [{ ...camera, camera: boot }] }));
  await w.condition("told-camera-last", "a time before 1970", "content", json({ cameras: [{ ...camera, last: -1 }] }));
  await w.condition("told-camera-recording", "recording: 1", "content", json({ cameras: [{ ...camera, recording: 1 }] }));
  await w.condition("told-cameras-257", "more cameras than a home has", "content", json({ cameras: Array.from({ length: 257 }, () => camera) }));
  await w.condition("told-boot", "a boot in 1970", "opened", clock({ boot, correction: 1_780_000_000_000_000 }));
  await w.condition("told-boots-65", "65 boots", "content", clock(...Array.from({ length: 65 }, () => ({ boot, correction: 1 }))));
  await w.condition("told-boot-2-53", "a correction of -2^53", "content", clock({ boot, correction: -9007199254740992 }));
  await w.condition("told-boot-long", "a boot's ID with a letter more", "content", clock({ boot: boot + "a", correction: 1 }));
  await w.condition("told-hidden", "a name with a character that nobody sees turn it", "content", json({ name: "attic\u2066" }));
  await w.condition("told-escaped", "a control character, escaped", "content", text(JSON.stringify({ ...healthy }).replace('"attic"', '"a\\u0000"')));
  await w.condition("told-array", "a list in place of the clock", "content", json({ clock: [] }));
}

/** Letters of home D, whose people and agents came and went. */
async function formerLetters(home: TestHome): Promise<LetterVector[]> {
  const w = await Writing.begin("D", home);
  const { anna, gus, link } = home.people as Record<"anna" | "gus" | "link", TestPerson>;
  const content = text(JSON.stringify(healthy));
  const [discover, confirm] = (["discover", "confirm-head"] as const).map((c) => commandBytes({ do: c }, w.brought)) as [Bytes, Bytes];
  const before = await Title.start(home.deeds.slice(0, 12));
  const kem = async (agent: number): Promise<{ recipient: "agent"; key: Key }> => ({ recipient: "agent", key: await publicKey("X-Wing", home.agents[agent]!.kem.publicKey) });
  await w.condition("former-key-then", "an agent that has new keys now, by the ones that it had", "opened", content, { title: before });
  await w.condition("former-key-now", "the keys that an agent had, at the newest head", "former-signer", content);
  await w.condition("new-key-then", "the keys that an agent has, at a head before they came", "former-signer", content, { agent: 1, title: before });
  await w.condition("released-then", "an agent that has left, from before it did", "opened", content, { agent: 2, title: before }, { asked: "agent 2" });
  await w.condition("released-now", "an agent that has left, at the newest head", "wrong-agent", content, { agent: 2 }, { reader: "carrier" });
  await w.condition("released-for-other", "an agent that has left, in the name of one that stands: whose key it is is looked at first", "wrong-agent", content, { agent: 1, signer: home.agents[2]!.signer }, { reader: "carrier" });
  await w.command("dismissed-device-then", "the device of somebody who stood in the home at the head and is gone now", "former-signer", discover, { signer: anna.device, title: before });
  await w.command("dismissed-confirms", "the own key of somebody who is gone", "former-signer", confirm, { agent: 1, signer: gus.signer });
  await w.command("link-confirms", "the own key of a link", "opened", confirm, { agent: 1, signer: link.signer });
  await w.command("link-discovers", "the own key of a link, for more than a head", "not-allowed", discover, { agent: 1, signer: link.signer });
  await w.command("owner-discovers", "the own key of the owner, for more than a head", "not-allowed", discover, { agent: 1, signer: home.owner });
  await w.command("former-kem-then", "sealed at an earlier head to the key of then", "opened", discover, { title: before });
  await w.command("new-kem-then", "sealed at an earlier head to the key of now", "wrong-recipients", discover, { agent: 1, title: before });
  await w.command("former-kem-now", "sealed at the newest head to the key of then", "wrong-recipients", discover, { agent: 1, to: await kem(0) });
  return w.vectors;
}

async function signatures(w: Writing, homes: Homes): Promise<void> {
  const content = text(JSON.stringify(healthy));
  const agent = w.home.agents[0]!.signer;
  const by = (sign: (m: Bytes) => Promise<Bytes>): Signer => ({ key: agent.key, sign });
  const mark = "latchkey letter v1".length + 1;
  const carrier = { reader: "carrier" };
  await w.condition("signed-without-label", "signed without the label", "bad-signature", content, { signer: by((m) => agent.sign(m.slice(mark))) }, carrier);
  await w.condition("signed-as-settings", "signed as if it were settings", "bad-signature", content, { signer: by((m) => agent.sign(concat(label("latchkey settings v1"), m.slice(mark)))) }, carrier);
  await w.condition("signed-by-owner", "named as the agent's, signed by the owner", "bad-signature", content, { signer: by((m) => w.home.owner.sign(m)) });
  await w.condition("signed-by-neighbour", "signed by the neighbours' agent", "unknown-signer", content, { signer: homes["B"]!.agents[0]!.signer }, carrier);
  await w.condition("sealed-to-neighbour", "sealed to the neighbours' epoch", "wrong-recipients", content, { to: { recipient: "epoch", key: homes["B"]!.title.epochKey(1)! } }, carrier);
  const early = await Title.start(w.home.deeds.slice(0, 5));
  await w.condition("early", "from the first epoch, for a reader who has its key", "opened", content, { title: early });
  const discover = commandBytes({ do: "discover" }, w.brought);
  await w.command("swapped-kind", "a command that says it is a condition", "malformed", discover, { bend: (b) => b.with(1, 3) as Bytes });
  await w.command("signed-by-agent", "an agent commands itself", "not-allowed", discover, { signer: agent });
}
