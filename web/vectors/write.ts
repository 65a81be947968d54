// Writes the vectors of this side that are missing. A vector that is there is never
// written again: what was published stays.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { headText } from "../src/deed/head.ts";
import { sha256 } from "../src/deed/key.ts";
import { Title } from "../src/deed/title.ts";
import { base64, hex } from "../src/wire.ts";
import { accountDrafts } from "./accounts.ts";
import { chainDrafts } from "./chains.ts";
import type { DeedVector, ObjectVector, SettingsVector } from "./check.ts";
import { documentDrafts } from "./documents.ts";
import { folder, type Format, homesFile } from "./folders.ts";
import { readHomes } from "./homes.ts";
import { letterDrafts } from "./letters.ts";
import { liveDrafts } from "./live.ts";
import { objectDrafts } from "./objects.ts";

export async function main(): Promise<void> {
  const homes = await readHomes(homesFile());
  let written = 0;
  for (const d of await objectDrafts(homes)) {
    const { content, file, ...rest } = d;
    const v: ObjectVector = { ...rest, file: base64(file) };
    if (content !== undefined) v.sha256 = hex(await sha256(content));
    written += write("sealed", v.name, v);
  }
  for (const d of await chainDrafts(homes)) {
    const { deeds, ...rest } = d;
    const v: DeedVector = { ...rest, deeds: deeds.map(base64) };
    if (v.expect === "accepted") v.head = headText((await Title.start(deeds)).head);
    written += write("deed", v.name, v);
  }
  for (const d of await documentDrafts(homes)) {
    const { content, document, ...rest } = d;
    const v: SettingsVector = { ...rest, document: base64(document), ...(content === undefined ? {} : { content: base64(content) }) };
    written += write("settings", v.name, v);
  }
  for (const v of await letterDrafts(homes)) written += write("letter", v.name, v);
  for (const v of await liveDrafts(homes)) written += write("live", v.name, v);
  for (const v of await accountDrafts()) written += write("account", v.name, v);
  console.log(`${written} vectors written`);
}

function write(format: Format, name: string, vector: object): number {
  const dir = folder(format, "ts");
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `${name}.json`);
  if (existsSync(path)) return 0;
  writeFileSync(path, JSON.stringify(vector, null, "\t") + "\n");
  return 1;
}
