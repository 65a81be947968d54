// The worker through its door, against a server that can be told to misbehave.

import { beforeEach, describe, expect, it } from "vitest";
import type { CameraID, EventRow, HomeID, Opened, Result } from "./protocol.ts";
import { signDeed } from "../deed/deed.ts";
import { openEpochs, ringOf } from "../deed/epoch.ts";
import { signerOf } from "../deed/key.ts";
import { privateKey } from "../hpke.ts";
import type { PersonSecrets } from "../keep/keep.ts";
import { openSettings, parseDocument, sealContent } from "../settings/settings.ts";
import { Title } from "../deed/title.ts";
import { nameOf } from "../seal/binding.ts";
import { idText, nameText } from "../seal/name.ts";
import { base64, type Bytes, concat, random, unbase64 } from "../wire.ts";
import { Desk } from "./desk.ts";
import { Hall } from "./hall.ts";
import { makeHome } from "./founding.ts";
import { type Made, TestAgent } from "./standin/agent.ts";
import { answerMAC, StandIn } from "./standin/server.ts";
import { MemoryKeep } from "../keep/memory.ts";

let server: StandIn;
let keep: MemoryKeep;
let desk: Desk;

function newDesk(): Desk {
  return new Desk(new Hall(server.client(), async () => keep, () => undefined));
}

beforeEach(() => {
  server = new StandIn();
  keep = new MemoryKeep();
  desk = newDesk();
});

async function good<T>(call: Promise<Result<T>>): Promise<{ ok: true } & T> {
  const r = await call;
  if (!r.ok) throw new Error(`refused: ${JSON.stringify(r)}`);
  return r;
}

async function ringIn(title: Title, { person, kem }: PersonSecrets): Promise<ReturnType<typeof ringOf>> {
  return ringOf(await openEpochs(title, person, await privateKey(kem)));
}

async function founded(): Promise<HomeID> {
  return (await good(desk.found({ setup: "a set-up secret", home: "Our house", zone: "Europe/Berlin" }))).home;
}

/** A home with one agent and so many cameras. */
async function withCameras(n: number): Promise<{ agent: TestAgent; cameras: CameraID[] }> {
  await founded();
  const agent = await TestAgent.make();
  const { link, slot } = await good(desk.openJoin());
  server.answers.set(slot, await agent.answer(link, server.announcements.get(slot)!));
  await good(desk.watchJoin(slot));
  await good(desk.placeAgent(slot));
  const cameras: CameraID[] = [];
  for (let i = 0; i < n; i++) {
    const camera = idText("camera", random(16));
    server.asks = [await agent.ask(server.title!, camera, `Camera ${i}`)];
    await good(desk.asks());
    await good(desk.placeCamera(camera));
    cameras.push(camera);
  }
  return { agent, cameras };
}

const jpeg = (n = 200): Bytes => concat(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), random(n));

/** Lists objects, each as an event of its own, and stores their files. */
function record(...all: Made[]): void {
  server.events = all.map((m) => ({ event: m.binding.event, objects: [m.row] }));
  for (const m of all) server.put(nameOf(m.binding), m.file);
}

const nameFor = (m: Made): ReturnType<typeof nameText> => nameText(nameOf(m.binding));
const listed = async (): Promise<EventRow[]> => (await good(desk.events())).events;
const bytesOf = async (o: Opened<{ blob: Blob }>): Promise<Bytes> => {
  if (o.state !== "opened") throw new Error(`not opened: ${JSON.stringify(o)}`);
  return new Uint8Array(await o.blob.arrayBuffer());
};

describe("founding", () => {
  it("keeps the keys, founds the home and names it", async () => {
    const home = await founded();
    expect(server.title?.home).toBe(home);
    expect((await good(desk.settings())).settings).toMatchObject({ number: 1, home: "Our house", zone: "Europe/Berlin" });
    const later = await good(newDesk().open());
    expect(later.title).toMatchObject({ home, epoch: 1, cameras: [], agents: [] });
  });

  it("finds out by signing in that a home was founded whose answer was lost", async () => {
    server.bend = (q, a) => (q.path === "/v1/homes" ? null : a);
    expect(await desk.found({ setup: "a set-up secret" })).toMatchObject({ ok: false, trouble: "offline" });
    expect((await good(desk.homes())).homes).toEqual([]);
    server.bend = (_, a) => a;
    expect((await good(desk.found({ setup: "a set-up secret" }))).home).toBe(server.title!.home);
    expect((await good(desk.homes())).homes).toHaveLength(1);
  });

  it("keeps nothing of a home that the server refuses", async () => {
    expect(await desk.found({ setup: "another" })).toMatchObject({ ok: false, trouble: "refused", reason: "expired" });
    expect(keep.kept.size).toBe(0);
  });
});

