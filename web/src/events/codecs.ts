// What a clip is made of, read from its head: whether it has sound, and whether its
// video is of a kind that not every browser plays.

export interface Made {
  sound: boolean;
  h265: boolean;
}

// The moov box stands at the front of a clip and is a few kilobytes long.
const head = 64 << 10;

const sounds = ["mp4a", "Opus", "A_OPUS"];
const h265 = ["hvc1", "hev1"];

/** Looks for the sample entries in the head of a clip. */
export async function madeOf(clip: Blob): Promise<Made> {
  const text = new TextDecoder("latin1").decode(await clip.slice(0, head).arrayBuffer());
  const has = (names: readonly string[]) => names.some((name) => text.includes(name));
  return { sound: has(sounds), h265: has(h265) };
}

/** What a clip says of itself in its MIME type. */
export function madeAs(type: string): Made {
  const has = (names: readonly string[]) => names.some((name) => type.toLowerCase().includes(name.toLowerCase()));
  return { sound: has(sounds), h265: has(h265) };
}

/** Whether this browser says that it plays H.265. */
export function playsH265(video: Pick<HTMLVideoElement, "canPlayType"> = document.createElement("video")): boolean {
  return ['video/mp4; codecs="hvc1.1.6.L123.B0"', 'video/mp4; codecs="hev1.1.6.L123.B0"'].some((type) => video.canPlayType(type) !== "");
}
