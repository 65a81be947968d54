// The stand-in's live view: cameras that are painted on, or whatever else the address asks for.

import type { Keeps } from "../keeper.ts";
import { steady } from "../steady.ts";
import type { Waits } from "../worker/protocol.ts";
import { is } from "./ids.ts";
import { filmOn } from "./paint.ts";
import { cameras, names, scenes } from "./stage.ts";

const waits: Waits[] = ["away", "frozen", "off", "busy", "silent", "not-allowed"];

export const live: Keeps["live"] = (camera, stream, take) => {
  const i = cameras.indexOf(camera);
  const why = waits.find((w) => is(`live-${w}`)) ?? (stream === "sound" || i < 0 || (stream === "sub" && is("live-alone")) ? "no-stream" : null);
  if (why !== null) {
    const timer = setTimeout(() => take({ is: "waits", why }), 200);
    return () => clearTimeout(timer);
  }
  if (is("live-h265") && stream === "main") {
    const timer = setTimeout(() => take({ is: "init", type: 'video/mp4; codecs="hvc1.1.6.L123.B0"', segment: new ArrayBuffer(8) }), 200);
    return () => clearTimeout(timer);
  }
  let begun = false;
  const late = is("live-late") ? 8000 : 150;
  return filmOn(scenes[i] ?? "door", names[i] ?? "", (type, media) => {
    if (!begun) take({ is: "init", type, segment: new ArrayBuffer(0) });
    take({ is: "media", media, key: !begun, time: Date.now() * 1000, seen: steady.now() - late });
    begun = true;
  });
};