describe("taking in an agent", () => {
  it("places the one that has the link, and lets it read the settings", async () => {
    await founded();
    const agent = await TestAgent.make();
    const { link, slot } = await good(desk.openJoin());
    server.answers.set(slot, await agent.answer(link, server.announcements.get(slot)!));
    expect(await good(desk.watchJoin(slot))).toMatchObject({ state: "answered", agent: agent.body.agent });
    await good(desk.placeAgent(slot));
    expect(server.title!.agents.map((a) => a.id)).toEqual([agent.body.agent]);
    expect((await good(desk.settings())).settings.number).toBe(2);
  });

  it("does not place one that guesses", async () => {
    await founded();
    const agent = await TestAgent.make();
    const { slot } = await good(desk.openJoin());
    const guess = "http://x/#join=" + "a".repeat(26);
    server.answers.set(slot, await agent.answer(guess, server.announcements.get(slot)!));
    expect(await desk.watchJoin(slot)).toMatchObject({ ok: false, reason: "join-proof" });
    expect(await desk.placeAgent(slot)).toMatchObject({ ok: false, reason: "join-answer" });
    expect(server.title!.agents).toEqual([]);
  });

  it("uses the secret of a set-up link, and gives one slot for one secret", async () => {
    await founded();
    const secret = "a".repeat(26);
    const a = await good(desk.openJoin(secret));
    expect((await good(desk.openJoin(secret))).slot).toBe(a.slot);
    expect(a.link).toContain(`#join=${secret}&home=`);
    expect(await desk.openJoin("a".repeat(25))).toMatchObject({ ok: false, reason: "join-secret" });
  });

  it("places a camera that was asked for under the name that its agent gave it", async () => {
    const { cameras } = await withCameras(2);
    const { settings } = await good(desk.settings());
    expect(settings.cameras).toMatchObject({ [cameras[0]!]: { name: "Camera 0" }, [cameras[1]!]: { name: "Camera 1" } });
  });

  it("leaves out an ask that another agent signed", async () => {
    const { agent } = await withCameras(0);
    const stranger = await TestAgent.make();
    server.asks = [await stranger.ask(server.title!, idText("camera", random(16)), "Mine"), await agent.ask(server.title!, idText("camera", random(16)), "Door")];
    const { asks, refused } = await good(desk.asks());
    expect(asks.map((a) => a.name)).toEqual(["Door"]);
    expect(refused).toBe(1);
  });

  it("keeps what a later version of the page says in the settings", async () => {
    await founded();
    const { signing } = keep.kept.values().next().value!.secrets!;
    const content = new TextEncoder().encode(`{"v":1,"home":"H","zone":"UTC","cameras":{},"colour":"blue"}`);
    const before = await parseDocument(server.document);
    server.document = await sealContent(await signerOf(signing), server.title!, { ...before, head: before.head.seq }, Date.now() * 1000, content);
    await good(desk.settings());
    await good(desk.saveSettings({ home: "Later" }));
    const ring = await ringIn(server.title!, keep.kept.values().next().value!.secrets!);
    const { plain } = await openSettings(server.document, server.title!, null, { recipient: "epoch", keys: ring });
    expect(JSON.parse(new TextDecoder().decode(plain))).toMatchObject({ home: "Later", colour: "blue" });
  });

  it("keeps what somebody else changed in the settings meanwhile", async () => {
    await founded();
    const other = newDesk();
    await good(other.open());
    await good(other.saveSettings({ home: "The other name" }));
    const { settings } = await good(desk.saveSettings({ zone: "UTC" }));
    expect(settings).toMatchObject({ home: "The other name", zone: "UTC" });
  });
});

