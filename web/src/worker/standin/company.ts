// Ada's home with an agent and a camera, and Ben, who has an account at the same server:
// what the tests of members begin with.

import { expect } from "vitest";
import { nameOf } from "../../seal/binding.ts";
import { type CameraID, type HomeID, type NameText, nameText } from "../../seal/name.ts";
import { type Bytes, concat, random } from "../../wire.ts";
import type { Invited, MemberCalls, Rights } from "../members.ts";
import { Browser, passkey } from "./browser.ts";
import { good, TestHouse } from "./house.ts";
import type { StandIn } from "./server.ts";

const jpeg = (): Bytes => concat(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), random(200));

export const bensKey = passkey();

export const guest: Rights = { kinds: ["thumbnail"], until: 0, cameras: null };
export const asGuest = { name: "Ben", role: "guest", rights: guest, days: 7 } as const;
export const asResident = { name: "Ben", role: "resident", rights: null, days: 7 } as const;

// Of the test that runs.
export let house: TestHouse;
export let server: StandIn;
export let home: HomeID;
export let camera: CameraID;
export let ada: TestHouse["page"];
export let ben: Browser;

/** Makes them anew, before each test. */
export async function meet(): Promise<void> {
  house = await TestHouse.make();
  ({ server, page: ada } = house);
  home = server.title!.home;
  camera = await house.camera();
  ben = new Browser(server);
  await ben.signUp("ben@example.org", { passkey: bensKey });
}

/** Somebody answers, both look at the words, and Ada says yes. */
export async function admitted({ invite, link }: Invited, who = ben, past = false): Promise<void> {
  await good(who.members.answerInvitation(link));
  const shown = await good(ada.members.watchInvite(invite));
  const read = await good(who.members.watchAdmission(link));
  expect(read).toMatchObject({ state: "phrase" });
  if (shown.state !== "answered" || read.state !== "phrase") throw new Error("no phrase");
  expect(read.phrase).toEqual(shown.phrase);
  await good(ada.members.admit(invite, past));
  expect(await good(who.members.watchAdmission(link))).toMatchObject({ state: "admitted", home });
}

/** Ben is invited and let in. */
export async function joined(how: Parameters<MemberCalls["invite"]>[0], past = false): Promise<void> {
  await admitted(await good(ada.members.invite(how)), ben, past);
  await good(ben.desk.open(home));
}

/** An object of now, with an envelope for each who may see it. */
export async function recorded(): Promise<{ name: NameText; picture: Bytes }> {
  const picture = jpeg();
  const made = await house.agent.seal(server.title!, camera, "thumbnail", picture);
  server.events = [{ event: made.binding.event, objects: [made.row] }];
  server.put(nameOf(made.binding), made.file);
  return { name: nameText(nameOf(made.binding)), picture };
}

/** What becomes of a picture in somebody's browser. */
export async function sees(who: { desk: Browser["desk"] }, name: NameText): Promise<string> {
  await good(who.desk.events());
  const o = await who.desk.thumbnail(name);
  return o.state === "refused" ? o.reason : o.state;
}
