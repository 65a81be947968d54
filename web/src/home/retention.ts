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
