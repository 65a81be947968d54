import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import type { House } from "../house.svelte.ts";
import type { Keeps } from "../keeper.ts";
import type { AgentID, CameraSource, Change, Found, FoundStream, Trouble } from "../worker/protocol.ts";
import { words } from "../words.ts";
import { Adding, chosenOf } from "./adding.svelte.ts";
import { apart } from "./address.ts";

vi.stubGlobal("navigator", { languages: ["en-GB"] });

const stream = (role: FoundStream["role"], width: number, address = `rtsp://cam/${role}${width}`): FoundStream => ({
  role, address, codec: "h264", profile: "", width, height: (width * 9) / 16, rate: 15, keyIntervalMs: 1000, bFrames: false, bitrate: 0, audio: "", still: null, findings: [],
});
const pin = { mac: "aa", serial: "1", certificate: "" };
const found = (...streams: FoundStream[]): Found => ({ host: "cam", brand: "", streams, clock: { known: false, offsetMs: 0 }, pin, findings: [] });

let answers: Record<string, object>;
let asked: [string, ...unknown[]][];
let tell: (change: Change) => void;
let added: string[];
let adding: Adding;
let release: () => void;

beforeEach(() => {
  answers = { probe: { found: found(stream("other", 1280), stream("main", 1920), stream("sub", 640)) }, addCamera: { camera: "c" }, discover: { devices: [] } };
  asked = [];
  added = [];
  let held = Promise.resolve();
  release = () => undefined;
  const keeper = new Proxy({} as Keeps, {
    get: (_, call: string) => {
      if (call === "changes") return (listener: typeof tell) => ((tell = listener), () => (tell = () => undefined));
      return async (...args: unknown[]) => {
        asked.push([call, ...args]);
        if (call === "probe") await held;
        const answer = answers[call] ?? {};
        return "trouble" in answer ? { ok: false, ...answer } : { ok: true, ...answer };
      };
    },
  });
  held = new Promise<void>((resolve) => (release = resolve));
  const house = { keeper, heard: (r: unknown) => r, added: (camera: string) => added.push(camera) };
  adding = new Adding(house as unknown as House);
  adding.agent = "a" as AgentID;
  [adding.address, adding.user, adding.password] = [" 192.168.1.20 ", "viewer", "p@ss:word"];
});

afterEach(() => adding.close());

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));
const look = async () => {
  const looked = adding.look();
  release();
  await looked;
};

