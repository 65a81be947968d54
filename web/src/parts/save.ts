// Hands a file to the person: the browser's own download, from memory.

import { words } from "../words.ts";
import { dayOf, wall } from "./time.ts";

/** What a file of a camera is called: by the camera and the home's time, without what file systems refuse. */
export function fileOf(camera: string, us: number | null, zone: string, named: (camera: string, day: string, clock: string) => string = words.player.clipFile): string {
  const w = us === null ? null : wall(us, zone);
  const clock = w ? [w.hour, w.minute, w.second].map((n) => String(n).padStart(2, "0")).join("-") : "";
  return named(camera, us === null ? "" : dayOf(us, zone), clock).replace(/[\\/:*?"<>|]/g, "-").replace(/ +/g, " ");
}

/** Saves the file under that name. */
export function saveFile(file: Blob, filename: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = filename;
  link.click();
  // The download has its own hold on the bytes once it has begun; a minute is plenty.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