describe("the list", () => {
  it("shows what verified headers say", async () => {
    const { agent, cameras } = await withCameras(1);
    const event = idText("event", random(16));
    const thumbnail = await agent.seal(server.title!, cameras[0]!, "thumbnail", jpeg(), event);
    const clip = await agent.seal(server.title!, cameras[0]!, "clip", jpeg(), event);
    server.events = [{ event, objects: [thumbnail.row, clip.row] }];
    const [row] = await listed();
    expect(row).toMatchObject({ key: event, event, camera: cameras[0], time: thumbnail.binding.time });
    expect(row!.objects.map((o) => o.state === "verified" && o.openable)).toEqual([true, true]);
  });

  it("says what was looked at, and tells the server of it in so many at a time", async () => {
    const { agent, cameras } = await withCameras(1);
    const [old, fresh] = await Promise.all([0, 1].map(() => agent.seal(server.title!, cameras[0]!, "thumbnail", jpeg())));
    server.events = [old!, fresh!].map((m) => ({ event: m.binding.event, objects: [m.row], ...(m === old ? { reviewed: true } : {}) }));
    expect((await listed()).map((e) => e.reviewed)).toEqual([true, false]);
    const many = Array.from({ length: 501 }, () => idText("event", random(16)));
    await good(desk.review(many));
    await good(desk.review([], many[0]!));
    const told = server.arrived.filter((q) => q.path.endsWith("/reviewed")).map((q) => q.body);
    expect(told).toMatchObject([{ events: many.slice(0, 500) }, { events: many.slice(500) }, { events: [], through: many[0] }]);
  });

  it("refuses and reports a row of another home, and says nothing of what it holds", async () => {
    await withCameras(1);
    const [mine, desk0, keep0] = [server, desk, keep];
    [server, keep] = [new StandIn(), new MemoryKeep()];
    desk = newDesk();
    const theirs = await withCameras(1);
    const foreign = await theirs.agent.seal(server.title!, theirs.cameras[0]!, "thumbnail", jpeg());
    [server, desk, keep] = [mine, desk0, keep0];
    server.events = [{ event: foreign.binding.event, objects: [foreign.row] }];
    const [row] = await listed();
    expect(row).toMatchObject({ event: null, camera: null, time: null });
    expect(row!.objects).toEqual([{ state: "refused", name: null, kind: null, word: "misroute", reason: "wrong-home" }]);
    await expect.poll(() => server.reports()).toMatchObject([{ word: "misroute", reason: "wrong-home", header: foreign.row.header }]);
  });

  it("refuses a row under another event", async () => {
    const { agent, cameras } = await withCameras(1);
    const made = await agent.seal(server.title!, cameras[0]!, "thumbnail", jpeg());
    server.events = [{ event: idText("event", random(16)), objects: [made.row] }];
    expect((await listed())[0]!.objects[0]).toMatchObject({ state: "refused", word: "misroute", reason: "wrong-object" });
  });

  it("takes the server's word for a row that it found crossed", async () => {
    await withCameras(1);
    server.events = [{ event: idText("event", random(16)), objects: [{ name: "", problem: "misroute" }] }];
    expect((await listed())[0]!.objects[0]).toMatchObject({ state: "refused", word: "misroute", reason: "misroute" });
  });

  it("calls a bent row corrupt", async () => {
    const { agent, cameras } = await withCameras(1);
    const made = await agent.seal(server.title!, cameras[0]!, "thumbnail", jpeg());
    const header = unbase64(made.row.header)!;
    header[header.length - 1]! ^= 1;
    server.events = [{ event: made.binding.event, objects: [{ ...made.row, header: base64(header) }] }];
    expect((await listed())[0]!.objects[0]).toMatchObject({ state: "refused", word: "corrupt", reason: "bad-signature" });
  });
});

