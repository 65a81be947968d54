import { expect, test, vi } from "vitest";

vi.stubGlobal("location", { pathname: "/" });
vi.stubGlobal("addEventListener", () => undefined);

const { parsePath, pathOf } = await import("./route.svelte.ts");

const event = "abcdefghijklmnopqrstuvwx27";

test.each([
  ["/", "events", ""],
  ["", "events", ""],
  ["/events", "events", ""],
  ["/events/", "events", ""],
  [`/events/${event}`, "events", event],
  [`/events/${event}/more`, "events", ""],
  ["/events/../../x", "events", ""],
  ["/events/ABCDEFGHIJKLMNOPQRSTUVWX27", "events", ""],
  ["/cameras", "cameras", ""],
  ["/cameras/", "cameras", ""],
  ["/home", "home", ""],
  ["/people", "people", ""],
  ["/you", "you", ""],
  ["/trust", "trust", ""],
  ["/homes/", "homes", ""],
  ["/nowhere", "events", ""],
  ["/src/dev/index.html", "events", ""],
])("%s is %s %s", (path, screen, event) => expect(parsePath(path)).toEqual({ screen, event }));

test.each([
  ["events", "", "/"],
  ["events", event, `/events/${event}`],
  ["cameras", "", "/cameras"],
  ["home", "", "/home"],
  ["people", "", "/people"],
  ["you", "", "/you"],
] as const)("%s %s is at %s, and back", (screen, event, path) => {
  expect(pathOf({ screen, event })).toBe(path);
  expect(parsePath(path)).toEqual({ screen, event });
});

const camera = event;

test.each([
  [`/cameras/${camera}`, camera],
  ["/cameras/new", "new"],
  ["/cameras/old", undefined],
  [`/cameras/${camera}/more`, undefined],
])("%s is the page of camera %s", (path, camera) => {
  const route = parsePath(path);
  expect(route).toEqual({ screen: "cameras", event: "", ...(camera && { camera }) });
  expect(pathOf(route)).toBe(camera ? path : "/cameras");
});

test.each([
  ["/people/new", { person: "new" }],
  [`/people/${event}`, { person: event }],
  [`/people/invitations/${event}`, { invite: event }],
])("%s is a page of its own, and back", (path, more) => {
  const route = parsePath(path);
  expect(route).toEqual({ screen: "people", event: "", ...more });
  expect(pathOf(route)).toBe(path);
});

test.each(["/people/old", "/people/invitations", "/people/invitations/new", `/people/${event}/more`, `/people/invitations/${event}/more`])("%s is all people", (path) => expect(parsePath(path)).toEqual({ screen: "people", event: "" }));

test.each([
  ["/", "", {}],
  ["/", `?camera=${camera}`, { camera }],
  ["/", "?day=2026-11-26", { day: "2026-11-26" }],
  ["/", "?saw=person", { saw: "person" }],
  ["/", "?saw=motion", { saw: "motion" }],
  [`/events/${event}`, `?camera=${camera}&day=2026-11-26&saw=visitor`, { event, camera, day: "2026-11-26", saw: "visitor" }],
])("%s%s is a choice of events, and back", (path, search, more) => {
  const route = parsePath(path, search);
  expect(route).toEqual({ screen: "events", event: "", ...more });
  expect(pathOf(route)).toBe(path + search);
});

test.each(["?camera=door", "?camera=", "?day=yesterday", "?day=2026-13-45", "?day=26-11-26", "?page=2", "?saw=", "?saw=unicorn", "?saw=Person"])("%s chooses nothing", (search) => expect(parsePath("/", search)).toEqual({ screen: "events", event: "" }));
