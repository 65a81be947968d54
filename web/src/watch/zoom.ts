// A picture that is looked at more closely. A view is how much larger the picture is,
// and where its left upper corner lies, in widths and heights of the frame around it.

export interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export const whole: View = { scale: 1, x: 0, y: 0 };

const most = 8;

/** One step of a wheel or a key. */
export const step = 1.25;

/** No edge of the picture comes into the frame. */
function within({ scale, x, y }: View): View {
  const edge = (at: number) => Math.min(0, Math.max(1 - scale, at));
  return { scale, x: edge(x), y: edge(y) };
}

/** Closer by that factor, with what is at that place of the frame staying there. */
export function zoomed(view: View, factor: number, px = 0.5, py = 0.5): View {
  const scale = Math.min(most, Math.max(1, view.scale * factor));
  const by = scale / view.scale;
  return within({ scale, x: px - (px - view.x) * by, y: py - (py - view.y) * by });
}

/** Pushed by parts of the frame. */
export function moved(view: View, dx: number, dy: number): View {
  return within({ ...view, x: view.x + dx, y: view.y + dy });
}
