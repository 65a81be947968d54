// An agent is taken in by whoever has the link, and by nobody else.

import { expect, it } from "vitest";
import { bodyBytes } from "../deed/body.ts";
import { headBytes } from "../deed/head.ts";
import { hmac } from "../deed/key.ts";
import { idBytes, idText } from "../seal/name.ts";
import { ascii, base32, type Bytes, concat, random, unbase32, Writer } from "../wire.ts";
import { Invitation } from "./join.ts";
import { TestAgent } from "./standin/agent.ts";

const [home, head, now] = [idText("home", random(32)), { seq: 3, hash: "ab".repeat(32) }, 1_780_000_000_000_000];

it("announces the home at its head, by the secret of the link", async () => {
  const secret = base32(random(16));
  const made = (await Invitation.make(home, head, now, secret))!;
  const key = unbase32(secret, 16)!;
  const said = new Writer().raw(idBytes("home", home)).raw(headBytes(head)).u64(now + 30 * 60 * 1_000_000).bytes();
  expect(made.announcement).toEqual(concat(said, await hmac(await hmac(key, ascii("latchkey join owner v1")), said)));
  expect([made.secret, made.slot]).toEqual([secret, base32((await hmac(key, ascii("latchkey join slot v1"))).slice(0, 16))]);
  expect(await Invitation.make(home, head, now, "no secret")).toBeNull();
  expect((await Invitation.make(home, head, now))!.secret).not.toBe((await Invitation.make(home, head, now))!.secret);
});

it("takes the agent that has the secret, and its answer to this announcement", async () => {
  const [made, other] = [(await Invitation.make(home, head, now))!, (await Invitation.make(home, head, now + 1))!];
  const agent = await TestAgent.make();
  const answer = (to: Invitation, announcement = to.announcement): Promise<Bytes> => agent.answer(`#join=${to.secret}`, announcement);
  const genuine = await answer(made);
  expect(bodyBytes((await made.check(genuine))!)).toEqual(bodyBytes(agent.body));
  for (const at of [0, 40, genuine.length - 1]) {
    const bent = genuine.slice();
    bent[at]! ^= 1;
    expect(await made.check(bent), `${at}`).toBeNull();
  }
  for (const strange of [await answer(other), await answer(made, other.announcement), genuine.slice(0, 31), new Uint8Array(0)]) expect(await made.check(strange)).toBeNull();
});

it("takes nothing for an agent that is none, whoever says so", async () => {
  const made = (await Invitation.make(home, head, now))!;
  const key = await hmac(unbase32(made.secret, 16)!, ascii("latchkey join agent v1"));
  const garbage = random(100);
  const said = made.announcement.subarray(0, made.announcement.length - 32);
  expect(await made.check(concat(garbage, await hmac(key, concat(said, garbage))))).toBeNull();
});
