// The timeline of a home with eight cameras, in which somebody drags. Everything is what
// the page has, but for the agent: it has its stills at hand.

import { mount } from "svelte";

import { fakeKeeper } from "../../src/dev/fake.ts";
import { id } from "../../src/dev/ids.ts";
import { placed } from "../../src/dev/agents.ts";
import { House } from "../../src/house.svelte.ts";
import type { Keeps } from "../../src/keeper.ts";
import "../../src/style.css";
import Timeline from "../../src/timeline/Timeline.svelte";
import type { AgentID, CameraID, Change } from "../../src/worker/protocol.ts";
import { painted } from "./still.ts";
import type { Ask } from "./worker.ts";

const count = 8;
const cameras = Array.from({ length: count }, (_, i) => id(400 + i, 26) as CameraID);
const agent = id(8, 26) as AgentID;
const second = 1_000_000;

const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const waiting = new Map<number, (result: unknown) => void>();
const listeners = new Set<(change: Change) => void>();
let last = 0;
let fetched = 0;
worker.onmessage = ({ data }: MessageEvent<{ id: number; result: unknown } | { change: Change }>) => {
  if ("change" in data) {
    fetched = performance.now();
    for (const listener of listeners) listener(data.change);
  } else {
    waiting.get(data.id)?.(data.result);
    waiting.delete(data.id);
  }
};

type Asked = Ask extends infer A ? (A extends Ask ? Omit<A, "id"> : never) : never;

function ask<T>(what: Asked): Promise<T> {
  return new Promise((resolve) => {
    waiting.set(++last, resolve as (result: unknown) => void);
    worker.postMessage({ id: last, ...what });
  });
}

const fake = fakeKeeper();
const keeper: Keeps = {
  ...fake,
  changes: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
  glance: (which, at, step) => ask({ do: "glance", cameras: which, at, step }),
  lookAhead: (which, { from, until }) => ask({ do: "ahead", cameras: which, from, until }),
  open: async (home) => {
    const opened = await fake.open(home);
    if (!opened.ok) return opened;
    const named = Object.fromEntries(cameras.map((c, i) => [c, placed(`Camera ${i + 1}`)]));
    return { ...opened, title: { ...opened.title, cameras: cameras.map((c) => ({ id: c, agent })) }, settings: { ...opened.settings, cameras: named } };
  },
};

const frame = () => new Promise((go) => requestAnimationFrame(go));

/** Waits frame by frame until that is so. */
async function until(holds: () => boolean): Promise<void> {
  const began = performance.now();
  do {
    await frame();
    if (performance.now() - began > 30_000) throw new Error(`never: ${holds}`);
  } while (!holds());
}

/** Waits until nothing has come for a while. */
async function quiet(): Promise<void> {
  do await new Promise((go) => setTimeout(go, 100));
  while (performance.now() - fetched < 500);
}

/** Drags over a day that is there, and says for each move after how many milliseconds all pictures on the screen were those of the place. */
async function drag(moves: number): Promise<{ took: number[]; bytes: number }> {
  const house = new House(keeper);
  await house.start();
  mount(Timeline, { target: document.getElementById("app")!, props: { house } });
  await until(() => document.querySelectorAll("[data-lane]").length === count);
  // A day that is over; each of its pictures is one that a finger has been near before.
  document.querySelector<HTMLButtonElement>("[data-turn=back]")!.click();
  await until(() => document.querySelectorAll("[data-here=recorded]").length === count);
  const lane = document.querySelector<HTMLElement>("[role=slider]")!;
  const { left, width, top } = lane.getBoundingClientRect();
  const at = () => Number(document.querySelector<HTMLElement>(".past")!.dataset["at"]);
  const press = (type: string, place: number) => lane.dispatchEvent(new PointerEvent(type, { pointerId: 1, button: 0, bubbles: true, clientX: left + width * place, clientY: top + 5 }));
  lane.setPointerCapture = () => undefined; // there is no such pointer
  const stills = [...document.querySelectorAll<HTMLCanvasElement>(".past canvas, [data-lane] canvas")];
  const near = () => stills.every((c) => Math.abs(Number(c.dataset["time"]) - at()) <= 300 * second || c.parentElement!.querySelector(".why") !== null);
  press("pointerdown", 0);
  for (let i = 0; i <= 72; i++) {
    press("pointermove", i / 72);
    await frame();
  }
  await quiet();
  const took: number[] = [];
  for (let i = 1; i <= moves; i++) {
    await new Promise((go) => setTimeout(go, 40));
    const began = performance.now();
    press("pointermove", (i * 0.382) % 1); // never near where it was
    await until(near);
    took.push(performance.now() - began);
  }
  press("pointercancel", 0);
  return { took, bytes: (await painted(0)).size };
}

Object.assign(window, { drag });
