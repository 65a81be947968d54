import { describe, expect, it } from "vitest";
import { base32, base64, equalSecret, maxInt, ParseError, random, Reader, unbase32, unbase64, unhex, Writer } from "./wire.ts";

describe("base32", () => {
  it("gives back what it wrote, and takes no other spelling", () => {
    for (const n of [0, 1, 2, 3, 4, 5, 16, 32]) {
      const b = random(n);
      expect(unbase32(base32(b), n)).toEqual(b);
    }
    const text = base32(random(16));
    expect(unbase32(text.toUpperCase(), 16)).toBe(null);
    expect(unbase32(text + "=", 16)).toBe(null);
    expect(unbase32(text.slice(1), 16)).toBe(null);
    // 16 bytes leave two spare bits in the last letter, and they are zero.
    expect(unbase32("a".repeat(25) + "b", 16)).toBe(null);
    expect(unbase32("a".repeat(26), 16)).toEqual(new Uint8Array(16));
    expect(unbase32("a".repeat(25) + "1", 16)).toBe(null);
  });
});

describe("base64", () => {
  it("gives back what it wrote, and takes no other spelling", () => {
    for (const n of [0, 1, 2, 3, 100, 70_000]) {
      const b = random(n % 65536);
      expect(unbase64(base64(b))).toEqual(b);
    }
    for (const bad of ["A", "AA", "AB==", "AA==\n", "A-_=", " AAA", "A==="]) expect(unbase64(bad), bad).toBe(null);
  });
});

describe("a reader", () => {
  it("reads what a writer wrote, and says what is wrong with the rest", () => {
    const b = new Writer().u8(7).u16(0xbeef).u32(0xdeadbeef).u64(maxInt).lp16(Uint8Array.of(1, 2)).lp32(Uint8Array.of(3)).bytes();
    const r = new Reader(b);
    expect([r.u8(), r.u16(), r.u32(), r.u64(), [...r.lp16()], [...r.lp32()]]).toEqual([7, 0xbeef, 0xdeadbeef, maxInt, [1, 2], [3]]);
    r.done();
    const why = (bytes: number[], read: (r: Reader) => unknown): string => {
      try {
        read(new Reader(Uint8Array.from(bytes)));
        return "read";
      } catch (e) {
        return e instanceof ParseError ? e.why : String(e);
      }
    };
    expect(why([1], (x) => x.u16())).toBe("truncated");
    expect(why([0, 2, 9], (x) => x.lp16())).toBe("truncated");
    expect(why([0, 0x20, 0, 0, 0, 0, 0, 0], (x) => x.u64())).toBe("malformed");
    expect(why([1, 2], (x) => (x.u8(), x.done()))).toBe("malformed");
  });

  it("refuses to write what no reader takes", () => {
    expect(() => new Writer().u64(2 ** 53)).toThrow("internal error");
    expect(() => new Writer().u8(256)).toThrow("internal error");
    expect(() => new Writer().u16(-1)).toThrow("internal error");
  });
});

it("compares secrets and reads hexadecimal", () => {
  expect(equalSecret(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(equalSecret(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(equalSecret(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
  expect([unhex("00ff"), unhex("0F"), unhex("0")]).toEqual([Uint8Array.of(0, 255), null, null]);
});
