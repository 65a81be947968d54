// What somebody types for how long and how much is kept.

/** Days and bytes, 0 for no bound; null if it is not that. A deed takes up to 36,500 days. */
export function boundsOf(days: string, gigabytes: string): { days: number; bytes: number } | null {
  const whole = (text: string, most: number) => {
    const bare = text.trim();
    if (bare === "") return 0;
    return /^\d{1,9}$/.test(bare) && Number(bare) <= most && Number(bare) > 0 ? Number(bare) : null;
  };
  const [d, g] = [whole(days, 36_500), whole(gigabytes, 1_000_000)];
  return d === null || g === null ? null : { days: d, bytes: g * 1e9 };
}

/** What a home that says nothing of it is offered, and a new one begins with. */
export const usualDays = 30;

/** How full what a home may store is: from 80 per cent on it is said, and nearly full is full, because the next clip finds no room. */
export function fullness({ bytes, most }: { bytes: number; most: number }): "room" | "soon" | "full" {
  if (most === 0 || bytes < most * 0.8) return "room";
  return bytes < most * 0.99 ? "soon" : "full";
}
