// The address bar as state: which screen, and what is open over it.

import { type Sought, sought } from "./sightings.ts";

export type Screen = "live" | "events" | "timeline" | "cameras" | "people" | "home" | "you" | "trust" | "homes";
/**
 * `camera` is the camera whose page is shown, or that is watched, or whose events are listed, `day` of
 * which day they are, `saw` what the camera saw in them; `person` is the person, "new" for adding one;
 * `invite` is the invitation.
 */
export type Route = { screen: Screen; event: string; camera?: string; day?: string; saw?: Sought; person?: string; invite?: string };

const plain: ReadonlySet<string> = new Set(["timeline", "home", "you", "trust", "homes"] satisfies Screen[]);

const id = /^[a-z2-7]{26}$/;
const date = /^\d{4}-\d\d-\d\d$/;

/** The route of a path and what stands behind it; what is no path of ours is the events. */
export function parsePath(path: string, search = ""): Route {
  const [screen = "", part = "", ...more] = path.split("/").filter(Boolean);
  const alone = more.length === 0;
  if (plain.has(screen)) return { screen: screen as Screen, event: "" };
  if (screen === "live") return alone && id.test(part) ? { screen, event: "", camera: part } : { screen, event: "" };
  if (screen === "people") return { screen, event: "", ...personOf(part, more) };
  if (screen === "cameras") return alone && (part === "new" || id.test(part)) ? { screen, event: "", camera: part } : { screen, event: "" };
  return { screen: "events", event: screen === "events" && alone && id.test(part) ? part : "", ...chosenIn(search) };
}

function chosenIn(search: string): Pick<Route, "camera" | "day" | "saw"> {
  const q = new URLSearchParams(search);
  const [camera, day] = [q.get("camera") ?? "", q.get("day") ?? ""];
  const saw = sought.find((s) => s === q.get("saw"));
  return { ...(id.test(camera) ? { camera } : {}), ...(date.test(day) && !Number.isNaN(Date.parse(day)) ? { day } : {}), ...(saw ? { saw } : {}) };
}

function personOf(part: string, more: string[]): Pick<Route, "person" | "invite"> {
  const [invite = "", ...rest] = more;
  if (part === "invitations" && rest.length === 0 && id.test(invite)) return { invite };
  return more.length === 0 && (part === "new" || id.test(part)) ? { person: part } : {};
}

/** The path of a route. */
export function pathOf(route: Route): string {
  if (route.screen === "people") return route.invite ? `/people/invitations/${route.invite}` : route.person ? `/people/${route.person}` : "/people";
  if (route.screen !== "events") return route.camera ? `/${route.screen}/${route.camera}` : `/${route.screen}`;
  const chosen = new URLSearchParams();
  for (const what of ["camera", "day", "saw"] as const) if (route[what]) chosen.set(what, route[what]);
  return (route.event ? `/events/${route.event}` : "/") + (`${chosen}` && `?${chosen}`);
}

class Place {
  #now = $state.raw<Route>(parsePath(location.pathname, location.search));

  constructor() {
    addEventListener("popstate", () => (this.#now = parsePath(location.pathname, location.search)));
  }

  get now(): Route {
    return this.#now;
  }

  /** Goes there; `replace` leaves no step back to here. */
  go(route: Route, replace = false): void {
    history[replace ? "replaceState" : "pushState"](null, "", pathOf(route));
    this.#now = route;
  }

  /** The route of an event over the list as it is chosen, or with "" of that list. */
  over(event: string): Route {
    return { ...(this.#now.screen === "events" ? this.#now : { screen: "events" }), event };
  }

  /** Goes there by a click on a link, unless the click asks the browser for something else. */
  follow(event: MouseEvent, route: Route): void {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    this.go(route);
    scrollTo(0, 0);
  }
}

/** Where this page is. */
export const place = new Place();
