// A cache that heeds no header stands before the server: whatever was once answered at an
// address is what everybody gets who asks there. Two people of one home and one of
// another look through it. The address alone says whose an answer is, every answer is
// bound to the page that asked, and objects are sealed: nothing crosses. The control runs
// the same with the page's comparison cut out.

import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";

import { readPrefix } from "../src/seal/file.ts";
import { Source } from "../src/source.ts";
import { words } from "../src/words.ts";
import { keepPictures, startBrowser, type Visitor } from "./house/browser.ts";
import { buildCut, type Cut } from "./house/cut.ts";
import { Cloud, Household, scene, Street } from "./house/house.ts";
import { type Card, cards, distance, type Picture, shows, until } from "./house/look.ts";
import { admit, come, invite } from "./house/people.ts";
import { endAll } from "./house/process.ts";

const built = inject("built");

const home = "Haus am See";
const [door, garden, drive] = ["Haustür", "Garten", "Einfahrt"];

// Everything at an address of the API, and parts of it alone.
const everything = /^\/v1\//;
const events = /\/events$/;
const objects = /^\/v1\/objects\//;

const withoutMAC: Cut = {
  file: "web/src/api.ts",
  old: `if (!(await key.answers(mac, id, response.status, bytes))) throw new Failed({ trouble: "crossed", what: "answer" }, null, id);`,
  new: `if (!(await key.answers(mac, id, response.status, bytes))) console.debug("an answer that is not ours");`,
};

let browser: Browser;
let cloud: Cloud;
let ours: Household;
let theirs: Household;
/** A guest of ours, who may see pictures of the garden. */
let gus: Visitor;
let altered: Promise<string>;

/** What each camera's newest picture looks like. */
let looks: Record<string, Picture>;

keepPictures();

beforeAll(async () => {
  const folder = mkdtempSync(join(built.folder, "cache-"));
  browser = await startBrowser();
  altered = buildCut(built, "no-mac", [withoutMAC]);
  const street = await Street.paint(built, [
    { scene: scene.frontDoor, user: "door", password: "pw-door" },
    { scene: scene.garden, user: "garden", password: "pw-garden" },
    { scene: scene.driveway, user: "drive", password: "pw-drive" },
  ]);
  cloud = await Cloud.start(join(folder, "cloud"), built.latchkey);
  ours = await Household.found(cloud, browser, join(folder, "ours"), built.latchkey, home);
  theirs = await Household.found(cloud, browser, join(folder, "theirs"), built.latchkey, "Nebenan");
  await moveIn(ours, { [door!]: street.cameras[0]!, [garden!]: street.cameras[1]! });
  await moveIn(theirs, { [drive!]: street.cameras[2]! });
  const link = await invite(ours.owner.page, { name: "Gus", role: "guest", camera: garden!, kinds: ["thumbnail", "description"] });
  gus = await come(browser, cloud.origin, link, { email: "gus@example.org", passphrase: "Siebzehn Gurken im Regenschirm" });
  await admit(ours.owner.page, gus.page, "Gus", home);
  await ours.goToEvents();
  looks = {
    [door!]: (await pictureOf(ours.owner, door!)).picture!,
    [garden!]: (await pictureOf(gus, garden!)).picture!,
    [drive!]: (await pictureOf(theirs.owner, drive!)).picture!,
  };
  await street.stop(); // from here on nothing happens but what the tests do
  for (const h of [ours, theirs]) h.agent.signal("SIGINT");
}, 300_000);

afterAll(async () => {
  await browser?.close();
  endAll();
});

afterEach(() => {
  cloud.wire.hoards = null;
  cloud.wire.hoard.clear();
});

async function moveIn(h: Household, cameras: Record<string, Street["cameras"][number]>): Promise<void> {
  await h.addAgent();
  for (const [name, camera] of Object.entries(cameras)) await h.addCamera(name, camera);
  await h.run();
  await h.acceptCameras(...Object.keys(cameras));
}

function pictureOf(v: Visitor, camera: string): Promise<Card> {
  return until(v.page, `a picture of ${camera}`, (all) => all.find((c) => c.camera === camera && shows(c.picture)));
}

/** Closes somebody's page, so that nothing of it is the first to ask. */
async function leave({ page }: Visitor): Promise<void> {
  await page.goto("about:blank");
}

/** Opens somebody's page anew, with nothing in the browser's own cache: what they see comes through the wire. */
async function look(v: Visitor): Promise<void> {
  await leave(v);
  const devtools = await v.context.newCDPSession(v.page);
  await devtools.send("Network.clearBrowserCache");
  await devtools.detach();
  await v.page.goto(cloud.origin);
}

