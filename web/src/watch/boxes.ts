// The little that has to be known of an MP4 to put pieces of different runs on one line
// of time: how fast its clock goes, and where a piece begins by it.

interface Box {
  readonly type: string;
  readonly body: DataView;
}

/** The boxes that lie one behind the other; what is cut off or none ends the list. */
function* boxes(view: DataView): Generator<Box> {
  for (let at = 0; at + 8 <= view.byteLength; ) {
    let [head, size] = [8, view.getUint32(at)];
    const type = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
    if (size === 1 && at + 16 <= view.byteLength) [head, size] = [16, Number(view.getBigUint64(at + 8))];
    if (size < head || size > view.byteLength - at) return;
    yield { type, body: new DataView(view.buffer, view.byteOffset + at + head, size - head) };
    at += size;
  }
}

/** The first box down that way. */
function find(view: DataView, ...way: string[]): DataView | null {
  const [next, ...rest] = way;
  if (next === undefined) return view;
  for (const { type, body } of boxes(view)) if (type === next) return find(body, ...rest);
  return null;
}

/** A number of 32 bits, or of 64 if the box is of version 1: the first number after so many of those. */
function timeIn(box: DataView | null, before: number): { at: number; version: number } | null {
  if (box === null || box.byteLength < 4) return null;
  const version = box.getUint8(0);
  return { version, at: 4 + before * (version === 1 ? 8 : 4) };
}

/** Ticks to a second of the first track of an init segment, 0 if it says none. */
export function ticksOf(init: ArrayBuffer): number {
  const mdhd = find(new DataView(init), "moov", "trak", "mdia", "mdhd");
  const where = timeIn(mdhd, 2);
  return where === null || where.at + 4 > mdhd!.byteLength ? 0 : mdhd!.getUint32(where.at);
}

/** Where a piece of media begins, in ticks; null if it does not say. */
export function beginningOf(media: ArrayBuffer): number | null {
  const tfdt = find(new DataView(media), "moof", "traf", "tfdt");
  const where = timeIn(tfdt, 0);
  if (where === null) return null;
  const size = where.version === 1 ? 8 : 4;
  if (where.at + size > tfdt!.byteLength) return null;
  return size === 8 ? Number(tfdt!.getBigUint64(where.at)) : tfdt!.getUint32(where.at);
}
