// The small drawings, as paths in a square of 24.

export const icons = {
  events: "M4 6h9M4 12h16M4 18h12",
  cameras: "M3 8.5A2.5 2.5 0 0 1 5.5 6h8A2.5 2.5 0 0 1 16 8.5v7a2.5 2.5 0 0 1-2.5 2.5h-8A2.5 2.5 0 0 1 3 15.5zM16 11l5-3v8l-5-3",
  home: "M4 11l8-6.5L20 11M6 9.5V19h12V9.5M12 19v-5",
  lock: "M6.5 11h11v8.5h-11zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v1.8",
  close: "M6 6l12 12M18 6L6 18",
  left: "M14.5 5.5L8 12l6.5 6.5",
  right: "M9.5 5.5L16 12l-6.5 6.5",
  save: "M12 4v11M7.5 11L12 15.5 16.5 11M5 19.5h14",
  keyhole: "M12 4.5a4 4 0 0 1 2 7.46L15.5 19.5h-7L10 11.96A4 4 0 0 1 12 4.5z",
  up: "M12 19V5.5M6.5 11L12 5.5 17.5 11",
  check: "M5 12.5l4.5 4.5L19 7.5",
  copy: "M9 9h10.5v10.5H9zM5.5 15H4.5V4.5H15V5.5",
  plus: "M12 5v14M5 12h14",
  sound: "M4.5 9.5v5H8l4.5 4v-13L8 9.5zM16 9a4.2 4.2 0 0 1 0 6M18.6 6.4a8 8 0 0 1 0 11.2",
  muted: "M4.5 9.5v5H8l4.5 4v-13L8 9.5zM16.5 9.5l5 5M21.5 9.5l-5 5",
  warn: "M12 4L2.8 19.5h18.4zM12 10v4.5M12 17v.2",
  swap: "M7 4v14M3.5 14.5L7 18l3.5-3.5M17 20V6M13.5 9.5L17 6l3.5 3.5",
  undo: "M8 5.5L4 9.5l4 4M4 9.5h10a5.5 5.5 0 0 1 0 11h-3",
  play: "M8.5 5.5v13l10-6.5z",
} as const;

export type IconName = keyof typeof icons;