describe("opening", () => {
  it("gives the picture with the time of each stage", async () => {
    const { agent, cameras } = await withCameras(1);
    const picture = jpeg(40_000);
    const made = await agent.seal(server.title!, cameras[0]!, "thumbnail", picture);
    record(made);
    await listed();
    const opened = await desk.thumbnail(nameFor(made));
    expect(await bytesOf(opened)).toEqual(picture);
    if (opened.state !== "opened") return;
    expect(opened.blob.type).toBe("image/jpeg");
    expect(opened.timings.listed).toBeGreaterThan(0);
    expect(opened.timings.fetched).toBeGreaterThanOrEqual(opened.timings.listed);
    expect(opened.timings.opened).toBeGreaterThanOrEqual(opened.timings.fetched);
  });

  it("never gives another camera's picture, although it could be opened", async () => {
    const { agent, cameras } = await withCameras(2);
    const [hall, garden] = await Promise.all(cameras.map((c) => agent.seal(server.title!, c, "thumbnail", jpeg())));
    record(hall!, garden!);
    await listed();
    server.put(nameOf(hall!.binding), garden!.file);
    server.put(nameOf(garden!.binding), hall!.file);
    expect(await desk.thumbnail(nameFor(hall!))).toEqual({ state: "refused", word: "misroute", reason: "wrong-camera", reported: "confirmed" });
    expect(server.reports()).toMatchObject([{ asked: nameFor(hall!), word: "misroute", reason: "wrong-camera", header: garden!.row.header }]);
    // The control: the same bytes under their own name open, so nothing but the comparison refused them.
    server.put(nameOf(garden!.binding), garden!.file);
    expect((await desk.thumbnail(nameFor(garden!))).state).toBe("opened");
  });

  it("calls a forged object of another camera corrupt, because nobody made it", async () => {
    const { agent, cameras } = await withCameras(2);
    const [hall, garden] = await Promise.all(cameras.map((c) => agent.seal(server.title!, c, "thumbnail", jpeg())));
    record(hall!, garden!);
    await listed();
    const forged = garden!.file.slice();
    forged[18 + 2 + 2 + 204]! ^= 1; // the body's length, which is signed
    server.put(nameOf(hall!.binding), forged);
    expect(await desk.thumbnail(nameFor(hall!))).toMatchObject({ state: "refused", word: "corrupt" });
  });

  it("opens no other object's body under its own header", async () => {
    const { agent, cameras } = await withCameras(1);
    const [one, two] = await Promise.all([0, 1].map(() => agent.seal(server.title!, cameras[0]!, "thumbnail", jpeg())));
    record(one!, two!);
    await listed();
    const body = 18 + 2 + unbase64(one!.row.header)!.length + 2;
    expect(one!.file.length).toBe(two!.file.length);
    server.put(nameOf(one!.binding), concat(one!.file.slice(0, body), two!.file.slice(body)));
    expect(await desk.thumbnail(nameFor(one!))).toMatchObject({ state: "refused", word: "corrupt", reason: "wrong-hash" });
    expect((await desk.thumbnail(nameFor(two!))).state).toBe("opened");
  });

  it("asks past the browser's cache after a refusal", async () => {
    const { agent, cameras } = await withCameras(1);
    const made = await agent.seal(server.title!, cameras[0]!, "thumbnail", jpeg());
    record(made);
    await listed();
    server.put(nameOf(made.binding), made.file.slice(0, -1));
    expect(await desk.thumbnail(nameFor(made))).toMatchObject({ state: "refused", word: "corrupt", reason: "truncated" });
    server.put(nameOf(made.binding), made.file);
    expect((await desk.thumbnail(nameFor(made))).state).toBe("opened");
  });

  it("says unknown key of an object without an envelope", async () => {
    const { agent, cameras } = await withCameras(1);
    const made = await agent.seal(server.title!, cameras[0]!, "thumbnail", jpeg());
    record(made);
    server.events = [{ event: made.binding.event, objects: [{ ...made.row, envelope: "" }] }];
    expect((await listed())[0]!.objects[0]).toMatchObject({ state: "verified", openable: false });
    expect(await desk.thumbnail(nameFor(made))).toMatchObject({ state: "refused", word: "unknown-key", reason: "no-envelope" });
  });

  it("gives no picture that is no JPEG, whoever signed it", async () => {
    const { agent, cameras } = await withCameras(1);
    const made = await agent.seal(server.title!, cameras[0]!, "thumbnail", new TextEncoder().encode("<svg onload=alert(1)>"));
    record(made);
    await listed();
    expect(await desk.thumbnail(nameFor(made))).toMatchObject({ state: "refused", word: "corrupt", reason: "malformed" });
  });

  it("takes the server's word for an object that it found crossed", async () => {
    const { agent, cameras } = await withCameras(1);
    const made = await agent.seal(server.title!, cameras[0]!, "thumbnail", jpeg());
    record(made);
    await listed();
    const error = { reason: "misroute", message: "", retry_after_ms: 0 };
    server.put(nameOf(made.binding), { status: 502, body: { request: "r", error } });
    expect(await desk.thumbnail(nameFor(made))).toMatchObject({ state: "refused", word: "misroute", reason: "misroute", reported: "confirmed" });
  });

  it("opens nothing that no verified row listed", async () => {
    const { agent, cameras } = await withCameras(1);
    const made = await agent.seal(server.title!, cameras[0]!, "thumbnail", jpeg());
    server.put(nameOf(made.binding), made.file);
    expect(await desk.thumbnail(nameFor(made))).toMatchObject({ state: "trouble", reason: "not-listed" });
  });

  it("exports a file with this reader's envelope", async () => {
    const { agent, cameras } = await withCameras(1);
    const made = await agent.seal(server.title!, cameras[0]!, "thumbnail", jpeg());
    record(made);
    await listed();
    const { file, filename } = await good(desk.exportObject(nameFor(made)));
    expect(file.size).toBe(made.file.length + 2 + 1212);
    expect(filename).toMatch(/^2026-05-28-thumbnail-[a-z2-7]{8}\.latchkey$/);
  });
});

