// The settings vectors of this side: mostly what JSON and text can be made to say.

import { Title } from "../src/deed/title.ts";
import { cameraNamed, type CameraSettings } from "../src/settings/camera.ts";
import { contentBytes } from "../src/settings/content.ts";
import { sealContent } from "../src/settings/settings.ts";
import { sha256, type Signer } from "../src/deed/key.ts";
import { ascii, type Bytes, concat, label } from "../src/wire.ts";
import type { Homes, TestHome } from "./homes.ts";
import { idText } from "../src/seal/name.ts";
import { moment } from "./pieces.ts";

/** One document before it is written. */
export interface DocumentDraft {
  name: string;
  says: string;
  home: string;
  reader: string;
  document: Bytes;
  expect: string;
  content?: Bytes;
}

const nobody = { people: {}, more: {} };
const text = (s: string): Bytes => new TextEncoder().encode(s);

/** Every settings vector of this side. */
export async function documentDrafts(homes: Homes): Promise<DocumentDraft[]> {
  const home = homes["A"]!;
  const drafts: DocumentDraft[] = [];
  const says = async (name: string, sentence: string, expect: string, content: Bytes, reader = "epoch"): Promise<void> => {
    const document = await sealContent(home.owner, home.title, null, moment, content);
    drafts.push({ name, says: sentence, home: "A", reader, document, expect, ...(expect === "opened" ? { content } : {}) });
  };
  const camera = home.cameras[0]!.id;
  const named = (name: string): Bytes => contentBytes({ ...nobody, home: "Our house", zone: "Europe/Berlin", cameras: { [camera]: cameraNamed(name) } });
  await says("plain", "a home and a camera with names", "opened", named("Front door"));
  await says("plain-agent-0", "the same for the first agent", "opened", named("Front door"), "agent 0");
  await says("plain-agent-1", "the same for the second agent", "opened", named("Front door"), "agent 1");
  await says("letters-outside-bmp", "64 characters that JavaScript counts as 128", "opened", named("\u{1f6aa}".repeat(64)));
  await says("letters-outside-bmp-65", "65 characters outside the first plane", "content", named("\u{1f6aa}".repeat(65)));
  await says("combining", "a letter with a mark of its own is two characters", "content", named("e\u0301".repeat(33)));
  await says("white-space", "white space around the JSON", "opened", concat(text("\n "), named("Door"), text("\t")));
  await says("byte-order-mark", "a byte order mark before the JSON", "content", concat(text("\ufeff"), named("Door")));
  await says("two-values", "something follows the JSON", "content", concat(named("Door"), text("{}")));
  await says("no-content", "no bytes", "content", new Uint8Array(0));
  await says("json-null", "null", "content", text("null"));
  await says("json-list", "a list", "content", text("[]"));
  await says("version-text", "a version that is text", "content", text(`{"v":"1","home":"H","zone":"UTC","cameras":{}}`));
  await says("cameras-list", "cameras as a list", "content", text(`{"v":1,"home":"H","zone":"UTC","cameras":[]}`));
  await says("camera-null", "a camera that is null", "content", text(`{"v":1,"home":"H","zone":"UTC","cameras":{"${camera}":null}}`));
  await says("camera-upper-case", "a camera's ID in capitals", "content", text(`{"v":1,"home":"H","zone":"UTC","cameras":{"${camera.toUpperCase()}":{"name":"Door"}}}`));
  await says("escaped-control", "a control character, escaped", "content", text(`{"v":1,"home":"A\\u0085B","zone":"UTC","cameras":{}}`));
  await says("escaped-turn", "a character that turns the direction of text, escaped", "content", text(`{"v":1,"home":"A\\u2067B","zone":"UTC","cameras":{}}`));
  await says("zone-space", "a time zone with a space", "content", text(`{"v":1,"home":"H","zone":"Europe/New Berlin","cameras":{}}`));
  await says("zone-line-end", "a time zone and a line end", "content", text(`{"v":1,"home":"H","zone":"UTC\\n","cameras":{}}`));
  await says("zone-etc", "a zone of hours from Greenwich", "opened", text(`{"v":1,"home":"H","zone":"Etc/GMT+1","cameras":{}}`));
  const person = idText("person", new Uint8Array(16).fill(7));
  const people = (members: unknown): Bytes => text(JSON.stringify({ v: 1, home: "H", zone: "UTC", cameras: {}, people: members }));
  await says("people", "a person's name in another alphabet", "opened", people({ [person]: { name: "\u0410\u043d\u043d\u0430" } }));
  await says("people-agent", "as an agent reads it", "opened", people({ [person]: { name: "Anna" } }), "agent 0");
  await says("people-none", "no people at all", "opened", people({}));
  await says("people-list", "people in a list", "content", people([{ name: "Anna" }]));
  await says("people-text", "a person who is a name", "content", people({ [person]: "Anna" }));
  await says("people-empty", "a person whose name is empty", "content", people({ [person]: { name: "" } }));
  await says("people-65", "a person's name of 65 characters", "content", people({ [person]: { name: "\u{1f6aa}".repeat(65) } }));
  await says("people-turned", "a person's name that turns the direction of text", "content", people({ [person]: { name: "Anna\u202e" } }));
  const off = (members: Record<string, unknown>): Bytes => text(JSON.stringify({ v: 1, home: "H", zone: "UTC", cameras: { [camera]: { name: "Door", ...members } } }));
  const hours = { days: [1, 2, 3, 4, 5, 6, 7], from: "23:59", to: "00:00" };
  const triangle = { points: [[0, 0], [10_000, 0], [0, 10_000]] };
  const whole: CameraSettings = { name: "Door", off: true, offWhen: [hours], sensitivity: "low", zones: [{ name: "\u{1f6aa}", points: [[0, 0], [1, 1], [0, 1]] }], masks: [{ points: [[0, 0], [1, 1], [0, 1]] }] };
  await says("camera-whole", "all that can be said of a camera", "opened", contentBytes({ ...nobody, home: "H", zone: "UTC", cameras: { [camera]: whole } }));
  await says("camera-whole-agent", "as its agent reads it", "opened", contentBytes({ ...nobody, home: "H", zone: "UTC", cameras: { [camera]: whole } }), "agent 0");
  await says("camera-point-otherwise", "a whole number that is written otherwise", "opened", text(`{"v":1.0,"home":"H","zone":"UTC","cameras":{"${camera}":{"name":"Door","masks":[{"points":[[1e1,0],[1.0,1],[-0,0]]}]}}}`));
  await says("camera-off-1", "off: 1", "content", off({ off: 1 }));
  await says("camera-hours-object", "rules in an object", "content", off({ off_when: { hours } }));
  await says("camera-hours-null", "a rule that is null", "content", off({ off_when: [null] }));
  await says("camera-hours-sign", "a time with a sign", "content", off({ off_when: [{ ...hours, from: "-1:00" }] }));
  await says("camera-hours-arabic", "other digits", "content", off({ off_when: [{ ...hours, from: "\u0661\u0662:00" }] }));
  await says("camera-hours-60", "60 minutes", "content", off({ off_when: [{ ...hours, to: "10:60" }] }));
  await says("camera-days-text", "days as text", "content", off({ off_when: [{ ...hours, days: ["1"] }] }));
  await says("camera-days-half", "half a day", "content", off({ off_when: [{ ...hours, days: [1.5] }] }));
  await says("camera-sensitivity-null", "null is no sensitivity", "content", off({ sensitivity: null }));
  await says("camera-sensitivity-capital", "another case is another word", "content", off({ sensitivity: "High" }));
  await says("camera-masks-17", "17 masks", "content", off({ masks: Array.from({ length: 17 }, () => triangle) }));
  await says("camera-zone-turned", "a zone's name that turns the direction of text", "content", off({ zones: [{ name: "\u200e", ...triangle }] }));
  await says("camera-points-null", "no points", "content", off({ masks: [{ points: null }] }));
  drafts.push(...(await signed(home)), ...(await placed(home)), ...(await former(homes["D"]!)));
  return drafts;
}

