// Paints the stills of one camera into one canvas, in the order in which they were
// wanted: a picture that is decoded late is not painted over a newer one.

export class Still {
  readonly #canvas: HTMLCanvasElement;
  #wanted: Blob | null = null;
  #turn = 0;
  #painted = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  /** Paints a still, or nothing; whether it is the one on the canvas then. */
  async show(still: Blob | null): Promise<boolean> {
    if (still === this.#wanted) return false;
    this.#wanted = still;
    const turn = ++this.#turn;
    if (still === null) {
      this.#clear();
      return true;
    }
    let picture: ImageBitmap;
    try {
      picture = await createImageBitmap(still);
    } catch {
      if (turn === this.#turn) this.#clear();
      return false;
    }
    const newer = turn > this.#painted;
    if (newer) {
      this.#painted = turn;
      const canvas = this.#canvas;
      if (canvas.width !== picture.width || canvas.height !== picture.height) [canvas.width, canvas.height] = [picture.width, picture.height];
      canvas.getContext("2d")?.drawImage(picture, 0, 0);
    }
    picture.close();
    return newer;
  }

  #clear(): void {
    this.#painted = this.#turn;
    this.#canvas.getContext("2d")?.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }
}