describe("a server that answers something else", () => {
  it("is not believed about another request", async () => {
    await founded();
    server.bend = (_, a) => ({ ...a, headers: { "Latchkey-Request": "somebody-elses" } });
    expect(await desk.events()).toEqual({ ok: false, trouble: "crossed", what: "request" });
  });

  it("is not believed about another home", async () => {
    const home = await founded();
    const other = (await makeHome(Date.now() * 1000)).home;
    server.bend = (q, a) => (q.path.endsWith("/events") && !(a.body instanceof Uint8Array) ? { ...a, body: { ...a.body, home: other } } : a);
    expect(home).not.toBe(other);
    expect(await desk.events()).toEqual({ ok: false, trouble: "crossed", what: "home" });
    await expect.poll(() => server.reports()).toMatchObject([{ asked: "", word: "misroute", reason: "misroute", header: "" }]);
  });

  it.each([
    ["another session's MAC", 200, async (text: string, request: string) => answerMAC(random(32), request, 200, text)],
    ["the MAC of another request", 200, async (text: string) => answerMAC(server.macKey, "somebody-elses", 200, text)],
    ["the MAC of another status", 200, async (text: string, request: string) => answerMAC(server.macKey, request, 404, text)],
    ["the MAC of another body", 200, async (text: string, request: string) => answerMAC(server.macKey, request, 200, `${text} `)],
    ["no MAC", 200, async () => ""],
    ["what is no MAC", 200, async () => "?"],
    ["a refusal of another session", 409, async (text: string, request: string) => answerMAC(random(32), request, 409, text)],
    ["a refusal of another session that is signed out", 401, async (text: string, request: string) => answerMAC(random(32), request, 401, text)],
  ])("is not believed with %s", async (_, status, mac) => {
    await founded();
    server.mac = async (q, request, text) => (q.path.endsWith("/events") ? mac(text, request) : null);
    server.bend = (q, a) => (q.path.endsWith("/events") ? { ...a, status } : a);
    expect(await desk.events()).toEqual({ ok: false, trouble: "crossed", what: "answer" });
  });

  it("is not believed when it signs somebody else in", async () => {
    await founded();
    server.signedIn = false;
    server.mac = async (q, request, text) => (q.path === "/v1/sessions" ? answerMAC(random(32), request, 201, text) : null);
    expect(await desk.events()).toEqual({ ok: false, trouble: "crossed", what: "answer" });
  });

  it("is taken at nothing but its status when it refuses without a MAC", async () => {
    await founded();
    server.mac = async (q) => (q.path.endsWith("/deeds") ? "" : null);
    server.bend = (q, a) => (q.path.endsWith("/deeds") ? { status: 409, body: { error: { reason: "conflict", message: "", retry_after_ms: 0 }, home: server.title!.home, deeds: ["AA=="] } } : a);
    expect(await desk.title()).toMatchObject({ ok: false, trouble: "refused", status: 409, reason: "internal" });
  });

  it("is caught with a chain that became shorter and takes nothing back, in this visit and the next", async () => {
    await withCameras(1);
    const whole = server.title!;
    server.title = await Title.fold(whole.home, whole.deeds().slice(0, 4));
    const no = { status: 403, body: { error: { reason: "not-allowed", message: "", retry_after_ms: 0 } } };
    server.bend = (q, a) => (q.method === "POST" && q.path.endsWith("/deeds") ? no : a);
    const short = server.title;
    expect(await desk.title()).toMatchObject({ ok: false, trouble: "fork", seen: expect.stringMatching(/^4:/), offered: expect.stringMatching(/^3:/) });
    server.title = short;
    expect(await newDesk().open()).toMatchObject({ ok: false, trouble: "fork", offered: expect.stringMatching(/^3:/) });
    await expect.poll(() => server.reports()).toMatchObject([{ reason: "unknown-head", word: "corrupt" }, { reason: "unknown-head", word: "corrupt" }]);
  });

  it("is caught with another chain of the same length", async () => {
    await withCameras(1);
    const title = server.title!;
    const owner = await signerOf([...keep.kept.values()][0]!.secrets!.signing);
    const base = await Title.fold(title.home, title.deeds().slice(0, 4));
    const agent = title.agents[0]!.id;
    const other = await signDeed(owner, base.next, Date.now() * 1000, { type: "place camera", camera: idText("camera", random(16)), agent });
    server.title = await base.append([other]);
    expect(await desk.title()).toMatchObject({ ok: false, trouble: "fork" });
  });

  it("has no say in a deed that does not hold: it is not even sent", async () => {
    const { agent } = await withCameras(1);
    const title = server.title!;
    const owner = await signerOf([...keep.kept.values()][0]!.secrets!.signing);
    const release = await signDeed(owner, title.next, Date.now() * 1000, { type: "release agent", agent: agent.body.agent, lasts: [] });
    server.title = await title.append([release]);
    const { link, slot } = await good(desk.openJoin());
    server.answers.set(slot, await agent.answer(link, server.announcements.get(slot)!));
    await good(desk.watchJoin(slot));
    await good(desk.title());
    const before = server.arrived.length;
    expect(await desk.placeAgent(slot)).toMatchObject({ ok: false, trouble: "refused", status: 0, reason: "already-placed", message: expect.stringMatching(/^[A-Z]/) });
    expect(server.arrived.slice(before).filter((q) => q.method === "POST")).toEqual([]);
  });

  it("is caught with older settings, if it takes no newer ones back", async () => {
    await founded();
    const first = server.document;
    await good(desk.saveSettings({ home: "Later" }));
    server.document = first;
    const no = { status: 403, body: { error: { reason: "not-allowed", message: "", retry_after_ms: 0 } } };
    server.bend = (q, a) => (q.method === "PUT" ? no : a);
    expect(await newDesk().open()).toMatchObject({ ok: false, trouble: "fork", seen: expect.stringMatching(/^settings 2:/) });
  });
});

