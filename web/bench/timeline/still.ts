// A still as a camera's filmstrip has them: 640 by 360, some thirty kilobytes.

/** The picture of that number; another number is another picture. */
export async function painted(n: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(640, 360);
  const pen = canvas.getContext("2d")!;
  let x = n + 1;
  const random = () => (x = (Math.imul(x, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  for (let i = 0; i < 1500; i++) {
    pen.fillStyle = `hsl(${random() * 60 + n} 30% ${random() * 80}%)`;
    pen.fillRect(random() * 640, random() * 360, random() * 60, random() * 40);
  }
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.75 });
}
