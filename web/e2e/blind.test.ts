// The server cannot see. A whole house lives for a while; then everything that the
// server has, on its disk and in its memory, is searched for what the house has seen
// and for the names in it. The control is the same house with the encryption cut out
// of agent, page and program: there the same search must find every kind of it.

import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

import { keepPictures, startBrowser } from "./house/browser.ts";
import { buildCut, type Cut } from "./house/cut.ts";
import { Cloud, Household, scene, Street } from "./house/house.ts";
import { shows, until } from "./house/look.ts";
import { keyFile, listed, opened } from "./house/owner.ts";
import { endAll } from "./house/process.ts";
import { type Found, kinds, lookIn, lookInFolder, lookInMemory, type Needle, pieces, text } from "./house/scan.ts";

const built = inject("built");
const camera = "Gartenpforte Ost 4711";
const home = "Haus Eulenspiegel 815";

let browser: Browser;
let street: Street;
let sealed: Seen;
let clear: Seen;

keepPictures();

beforeAll(async () => {
  browser = await startBrowser();
  street = await Street.paint(built, [{ scene: scene.driveway, user: "drive", password: "pw-drive" }]);
  const control = buildCut(built, "no-encryption", encryption).then((program) => live("clear", program));
  [sealed, clear] = await Promise.all([live("sealed", built.latchkey), control]);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  endAll();
});

// Copied in clear: the chunks of every body, and the keys and names that HPKE seals.
// The lengths stay, so that everything else goes on as ever.
const encryption: Cut[] = [
  { file: "internal/cobblestone/cobblestone.go", old: "return c.aead.Seal(dst, c.at(i), content, nil)", new: "return append(append(dst, content...), make([]byte, TagSize)...)" },
  { file: "internal/cobblestone/cobblestone.go", old: "out, err := c.aead.Open(dst, c.at(i), sealed, nil)", new: "out, err := append(dst, sealed[:len(sealed)-TagSize]...), error(nil)" },
  { file: "key/key.go", old: "sealed, err := hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES256GCM(), info, plaintext)", new: "_ = public\n\tsealed, err := append(append(make([]byte, 1120), plaintext...), make([]byte, 16)...), error(nil)" },
  { file: "key/key.go", old: "plaintext, err := hpke.Open(p.hpke, hpke.HKDFSHA256(), hpke.AES256GCM(), info, sealed)", new: "plaintext, err := sealed[1120:len(sealed)-16], error(nil)" },
  { file: "web/src/cobblestone.ts", old: "new Uint8Array(await crypto.subtle.encrypt({ name: \"AES-GCM\", iv: nonce(s.baseNonce, i) }, s.key, plain))", new: "concat(plain, new Uint8Array(tagSize))" },
  { file: "web/src/cobblestone.ts", old: "new Uint8Array(await crypto.subtle.decrypt({ name: \"AES-GCM\", iv: nonce(this.#secrets.baseNonce, i) }, this.#secrets.key, sealed))", new: "copy(sealed.subarray(0, sealed.length - tagSize))" },
  { file: "web/src/hpke.ts", old: "return (await suite()).privateKey(seed);", new: "const { publicKey } = await (await suite()).privateKey(seed);\n  return { publicKey, open: async (_, sealed) => copy(sealed.subarray(encSize, sealed.length - tagSize)) };" },
  { file: "web/src/hpke.ts", old: "return (await suite()).seal(publicKey, info, plaintext);", new: "return concat(new Uint8Array(encSize), plaintext, new Uint8Array(tagSize));" },
];

const everything = ["a clip", "a description", "a thumbnail", "marks of a JPEG", "marks of an MP4", "the camera's name", "the home's name"];

interface Seen {
  needles: Needle[];
  disk: Found[];
  memory: { bytes: number; found: Found[] };
  log: Found[];
}

/** Lets a house live until two events have come whole, and searches its server. */
async function live(name: string, program: string): Promise<Seen> {
  const folder = mkdtempSync(join(built.folder, `${name}-`));
  const cloud = await Cloud.start(join(folder, "cloud"), program);
  const house = await Household.found(cloud, browser, join(folder, "house"), program, home);
  await house.addAgent();
  await house.addCamera(camera, street.cameras[0]!);
  await house.run();
  await house.acceptCameras(camera);
  await until(house.owner.page, "two whole events", (all) => all.filter((c) => c.camera === camera && shows(c.picture) && c.whole).length >= 2, 90_000);
  const needles = await sought(house);
  const seen = { needles, memory: lookInMemory(cloud.server.pid, needles), disk: lookInFolder(cloud.folder, needles), log: lookIn(Buffer.from(cloud.log), "log", needles) };
  house.owner.blameless();
  await house.stop();
  await cloud.stop();
  return seen;
}

/** What was seen in the house, opened with its owner's key by the program itself. */
async function sought(house: Household): Promise<Needle[]> {
  const key = await keyFile(house);
  const needles = [...text("the camera's name", camera), ...text("the home's name", home)];
  for (const o of await listed(house, key.home)) {
    const plain = await opened(house, key.path, o);
    if (o.kind === "thumbnail") needles.push(...pieces("a thumbnail", plain), mark("marks of a JPEG", plain, Buffer.from("ffd8ff", "hex")));
    if (o.kind === "clip") needles.push(...pieces("a clip", plain), mark("marks of an MP4", plain, Buffer.from("moof")), mark("marks of an MP4", plain, Buffer.from("avcC")));
    if (o.kind === "description") needles.push({ kind: "a description", bytes: Buffer.from('"cause":"motion"') }, { kind: "a description", bytes: plain.subarray(0, 40) });
  }
  expect(kinds(needles.map((n) => ({ kind: n.kind, where: "" })))).toEqual(everything);
  return needles;
}

// The mark and what follows it there: long enough not to occur by chance.
function mark(kind: string, plain: Buffer, begins: Buffer): Needle {
  const at = plain.indexOf(begins);
  expect(at, `${begins.toString("latin1")} in ${kind}`).toBeGreaterThanOrEqual(0);
  return { kind, bytes: plain.subarray(at, at + 24) };
}

test("of what the house has seen, and of its names, the server has nothing", () => {
  const { needles, disk, memory, log } = sealed;
  console.log(`measured: ${needles.length} needles, ${(memory.bytes / 1e6).toFixed(0)} MB of memory`);
  expect(memory.bytes).toBeGreaterThan(10e6);
  expect(disk).toEqual([]);
  expect(memory.found).toEqual([]);
  expect(log).toEqual([]);
});

test("control: with the encryption cut out the same search finds every kind of it", () => {
  const { disk, memory } = clear;
  console.log(`measured: in clear there is on disk ${kinds(disk).join(", ")}; in memory ${kinds(memory.found).join(", ")}`);
  expect(kinds(disk)).toEqual(everything);
  expect(kinds(memory.found)).not.toEqual([]);
});