describe("from an address to a place in the home", () => {
  test("the agent is asked with what was typed, and what it says is shown", async () => {
    const looked = adding.look();
    await settled();
    const [, agent, command, what] = asked[0] ?? [];
    expect([agent, what]).toEqual(["a", { address: "192.168.1.20", user: "viewer", password: "p@ss:word" }]);
    const still = new Blob(["x"]);
    tell({ changed: "progress", command: String(command), says: "Connecting.", done: 1, of: 4 });
    tell({ changed: "progress", command: "another", says: "Not ours.", done: 2, of: 4 });
    tell({ changed: "progress", command: String(command), says: "Watching.", done: 2, of: 4, still });
    expect(adding.stage).toEqual({ is: "looking", says: "Watching.", done: 2, of: 4, stills: [still] });
    release();
    await looked;
    expect([adding.stage.is, adding.chosen]).toEqual(["report", { main: 1, sub: 2 }]);
  });

  test("what was chosen is given to the agent, and the password is gone after that", async () => {
    await look();
    adding.swap();
    adding.name = " Garden ";
    await adding.place();
    const source: CameraSource = { name: "Garden", main: "rtsp://cam/sub640", sub: "rtsp://cam/main1920", user: "viewer", password: "p@ss:word", pin };
    expect(asked.at(-1)).toEqual(["addCamera", "a", source]);
    expect(adding.stage).toEqual({ is: "done", camera: "c", name: "Garden" });
    expect([adding.user, adding.password, added]).toEqual(["", "", ["c"]]);
  });

  test("a camera of one stream is watched in that", async () => {
    answers["probe"] = { found: found(stream("main", 1920)) };
    await look();
    await adding.place();
    expect((asked.at(-1)?.[2] as CameraSource).sub).toBe("");
  });

  test("a refused password is asked for again, and the rest stays", async () => {
    answers["probe"] = { trouble: "agent", reason: "wrong-password", message: "The camera refuses this user and password." };
    await look();
    expect([adding.stage.is, adding.trouble, adding.refused]).toEqual(["asking", "The camera refuses this user and password.", true]);
    expect([adding.address, adding.user, adding.password]).toEqual(["192.168.1.20", "viewer", ""]);
  });

  test.each<[Trouble, string]>([
    [{ trouble: "away" }, words.trouble.away],
    [{ trouble: "offline" }, words.trouble.offline],
    [{ trouble: "agent", reason: "x", message: "" }, words.trouble.agent("")],
  ])("%j is a sentence, and what was typed stays", async (why, says) => {
    answers["probe"] = why;
    await look();
    expect([adding.trouble, adding.refused, adding.password]).toEqual([says, false, "p@ss:word"]);
    adding.trouble = "";
    answers["probe"] = { found: found(stream("main", 1920)) };
    await look();
    answers["addCamera"] = why;
    await adding.place();
    expect([adding.trouble, adding.stage.is, adding.busy]).toEqual([says, "report", ""]);
  });

  test("stopping goes back at once, and what comes after that is not shown", async () => {
    const looked = adding.look();
    await settled();
    await adding.stop();
    expect([adding.stage.is, asked.at(-1)?.[0], asked.at(-1)?.[1]]).toEqual(["asking", "stopCommand", asked[0]?.[2]]);
    release();
    await looked;
    expect([adding.stage.is, adding.trouble]).toEqual(["asking", ""]);
  });

  test("leaving the page stops the agent and forgets the password", async () => {
    void adding.look();
    await settled();
    adding.close();
    expect([adding.password, asked.at(-1)?.[0]]).toEqual(["", "stopCommand"]);
  });

  test("nothing is asked without an address", async () => {
    adding.address = "  ";
    await look();
    expect([asked, adding.trouble]).toEqual([[], words.adding.addressRule]);
  });

  test("user and password pasted with the address leave it", async () => {
    [adding.address, adding.user, adding.password] = ["rtsp://u:p%40x@cam/1", "", ""];
    await look();
    expect(asked[0]?.[3]).toEqual({ address: "rtsp://cam/1", user: "u", password: "p@x" });
    expect(adding.address).toBe("rtsp://cam/1");
  });
});

test.each([
  [["main", "sub"], { main: 0, sub: 1 }],
  [["sub", "main"], { main: 1, sub: 0 }],
  [["main"], { main: 0, sub: -1 }],
  [["other", "other"], { main: 1, sub: -1 }],
] as const)("of streams %j these are taken: %j", (roles, chosen) => {
  expect(chosenOf(found(...roles.map((r, i) => stream(r, 640 * (i + 1)))))).toEqual(chosen);
});

describe("choosing", () => {
  beforeEach(() => (adding.chosen = { main: 0, sub: 1 }));
  test("another to be recorded", () => (adding.useMain(2), expect(adding.chosen).toEqual({ main: 2, sub: 1 })));
  test("the watched one to be recorded exchanges them", () => (adding.useMain(1), expect(adding.chosen).toEqual({ main: 1, sub: 0 })));
  test("another to be watched", () => (adding.useSub(2), expect(adding.chosen).toEqual({ main: 0, sub: 2 })));
  test("none to be watched", () => (adding.useSub(1), expect(adding.chosen).toEqual({ main: 0, sub: -1 })));
  test("the recorded one is not watched as another", () => (adding.useSub(0), expect(adding.chosen).toEqual({ main: 0, sub: 1 })));
});

test.each([
  ["192.168.1.20", "192.168.1.20", "", ""],
  ["rtsp://cam:554/a", "rtsp://cam:554/a", "", ""],
  ["rtsp://u@cam/a", "rtsp://cam/a", "u", ""],
  ["rtsp://u:p@w:x@cam/a", "rtsp://cam/a", "u", "p@w:x"],
  ["rtsp://u:50%@cam/a", "rtsp://cam/a", "u", "50%"],
  ["rtsp://cam/a?mail=x@y", "rtsp://cam/a?mail=x@y", "", ""],
])("%s apart", (text, address, user, password) => expect(apart(text)).toEqual({ address, user, password }));
