// Painted scenes for the stand-in: each camera sees another one, with somebody in it.

export type Scene = "door" | "garden" | "garage";

const width = 640;
const height = 360;

const skies: Record<Scene, [string, string]> = { door: ["#5d6b7c", "#c9b79c"], garden: ["#7fa6bf", "#d9e3cf"], garage: ["#2c3440", "#596270"] };

function box(g: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, colour: string, x: number, y: number, w: number, h: number): void {
  g.fillStyle = colour;
  g.fillRect(x, y, w, h);
}

function disc(g: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, colour: string, x: number, y: number, r: number): void {
  g.fillStyle = colour;
  g.beginPath();
  g.ellipse(x, y, r, r, 0, 0, 7);
  g.fill();
}

function scene(g: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, what: Scene): void {
  const sky = g.createLinearGradient(0, 0, 0, 220);
  sky.addColorStop(0, skies[what][0]);
  sky.addColorStop(1, skies[what][1]);
  g.fillStyle = sky;
  g.fillRect(0, 0, width, height);
  if (what === "door") {
    box(g, "#8d7b66", 0, 60, 640, 210);
    for (let y = 60; y < 270; y += 14) box(g, "#86745f", 0, y, 640, 2);
    box(g, "#3f4f46", 250, 90, 120, 190);
    box(g, "#dcc88f", 266, 106, 88, 40);
    disc(g, "#d6b25c", 354, 190, 6);
    box(g, "#b7a98f", 0, 270, 640, 90);
    box(g, "#a2947b", 220, 280, 180, 80);
    disc(g, "#4c6b45", 120, 250, 44);
    disc(g, "#56784d", 520, 255, 38);
  } else if (what === "garden") {
    box(g, "#7f9a5f", 0, 200, 640, 160);
    for (let i = 0; i < 9; i++) disc(g, i % 2 ? "#52713f" : "#5f804a", 30 + i * 75, 190, 46);
    for (let x = 0; x < 640; x += 40) box(g, "#a58a63", x, 165, 30, 55);
    disc(g, "#8aa868", 470, 300, 60);
    box(g, "#9a7850", 90, 250, 120, 12);
  } else {
    box(g, "#6d7178", 0, 120, 640, 150);
    for (let y = 130; y < 260; y += 26) box(g, "#7d828a", 120, y, 400, 20);
    box(g, "#4b4f55", 0, 270, 640, 90);
    disc(g, "rgb(255 220 150 / 30%)", 320, 60, 120);
    disc(g, "#ffe3ac", 320, 60, 10);
  }
}

function person(g: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, x: number, coat: string): void {
  disc(g, "#3a2e28", x, 178, 15);
  box(g, coat, x - 18, 192, 36, 62);
  box(g, "#2e3138", x - 15, 254, 12, 46);
  box(g, "#2e3138", x + 3, 254, 12, 46);
}

function stamp(g: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D, name: string, at: Date): void {
  g.font = "600 17px sans-serif";
  g.fillStyle = "rgb(0 0 0 / 45%)";
  g.fillRect(10, 10, g.measureText(`${name}  ${at.toISOString().slice(11, 19)}`).width + 16, 26);
  g.fillStyle = "#fff";
  g.fillText(`${name}  ${at.toISOString().slice(11, 19)}`, 18, 29);
}

const coats = ["#7c3b34", "#34506b", "#5b4a78", "#6b6134"];

/** One picture. */
export function paint(what: Scene, name: string, at: Date): Promise<Blob> {
  const canvas = new OffscreenCanvas(width, height);
  const g = canvas.getContext("2d");
  if (!g) throw new Error("no canvas");
  scene(g, what);
  const n = Math.floor(at.getTime() / 1000);
  person(g, 120 + (n % 400), coats[n % coats.length] ?? "#444");
  stamp(g, name, at);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
}

/** A picture that goes on, painted for as long as somebody watches; returns how to stop. */
export function filmOn(what: Scene, name: string, take: (type: string, piece: ArrayBuffer) => void): () => void {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const g = canvas.getContext("2d")!;
  const draw = () => {
    scene(g, what);
    person(g, 150 + ((Date.now() / 40) % 300), coats[1] ?? "#444");
    stamp(g, name, new Date());
  };
  draw();
  const painting = setInterval(draw, 66);
  const recorder = new MediaRecorder(canvas.captureStream(15), { mimeType: 'video/webm; codecs="vp8"' });
  let turn = Promise.resolve();
  recorder.ondataavailable = (e) => (turn = turn.then(async () => take(recorder.mimeType, await e.data.arrayBuffer())));
  recorder.start(100);
  return () => {
    clearInterval(painting);
    recorder.stop();
  };
}

/** A few seconds of moving picture, with a tone to it if wanted. */
export async function film(what: Scene, name: string, at: Date, tone = false): Promise<Blob> {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const g = canvas.getContext("2d");
  if (!g) throw new Error("no canvas");
  const stream = canvas.captureStream(15);
  if (tone) {
    const audio = new AudioContext();
    const out = audio.createMediaStreamDestination();
    const oscillator = audio.createOscillator();
    oscillator.connect(out);
    oscillator.start();
    for (const track of out.stream.getTracks()) stream.addTrack(track);
  }
  const recorder = new MediaRecorder(stream);
  const parts: Blob[] = [];
  recorder.ondataavailable = (e) => parts.push(e.data);
  recorder.start();
  for (let i = 0; i < 24; i++) {
    scene(g, what);
    person(g, 150 + i * 8, coats[0] ?? "#444");
    stamp(g, name, new Date(at.getTime() + i * 66));
    await new Promise((resolve) => setTimeout(resolve, 66));
  }
  return new Promise((resolve) => {
    recorder.onstop = () => resolve(new Blob(parts, { type: recorder.mimeType }));
    recorder.stop();
  });
}