describe("a session", () => {
  it("is another one in every page, which shares no key with the others", async () => {
    await founded();
    const first = server.macKey;
    server.arrived.length = 0;
    await good(newDesk().open());
    expect(server.arrived[0]!.path).toBe("/v1/sessions/challenge"); // without a key it does not even ask
    expect(base64(server.macKey)).not.toBe(base64(first));
  });

  it("is made again once when it is missing, by all requests together", async () => {
    await founded();
    server.signedIn = false;
    server.arrived.length = 0;
    await Promise.all([good(desk.events()), good(desk.settings()), good(desk.title())]);
    expect(server.arrived.filter((a) => a.path === "/v1/sessions")).toHaveLength(1);
  });

  it("that does not help a request which is altered on the way is not begun for each of them", async () => {
    const { agent, cameras } = await withCameras(1);
    const made = await agent.seal(server.title!, cameras[0]!, "thumbnail", jpeg());
    record(made);
    await listed();
    server.arrived.length = 0;
    server.alter = (path) => (path.startsWith("/v1/objects/") ? `${path}x` : path);
    expect(await desk.thumbnail(nameFor(made))).toMatchObject({ state: "refused", word: "misroute", reported: "confirmed" });
    expect(await desk.thumbnail(nameFor(made))).toMatchObject({ state: "refused", word: "misroute" });
    expect(server.arrived.filter((a) => a.path === "/v1/sessions")).toHaveLength(1);
    expect(server.reports()).toHaveLength(2);
    await good(desk.events());
  });

  it("that is refused leaves the page signed out, and asks no more", async () => {
    await founded();
    server.signedIn = false;
    server.takesSignIn = false;
    expect(await desk.events()).toMatchObject({ ok: false, trouble: "signed-out" });
    const before = server.arrived.length;
    expect(await desk.events()).toMatchObject({ ok: false, trouble: "signed-out" });
    expect(server.arrived.length).toBe(before);
    server.takesSignIn = true;
    await good(desk.open());
    await good(desk.events());
  });
});
