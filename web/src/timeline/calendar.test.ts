// Days of 23, 24 and 25 hours, and of whole and half ones, in zones all over.

import { describe, expect, it } from "vitest";
import { Calendar, dayIn } from "./calendar.ts";

const hour = 3600 * 1e6;
const utc = (text: string) => Date.parse(`${text}Z`) * 1000;
const hours = (day: string, zone: string) => {
  const { from, until } = dayIn(day, zone);
  return (until - from) / hour;
};

describe("a day", () => {
  it.each([
    ["2026-11-26", "Europe/Berlin", 24, "2026-11-25T23:00"],
    ["2026-03-29", "Europe/Berlin", 23, "2026-03-28T23:00"],
    ["2026-10-25", "Europe/Berlin", 25, "2026-10-24T22:00"],
    ["2026-03-08", "America/New_York", 23, "2026-03-08T05:00"],
    ["2026-11-01", "America/New_York", 25, "2026-11-01T04:00"],
    // The southern half, where summer begins in October; and clocks that are set by half an hour.
    ["2026-10-04", "Australia/Sydney", 23, "2026-10-03T14:00"],
    ["2026-04-05", "Australia/Sydney", 25, "2026-04-04T13:00"],
    ["2026-10-04", "Australia/Lord_Howe", 23.5, "2026-10-03T13:30"],
    ["2026-04-05", "Australia/Lord_Howe", 24.5, "2026-04-04T13:00"],
    // Zones of a quarter of an hour, one of which has summer time.
    ["2026-06-01", "Asia/Kathmandu", 24, "2026-05-31T18:15"],
    ["2026-09-27", "Pacific/Chatham", 23, "2026-09-26T11:15"],
    ["2026-04-05", "Pacific/Chatham", 25, "2026-04-04T10:15"],
    // Days without a midnight, and with two.
    ["2026-09-06", "America/Santiago", 23, "2026-09-06T04:00"],
    ["2026-04-04", "America/Santiago", 25, "2026-04-04T03:00"],
    ["2026-11-26", "Pacific/Kiritimati", 24, "2026-11-25T10:00"],
    ["2026-11-26", "Etc/GMT+12", 24, "2026-11-26T12:00"],
  ])("%s in %s has %d hours and begins at %s", (day, zone, long, begins) => {
    expect(hours(day, zone)).toBe(long);
    expect(dayIn(day, zone).from).toBe(utc(begins));
  });

  it("begins where the one before ends, all year round", () => {
    for (const zone of ["Europe/Berlin", "Pacific/Chatham", "America/Santiago"]) {
      let at = utc("2026-01-02T12:00");
      for (let i = 0; i < 360; i += 9) {
        const day = new Date(at / 1000).toISOString().slice(0, 10);
        const next = new Date(at / 1000 + 86_400_000).toISOString().slice(0, 10);
        expect(dayIn(day, zone).until, `${day} in ${zone}`).toBe(dayIn(next, zone).from);
        at += 9 * 24 * hour;
      }
    }
  });
});

describe("what stands along a day", () => {
  const labels = (c: Calendar, view = c.whole, most = 25) => c.ticks(view, most).map((t) => `${t.clock} ${t.which}`.trim());

  it("is every hour once, and says which of the two it is of one that comes twice", () => {
    const back = new Calendar("2026-10-25", "Europe/Berlin");
    const ticks = back.ticks(back.whole, 25);
    expect(ticks).toHaveLength(25);
    expect(labels(back).slice(1, 5)).toEqual(["01:00", "02:00 before", "02:00 after", "03:00"]);
    // Two that would lie over one another are one.
    expect(labels(back, back.whole, 13).slice(0, 4)).toEqual(["00:00", "02:00 before", "04:00", "06:00"]);
    expect(ticks[3]!.at - ticks[2]!.at).toBe(hour);
    expect(back.jumps).toEqual([{ at: utc("2026-10-25T01:00"), by: -60 }]);
    expect(back.which(utc("2026-10-25T00:30"))).toBe("before");
    expect(back.which(utc("2026-10-25T01:30"))).toBe("after");
    expect([back.which(utc("2026-10-24T23:59")), back.which(utc("2026-10-25T02:00"))]).toEqual(["", ""]);
  });

  it("leaves out the hour that is left out", () => {
    const on = new Calendar("2026-03-29", "Europe/Berlin");
    const ticks = on.ticks(on.whole, 24);
    expect(ticks).toHaveLength(23);
    expect(labels(on).slice(0, 4)).toEqual(["00:00", "01:00", "03:00", "04:00"]);
    expect(on.jumps).toEqual([{ at: utc("2026-03-29T01:00"), by: 60 }]);
  });

  it("is even by the home's clock, whatever the zone is", () => {
    const far = new Calendar("2026-06-01", "Asia/Kathmandu");
    expect(labels(far, far.whole, 8)).toEqual(["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]);
    const half = new Calendar("2026-04-05", "Australia/Lord_Howe");
    const view = { from: half.whole.from + hour, until: half.whole.from + 3 * hour };
    expect(labels(half, view, 8)).toEqual(["01:00", "01:15", "01:30 before", "01:45 before", "01:30 after", "01:45 after", "02:00", "02:15"]);
  });

  it("gets closer with the view, down to minutes", () => {
    const day = new Calendar("2026-11-26", "Europe/Berlin");
    const { from } = day.whole;
    expect(labels(day, { from, until: from + 5 * 60e6 }, 6)).toEqual(["00:00", "00:01", "00:02", "00:03", "00:04"]);
  });
});

describe("a time that somebody types", () => {
  it("is found once, twice or never", () => {
    const [plain, back, on] = ["2026-11-26", "2026-10-25", "2026-03-29"].map((d) => new Calendar(d, "Europe/Berlin")) as [Calendar, Calendar, Calendar];
    expect(plain.at("14:05")).toEqual([utc("2026-11-26T13:05")]);
    expect(back.at("02:30")).toEqual([utc("2026-10-25T00:30"), utc("2026-10-25T01:30")]);
    expect(on.at("02:30")).toEqual([]);
    expect(on.at("00:00")).toEqual([on.whole.from]);
    for (const none of ["", "14", "1405", "14:5"]) expect(plain.at(none), none).toEqual([]);
  });
});
