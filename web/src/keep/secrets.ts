// The secrets of a home as bytes, for whatever they are sealed under.

import { readNames } from "../account/content.ts";
import { ContentObject } from "../fields.ts";
import type { HomeSecrets, KeptInvite, PersonSecrets } from "./keep.ts";
import { idText, parseID } from "../seal/name.ts";
import { base64, type Bytes, copy } from "../wire.ts";

const rawSize = 128; // what the first version of the store wrote
const maxInvites = 64;
const maxAnswer = 8 << 10;
const maxText = 64;

/** The bytes of secrets. */
export function secretBytes(s: HomeSecrets): Bytes {
  const invites = s.invites.map(({ invite, secret, reveal, head, name }) => ({ invite, secret: base64(secret), reveal: base64(reveal), head, name }));
  return new TextEncoder().encode(JSON.stringify({ v: 1, ...personJSON(s), next: s.next === null ? null : personJSON(s.next), invites, answer: base64(s.answer ?? new Uint8Array(0)), called: s.called, names: s.names }));
}

/** Reads what secretBytes wrote; throws if it did not. */
export function readSecrets(b: Bytes): HomeSecrets {
  if (b.length === rawSize) return { ...readRaw(b), next: null, invites: [], answer: null, called: "", names: {} };
  const o = ContentObject.parse(b);
  const next = o.others("v")["next"];
  const answer = o.bytes("answer", maxAnswer);
  const more = { called: o.text("called", maxText), names: readNames(o.object("names"), (text) => parseID("device", text)) };
  return { ...readPerson(o), ...more, next: next === null ? null : readPerson(new ContentObject(next)), invites: o.objects("invites", maxInvites).map(readInvite), answer: answer.length === 0 ? null : answer };
}

function personJSON({ person, device, signing, kem, deviceSigning }: PersonSecrets): object {
  return { person, device, signing: base64(signing), kem: base64(kem), deviceSigning: base64(deviceSigning) };
}

function readPerson(o: ContentObject): PersonSecrets {
  const [person, device] = [parseID("person", o.text("person", maxText)), parseID("device", o.text("device", maxText))];
  if (person === null || device === null) throw new Error("internal error: secrets of nobody");
  return { person, device, signing: o.bytes("signing", 32), kem: o.bytes("kem", 32), deviceSigning: o.bytes("deviceSigning", 32) };
}

function readInvite(o: ContentObject): KeptInvite {
  const invite = parseID("invite", o.text("invite", maxText));
  if (invite === null) throw new Error("internal error: a secret of no invitation");
  return { invite, secret: o.bytes("secret", 16), reveal: o.bytes("reveal", 32), head: o.text("head", 128), name: o.text("name", maxText) };
}

function readRaw(b: Bytes): PersonSecrets {
  const part = (from: number, to: number): Bytes => copy(b.subarray(from, to));
  return { person: idText("person", part(0, 16)), device: idText("device", part(16, 32)), signing: part(32, 64), kem: part(64, 96), deviceSigning: part(96, 128) };
}