/** What somebody's page asked for and got out of the hoard from here on. */
function fromTheHoard(): () => string[] {
  const begun = cloud.wire.passed.length;
  return () => cloud.wire.passed.slice(begun).flatMap(({ what }) => what.match(/^hoarded answer to GET (.*)$/)?.[1] ?? []);
}

/** The page throws away what it gets, says so, and tells the server. */
async function refuses(v: Visitor, ...foreign: string[]): Promise<void> {
  const from = cloud.server.lines.length;
  await look(v);
  await v.page.getByText(words.crossed.says).first().waitFor();
  await cloud.server.line(/ERROR msg=misroute where=report confirmed=false/, { from, within: 20_000 });
  expect((await cards(v.page)).filter((c) => c.picture !== null)).toEqual([]);
  await showsNothingOf(v, ...foreign);
}

/** Nothing of those cameras is on somebody's page, not even their names or a card. */
async function showsNothingOf(v: Visitor, ...foreign: string[]): Promise<void> {
  const seen = await cards(v.page);
  for (const camera of foreign) {
    expect(seen.map((c) => c.camera)).not.toContain(camera);
    for (const { picture } of seen) if (picture !== null) expect(distance(picture, looks[camera]!)).toBeGreaterThan(25);
  }
}

describe("objects are kept for everybody", () => {
  test("and each sees what is theirs, out of the same cache", async () => {
    cloud.wire.hoards = { paths: objects, renamed: true };
    await look(ours.owner);
    for (const camera of [door!, garden!]) expect(distance((await pictureOf(ours.owner, camera)).picture!, looks[camera]!)).toBeLessThan(12);
    const hoarded = fromTheHoard();
    await look(gus);
    expect(distance((await pictureOf(gus, garden!)).picture!, looks[garden!]!)).toBeLessThan(12);
    expect(hoarded().length).toBeGreaterThan(0); // the owner's answers, and the guest's own envelopes
    await showsNothingOf(gus, door!, drive!);
    await look(theirs.owner);
    await pictureOf(theirs.owner, drive!);
    await showsNothingOf(theirs.owner, door!, garden!);
  });

  test("whoever asks for another's address gets what they cannot open", async () => {
    cloud.wire.hoards = { paths: objects, renamed: false };
    await look(ours.owner);
    await pictureOf(ours.owner, door!);
    await pictureOf(ours.owner, garden!);
    const kept = [...cloud.wire.hoard];
    expect(kept.length).toBeGreaterThan(1);
    for (const [path, { body }] of kept) {
      const got = Buffer.from(await theirs.owner.page.evaluate(async (p) => [...new Uint8Array(await (await fetch(p)).arrayBuffer())], path));
      expect(got.equals(body)).toBe(true);
      expect((await readPrefix(new Source(new Uint8Array(got)))).envelopes).toEqual([]);
      expect(got.includes(Buffer.from([0xff, 0xd8, 0xff]))).toBe(false);
    }
  });
});

describe.each([
  ["all answers are kept for everybody, as they were", everything, false],
  ["all answers are kept for everybody, under the name of the new request", everything, true],
  ["lists of events are kept for everybody, under the name of the new request", events, true],
])("%s", (_, paths, renamed) => {
  test("a guest is shown nothing of what was answered to the owner, and the page says so", async () => {
    await leave(gus);
    cloud.wire.hoards = { paths, renamed };
    await look(ours.owner); // the first to ask: these are the owner's own answers
    await pictureOf(ours.owner, door!);
    const hoarded = fromTheHoard();
    await refuses(gus, door!, drive!);
    expect(hoarded().length).toBeGreaterThan(0);
    // At the addresses of another home nobody has asked before.
    await look(theirs.owner);
    await pictureOf(theirs.owner, drive!);
    await showsNothingOf(theirs.owner, door!, garden!);
  });

  test("an owner is shown nothing of what was answered to a guest", async () => {
    await leave(ours.owner);
    cloud.wire.hoards = { paths, renamed };
    await look(gus);
    await pictureOf(gus, garden!);
    await refuses(ours.owner);
  });
});

describe("put right again", () => {
  test("everybody sees what is theirs", async () => {
    for (const [v, camera] of [[ours.owner, door!], [gus, garden!], [theirs.owner, drive!]] as const) {
      await look(v);
      await pictureOf(v, camera);
    }
  });
});

describe("control: with the page's comparison cut out", () => {
  beforeAll(async () => cloud.restart(await altered));

  test("a guest is told of a camera that is not theirs", async () => {
    await leave(gus);
    cloud.wire.hoards = { paths: everything, renamed: true };
    await look(ours.owner);
    const { event } = await pictureOf(ours.owner, door!);
    await look(gus);
    // Its picture is sealed for others even so: there is nothing to cut out that would show it.
    const card = await until(gus.page, "the owner's event", (all) => all.find((c) => c.event === event));
    expect(card.picture).toBeNull();
  });
});
