// How much something is, as people say it.

import { locale } from "../words.ts";

const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** Bytes in words: 940 byte, 3.2 MB, 118 GB. */
export function size(bytes: number): string {
  let [n, unit] = [Math.max(0, bytes), 0];
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000;
    unit++;
  }
  return new Intl.NumberFormat(locale(), { style: "unit", unit: units[unit] ?? "byte", maximumFractionDigits: n < 10 && unit > 0 ? 1 : 0 }).format(n);
}

/** A number with at most one place after the point. */
export function decimal(n: number): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: 1 }).format(n);
}
