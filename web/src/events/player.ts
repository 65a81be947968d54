// What keys do in the player.

export type Act = "newer" | "older" | "play" | "full" | "mute";

const acts = new Map<string, Act>(Object.entries({ ArrowLeft: "newer", k: "newer", ArrowRight: "older", j: "older", " ": "play", f: "full", m: "mute" }));

/** What a key press asks the player for. Space on a button is the button's. */
export function actOf(event: Pick<KeyboardEvent, "key" | "metaKey" | "ctrlKey" | "altKey">, onButton: boolean): Act | null {
  if (event.metaKey || event.ctrlKey || event.altKey) return null;
  const act = acts.get(event.key) ?? null;
  return act === "play" && onButton ? null : act;
}

/** Does to a video what a key asks for. */
export function act(what: Act, video: HTMLVideoElement, stage: HTMLElement): void {
  if (what === "play") {
    if (video.paused) void video.play().catch(() => undefined);
    else video.pause();
  }
  if (what === "mute") video.muted = !video.muted;
  if (what === "full") {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void stage.requestFullscreen?.().catch(() => undefined);
  }
}