async function signed(home: TestHome): Promise<DocumentDraft[]> {
  const content = text(`{"v":1,"home":"H","zone":"UTC","cameras":{}}`);
  const by = (sign: (m: Bytes) => Promise<Bytes>): Signer => ({ key: home.owner.key, sign });
  const make = async (name: string, says: string, signer: Signer): Promise<DocumentDraft> => ({
    name,
    says,
    home: "A",
    reader: "epoch",
    document: await sealContent(signer, home.title, null, moment, content),
    expect: "bad-signature",
  });
  const mark = "latchkey settings v1".length + 1;
  return [
    await make("signed-without-label", "signed without the label", by((m) => home.owner.sign(m.slice(mark)))),
    await make("signed-as-a-deed", "signed as if it were a deed", by((m) => home.owner.sign(concat(label("latchkey deed v1"), m.slice(mark))))),
    await make("signed-by-device", "named as the owner's, signed by the owner's browser", by((m) => home.device.sign(m))),
  ];
}

/** Documents of home D, whose people and agents came and went. */
async function former(home: TestHome): Promise<DocumentDraft[]> {
  const content = text(`{"v":1,"home":"H","zone":"UTC","cameras":{}}`);
  const { anna } = home.people;
  const at = async (name: string, says: string, expect: string, deeds: number, signer: Signer, reader = "epoch"): Promise<DocumentDraft> => {
    const title = await Title.start(home.deeds.slice(0, deeds));
    const document = await sealContent(signer, title, null, moment, content);
    return { name, says, home: "D", reader, document, expect, ...(expect === "opened" ? { content } : {}) };
  };
  return [
    await at("former-agent-then", "sealed to two agents, read with a key that one of them had", "opened", 12, home.owner, "agent 0"),
    await at("former-agent-now", "read with a key that an agent had before", "no-envelope", 17, home.owner, "agent 0"),
    await at("former-agent-after", "an agent with new keys, and one that had not left yet", "opened", 13, home.owner, "agent 2"),
    await at("resident-before", "signed by somebody at a head before they came", "not-allowed", 8, anna!.signer),
    await at("resident-device", "signed by the browser of somebody who was a resident then", "not-allowed", 12, anna!.device),
    await at("former-agent-signs", "signed by a key that an agent had", "not-allowed", 12, home.agents[0]!.signer),
  ];
}

async function placed(home: TestHome): Promise<DocumentDraft[]> {
  const content = text(`{"v":1,"home":"H","zone":"UTC","cameras":{}}`);
  const early = await Title.start(home.deeds.slice(0, 1));
  const before = { name: "before-any-epoch", says: "made when there was neither epoch nor agent: it is sealed to nobody", home: "A", reader: "epoch" };
  const document = await sealContent(home.owner, early, null, moment, content);
  const second = await sealContent(home.owner, home.title, { number: 41, hash: await sha256(ascii("the document before")) }, moment, content);
  const far = second.slice();
  far.set([0, 32, 0, 0, 0, 0, 0, 0], 33);
  return [
    { ...before, document, expect: "no-envelope" },
    { name: "number-42", says: "a reader without memory takes any number", home: "A", reader: "epoch", document: second, expect: "opened", content },
    { name: "number-2-53", says: "a number of 2^53", home: "A", reader: "epoch", document: far, expect: "malformed" },
  ];
}
