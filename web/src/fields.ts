// JSON that somebody else wrote, taken apart member by member. What is taken and
// refused is what the Go code takes and refuses (internal/fields).

import { type Bytes, maxInt, unbase64 } from "./wire.ts";

/** Says that a content is not what it should be. */
export class ContentError extends Error {}

// Control characters, and those that turn the direction of text: with one of them one
// text looks like another.
const refused = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** Whether that may be shown as text: so many characters at most, none that hides or turns others. */
export function textFits(text: string, most: number): boolean {
  return [...text].length <= most && !refused.test(text);
}

/** A JSON object; a member that is not what it should be throws a ContentError. */
export class ContentObject {
  readonly #members: Record<string, unknown>;

  constructor(value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ContentError("no JSON object");
    this.#members = value as Record<string, unknown>;
  }

  /** The object that bytes spell. */
  static parse(b: Bytes): ContentObject {
    try {
      return new ContentObject(JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(b)));
    } catch {
      throw new ContentError("no JSON object");
    }
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#members, name);
  }

  names(): string[] {
    return Object.keys(this.#members);
  }

  /** The members that are called otherwise, as they came. */
  others(...known: string[]): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this.#members).filter(([name]) => !known.includes(name)));
  }

  text(name: string, most: number): string {
    const v = this.#take(name);
    if (typeof v !== "string" || !textFits(v, most)) throw new ContentError(`member "${name}"`);
    return v;
  }

  /** A text that is not empty. */
  filled(name: string, most: number): string {
    const text = this.text(name, most);
    if (text === "") throw new ContentError(`member "${name}" is empty`);
    return text;
  }

  oneOf<T extends string>(name: string, all: readonly T[]): T {
    const v = all.find((one) => one === this.#take(name));
    if (v === undefined) throw new ContentError(`member "${name}"`);
    return v;
  }

  bytes(name: string, most: number): Bytes {
    const v = this.#take(name);
    const b = typeof v === "string" ? unbase64(v) : null;
    if (b === null || b.length > most) throw new ContentError(`member "${name}"`);
    return b;
  }

  number(name: string, least: number, most: number): number {
    const v = this.#take(name);
    if (typeof v !== "number" || !(v >= least && v <= most)) throw new ContentError(`member "${name}"`);
    return v;
  }

  /** A whole number. */
  int(name: string, least: number, most: number): number {
    const v = this.number(name, least, most);
    if (!Number.isInteger(v)) throw new ContentError(`member "${name}"`);
    return v;
  }

  /** A whole number from 0. */
  count(name: string): number {
    return this.int(name, 0, maxInt);
  }

  boolean(name: string): boolean {
    const v = this.#take(name);
    if (typeof v !== "boolean") throw new ContentError(`member "${name}"`);
    return v;
  }

  object(name: string): ContentObject {
    return new ContentObject(this.#take(name));
  }

  list(name: string, most: number): unknown[] {
    const v = this.#take(name);
    if (!Array.isArray(v) || v.length > most) throw new ContentError(`member "${name}"`);
    return v;
  }

  objects(name: string, most: number): ContentObject[] {
    return this.list(name, most).map((v) => new ContentObject(v));
  }

  #take(name: string): unknown {
    if (!this.has(name)) throw new ContentError(`no member "${name}"`);
    return this.#members[name];
  }
}

/** Whether that is a whole number from least to most. */
export function isWhole(v: unknown, least: number, most: number): v is number {
  return typeof v === "number" && Number.isInteger(v) && v >= least && v <= most;
}
