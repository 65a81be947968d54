// What the agents of the stand-in report, and what the camera offers that they are
// asked to look at: every state that a screen has words for.

import type { AgentCondition, AgentID, CameraCondition, CameraID, CameraSettings, Found, FoundStream } from "../worker/protocol.ts";
import { is } from "./ids.ts";
import { paint } from "./paint.ts";

const minutes = (n: number) => (Date.now() - n * 60_000) * 1000;

/** The settings of a camera that nobody has changed anything about. */
export function placed(name: string): CameraSettings {
  return { name, off: false, offWhen: [], sensitivity: "medium", zones: [], masks: [] };
}

function condition(camera: CameraID, more: Partial<CameraCondition> = {}): CameraCondition {
  const well = { state: "recording", recording: true, since: minutes(60 * 26), says: "", last: minutes(0.1), motion: "", events24h: 14 };
  return { camera, ...well, width: 1920, height: 1080, codec: "h264", rate: 14.98, audio: "aac", ...more };
}

const not = (state: string, since: number, says: string): Partial<CameraCondition> => ({ state, recording: false, since: minutes(since), says, last: minutes(since) });

/** A camera in every state, by name. */
export const troubles: [name: string, Partial<CameraCondition>, Partial<CameraSettings>][] = [
  ["Back door", not("unreachable", 95, "The camera cannot be reached. Check that it is switched on, in this network, and that host and port are right."), {}],
  ["Balcony", not("frozen", 260, "The camera has sent the very same picture for minutes: it is frozen. It is connected anew; if this goes on, restart it."), {}],
  ["Carport", not("another-device", 12, "Another device is at this camera's address: its serial number is 7C1199004 and not 5B0042218."), {}],
  ["Cellar", not("wrong-password", 31, "The camera refuses this user and password. Check them in the camera's own settings; the next try is a minute away."), {}],
  ["Children's room", { ...not("off", 45, ""), width: 0, codec: "" }, { off: true }],
  ["Kitchen", { ...not("off", 45, ""), width: 0, codec: "" }, { offWhen: [{ days: [1, 2, 3, 4, 5, 6, 7], from: "00:00", to: "23:59" }] }],
  ["Street", not("something-newer", 3, "The camera does what this page has no word for."), {}],
  ["Terrace", { motion: "Motion is not looked for: the program ffmpeg is missing on the agent's machine. Install it; recording goes on.", codec: "h265", audio: "" }, {}],
  ["Yard", { ...not("connecting", 0.1, "Connecting to the camera."), width: 0 }, {}],
];

/** What one agent reports. */
export function report(agent: AgentID, name: string, cameras: CameraID[], how: Map<CameraID, Partial<CameraCondition>> = new Map()): AgentCondition {
  return {
    agent,
    connected: true,
    received: minutes(0.2),
    state: "verified",
    condition: {
      version: "0.3.0",
      name,
      started: minutes(60 * 26),
      clock: { quality: "synchronised", boots: [] },
      cameras: cameras.map((c) => condition(c, how.get(c))),
      spool: { objects: 0, bytes: 0, limit: 20e9, says: "" },
      disk: { free: 84.2e9, says: "" },
      footage: { bytes: 412e9, limit: 0, state: "ok", says: "", lost: is("footage-lost") ? (Date.now() - 9 * 24 * 3600_000) * 1000 : 0 },
    },
  };
}

/** One that has not been heard for a while. */
export function silentReport(agent: AgentID, name: string, cameras: CameraID[]): AgentCondition {
  const said = report(agent, name, cameras);
  if (said.state !== "verified") return said;
  const { condition } = said;
  return { ...said, connected: false, received: minutes(190), condition: { ...condition, clock: { quality: "estimated", boots: [] }, spool: { objects: 31, bytes: 184e6, limit: 20e9, says: "" }, disk: { free: 1.9e9, says: "1.9 GB free: enough for about two days." } } };
}

async function stream(more: Partial<FoundStream>): Promise<FoundStream> {
  const still = await paint("garden", "", new Date());
  const plain = { codec: "h264", profile: "High", rate: 15, keyIntervalMs: 1000, bFrames: false, bitrate: 2_900_000, audio: "pcma", still, findings: [] };
  return { role: "other", address: "", width: 1920, height: 1080, ...plain, ...more };
}

/** What a camera offers that has something good, something odd and something bad about it. */
export async function offer(): Promise<Found> {
  const at = (path: string) => `rtsp://192.168.1.64:554${path}`;
  const good = { severity: "good", code: "codec", says: "H.264 with a key frame every second: right as it is.", fix: "" } as const;
  return {
    host: "192.168.1.64",
    brand: "Hikvision",
    streams: [
      await stream({ role: "main", address: at("/Streaming/Channels/101"), width: 2560, height: 1440, codec: "h265", profile: "Main", bitrate: 4_100_000, findings: [{ severity: "warning", code: "h265", says: "The video is H.265, which not every browser plays.", fix: "Set the video encoding of the main stream to H.264 if clips shall play everywhere." }] }),
      await stream({ role: "sub", address: at("/Streaming/Channels/102"), width: 640, height: 360, rate: 7.5, bitrate: 380_000, audio: "", findings: [good] }),
      await stream({ address: at("/Streaming/Channels/103"), width: 1280, height: 720, keyIntervalMs: 10_000, bFrames: true, still: null, findings: [{ severity: "bad", code: "keys", says: "A key frame comes only every 10 seconds: a clip would begin up to 10 seconds late.", fix: "Set “I-frame interval” to the number of pictures a second, and switch H.264+ off." }] }),
    ],
    clock: { known: true, offsetMs: -94_000 },
    pin: { mac: "44:19:b6:00:42:21", serial: "5B0042218", certificate: "" },
    findings: [{ severity: "warning", code: "clock", says: "The camera's clock is a minute and a half behind. Times in Latchkey are the agent's and right all the same.", fix: "Set the camera's time server to your router." }],
  };
}
