// The plumbing under every format: bytes in, bytes out, and the text forms of bytes.
// What is written here is docs/seal.md, "Conventions"; nothing here knows a format.

/** Bytes that own their memory, which is what WebCrypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** The largest integer that any format or message carries (2^53-1). */
export const maxInt = Number.MAX_SAFE_INTEGER;

/** Why bytes do not parse. A format turns it into a reason of its own. */
export class ParseError extends Error {
  constructor(
    readonly why: "truncated" | "malformed",
    message: string,
  ) {
    super(message);
  }
}

/** Collects the bytes of a message. */
export class Writer {
  #parts: Bytes[] = [];
  #length = 0;

  raw(b: Uint8Array): this {
    this.#parts.push(copy(b));
    this.#length += b.length;
    return this;
  }

  u8(n: number): this {
    return this.#uint(n, 1);
  }

  u16(n: number): this {
    return this.#uint(n, 2);
  }

  u32(n: number): this {
    return this.#uint(n, 4);
  }

  u64(n: number): this {
    return this.#uint(n, 8);
  }

  lp16(b: Uint8Array): this {
    return this.u16(b.length).raw(b);
  }

  lp32(b: Uint8Array): this {
    return this.u32(b.length).raw(b);
  }

  bytes(): Bytes {
    return concat(...this.#parts);
  }

  get length(): number {
    return this.#length;
  }

  #uint(n: number, size: 1 | 2 | 4 | 8): this {
    const limit = size === 8 ? maxInt : 2 ** (8 * size) - 1;
    if (!Number.isInteger(n) || n < 0 || n > limit) throw new Error(`internal error: ${n} is no u${8 * size}`);
    const b = new Uint8Array(8);
    new DataView(b.buffer).setBigUint64(0, BigInt(n));
    return this.raw(b.subarray(8 - size));
  }
}

/** Reads a message front to back; every refusal is a ParseError. */
export class Reader {
  readonly #b: Uint8Array;
  #at = 0;

  constructor(b: Uint8Array) {
    this.#b = b;
  }

  get left(): number {
    return this.#b.length - this.#at;
  }

  get at(): number {
    return this.#at;
  }

  raw(n: number): Bytes {
    if (n > this.left) throw new ParseError("truncated", `want ${n} bytes, ${this.left} are left`);
    const from = this.#at;
    this.#at += n;
    return copy(this.#b.subarray(from, this.#at));
  }

  u8(): number {
    return this.raw(1)[0]!;
  }

  u16(): number {
    return view(this.raw(2)).getUint16(0);
  }

  u32(): number {
    return view(this.raw(4)).getUint32(0);
  }

  /** A u64, refused above 2^53-1. */
  u64(): number {
    const n = view(this.raw(8)).getBigUint64(0);
    if (n > BigInt(maxInt)) throw new ParseError("malformed", "an integer is greater than 2^53-1");
    return Number(n);
  }

  lp16(): Bytes {
    return this.raw(this.u16());
  }

  lp32(): Bytes {
    return this.raw(this.u32());
  }

  rest(): Bytes {
    return this.raw(this.left);
  }

  /** Refuses bytes after the end. */
  done(): void {
    if (this.left > 0) throw new ParseError("malformed", `${this.left} bytes too many`);
  }
}

function view(b: Bytes): DataView {
  return new DataView(b.buffer, b.byteOffset, b.byteLength);
}

/** A copy that owns its memory. */
export function copy(b: Uint8Array): Bytes {
  const own = new Uint8Array(b.length);
  own.set(b);
  return own;
}

/** Joins bytes. */
export function concat(...parts: Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}

/** The bytes of ASCII text. */
export function ascii(text: string): Bytes {
  const b = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) b[i] = text.charCodeAt(i);
  return b;
}

/** A label, ended by a zero byte, as it stands before everything that is signed or mixed into a key. */
export function label(text: string): Bytes {
  return concat(ascii(text), new Uint8Array(1));
}

/** Compares public bytes. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Compares secret bytes in a time that depends on their length alone. */
export function equalSecret(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let differ = 0;
  for (let i = 0; i < a.length; i++) differ |= a[i]! ^ b[i]!;
  return differ === 0;
}

/** Whether every byte is zero. */
export function isZero(b: Uint8Array): boolean {
  return b.every((x) => x === 0);
}

/** Orders bytes as numbers of the same length. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/** Fresh random bytes. */
export function random(n: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(n));
}

const letters = "abcdefghijklmnopqrstuvwxyz234567";

/** Lower-case base32 without padding, the text form of every identifier. */
export function base32(b: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of b) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += letters[(held >> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) text += letters[(held << (5 - bits)) & 31];
  return text;
}

/** The bytes of base32 text of exactly n bytes, or null: any other spelling is refused. */
export function unbase32(text: string, n: number): Bytes | null {
  if (text.length !== Math.ceil((n * 8) / 5)) return null;
  const b = new Uint8Array(n);
  let at = 0;
  let bits = 0;
  let held = 0;
  for (const letter of text) {
    const value = letters.indexOf(letter);
    if (value < 0) return null;
    held = (held << 5) | value;
    bits += 5;
    if (bits >= 8 && at < n) {
      bits -= 8;
      b[at++] = (held >> bits) & 255;
    }
    held &= (1 << bits) - 1;
  }
  return at === n && held === 0 ? b : null;
}

/** Standard base64 with padding. */
export function base64(b: Uint8Array): string {
  let text = "";
  for (let i = 0; i < b.length; i += 0x8000) text += String.fromCharCode(...b.subarray(i, i + 0x8000));
  return btoa(text);
}

/** The bytes of standard base64 with padding, or null: any other spelling is refused. */
export function unbase64(text: string): Bytes | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  const raw = atob(text);
  const b = ascii(raw);
  return btoa(raw) === text ? b : null;
}

/** Lower-case hexadecimal. */
export function hex(b: Uint8Array): string {
  return Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
}

/** The bytes of lower-case hexadecimal, or null. */
export function unhex(text: string): Bytes | null {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return null;
  return new Uint8Array(Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16)));
}
