// What axe-core finds wrong with a page for people who use it without seeing it, or
// without a pointer.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "vitest";

import type { Visitor } from "./browser.ts";
import { root } from "./build.ts";

const axe = readFileSync(join(root, "web/node_modules/axe-core/axe.min.js"), "utf8");

interface Violation {
  id: string;
  help: string;
  nodes: { html: string }[];
}

/** Asserts that axe finds nothing wrong with what the page shows now: by the rules that are on by themselves, or by all that have one of these marks. */
export async function sound({ page }: Visitor, runOnly?: readonly string[]): Promise<void> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  const found = await page.evaluate(async (runOnly) => {
    // Whatever is on its way in or out is judged when it has arrived.
    await Promise.all(document.getAnimations().filter((a) => a.effect?.getComputedTiming().iterations !== Infinity).map((a) => a.finished.catch(() => undefined)));
    const { violations } = await (window as unknown as { axe: { run(o: object): Promise<{ violations: Violation[] }> } }).axe.run({ resultTypes: ["violations"], ...(runOnly && { runOnly }) });
    return violations.map((v) => `${v.id}: ${v.help}\n${v.nodes.map((n) => n.html.slice(0, 200)).join("\n")}`).join("\n\n");
  }, runOnly);
  expect(found).toBe("");
}
