// What the owner of a home can have of it beside the page: the key file, and the
// objects as they are stored, opened with the published program.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { APIResponse } from "playwright-core";
import { expect } from "vitest";

import { MACKey } from "../../src/mac.ts";
import { nameOf } from "../../src/seal/binding.ts";
import { parseHeader } from "../../src/seal/header.ts";
import { type Kind, nameText, type NameText, parseName } from "../../src/seal/name.ts";
import { unbase64 } from "../../src/wire.ts";
import { words } from "../../src/words.ts";
import type { Household } from "./house.ts";
import type { Passed } from "./wire.ts";

/** An object as the list has it. */
export interface Listed {
  name: NameText;
  kind: Kind;
  event: string;
  camera: string;
  header: Buffer;
  envelope: Buffer;
}

/** Saves the home's key file by a click on the page, and returns where it is. */
export async function keyFile(h: Household): Promise<{ path: string; home: string }> {
  const { page } = h.owner;
  await page.getByRole("link", { name: words.nav.home }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: words.settings.keySave }).click()]);
  const path = join(h.folder, "home.key");
  await download.saveAs(path);
  await h.goToEvents();
  return { path, home: (JSON.parse(readFileSync(path, "utf8")) as { home: string }).home };
}

/**
 * Fetches in the owner's session: with the browser's cookie, and with the MAC key that
 * its page has told the server, as whoever reads the wire could.
 */
async function fetched(h: Household, home: string, path: string): Promise<APIResponse> {
  const signIns = h.cloud.wire.passed.filter((p) => p.what === "POST /v1/sessions").map((p) => bodyOf(p) as { home: string; mac_key: string });
  const key = await MACKey.of(unbase64(signIns.findLast((s) => s.home === home)!.mac_key)!);
  const headers = { "Latchkey-Request": "owner", "Latchkey-Mac": await key.request("GET", path, "owner", new Uint8Array(0)) };
  return h.owner.context.request.get(h.cloud.origin + path, { headers });
}

function bodyOf({ bytes }: Passed): unknown {
  return JSON.parse(bytes.toString("utf8", bytes.indexOf("\r\n{") + 2));
}

/** The objects of the newest events, as the server lists them to this owner. */
export async function listed(h: Household, home: string): Promise<Listed[]> {
  const answer = await fetched(h, home, `/v1/homes/${home}/events?limit=50`);
  expect(answer.status()).toBe(200);
  const page = (await answer.json()) as { events: { event: string; objects: { header?: string; envelope?: string }[] }[] };
  return page.events.flatMap(({ event, objects }) =>
    objects.map((o) => {
      const header = Buffer.from(o.header ?? "", "base64");
      const { binding } = parseHeader(new Uint8Array(header));
      return { name: nameText(nameOf(binding)), kind: binding.kind, event, camera: binding.camera, header, envelope: Buffer.from(o.envelope ?? "", "base64") };
    }),
  );
}

/** Fetches an object as it is stored, puts the owner's envelope into it, and opens it with `latchkey open`. */
export async function opened(h: Household, key: string, o: Listed): Promise<Buffer> {
  const answer = await fetched(h, parseName(o.name)!.home, `/v1/objects/${o.name.slice("v1/".length)}`);
  expect(answer.status()).toBe(200);
  const stored = await answer.body();
  // magic || lp16(H) || u16(0) || body becomes magic || lp16(H) || u16(1) || lp16(E) || body
  const count = 18 + 2 + o.header.length;
  expect(stored.readUInt16BE(count)).toBe(0);
  const lengths = Buffer.alloc(4);
  lengths.writeUInt16BE(1, 0);
  lengths.writeUInt16BE(o.envelope.length, 2);
  const file = join(h.folder, "exports", `${o.name.replaceAll("/", "_")}.latchkey`);
  mkdirSync(join(h.folder, "exports"), { recursive: true });
  writeFileSync(file, Buffer.concat([stored.subarray(0, count), lengths, o.envelope, stored.subarray(count + 2)]));
  expect(await h.type(`latchkey open '${file}' --key '${key}' -o '${file}.out'`), h.said.at(-1)!.log).toBe(0);
  return readFileSync(`${file}.out`);
}
