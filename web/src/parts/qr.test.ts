import jsQR from "jsqr";
import { expect, test } from "vitest";

import { square } from "./qr.ts";

// Draws the path as a camera would see it, eight points to a module.
function seen(text: string): Uint8ClampedArray<ArrayBuffer> & { width: number } {
  const { size, path } = square(text);
  const width = size * 8;
  const pixels = Object.assign(new Uint8ClampedArray(width * width * 4).fill(255), { width });
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g))
    for (let dy = 0; dy < 8; dy++) for (let dx = 0; dx < 8; dx++) pixels.fill(0, ((Number(y) * 8 + dy) * width + Number(x) * 8 + dx) * 4, ((Number(y) * 8 + dy) * width + Number(x) * 8 + dx) * 4 + 3);
  return pixels;
}

test.each([
  `https://home.example.org/#invite=${"a2".repeat(13)}&home=${"b3".repeat(26)}&head=123:${"0f".repeat(32)}&trust=${"ab".repeat(32)}`,
  "otpauth://totp/Latchkey:anna%40example.org?secret=JBSWY3DPEHPK3PXP&issuer=Latchkey",
])("another reader reads %s", (text) => {
  const pixels = seen(text);
  expect(jsQR(pixels, pixels.width, pixels.width)?.data).toBe(text);
});
