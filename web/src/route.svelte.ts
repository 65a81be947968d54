// The address bar as state: which screen, and which event is open over it.

export type Screen = "events" | "cameras" | "home";
export type Route = { screen: Screen; event: string };

/** The route of a path; what is no path of ours is the events. */
export function parsePath(path: string): Route {
  const [screen = "", event = "", ...more] = path.split("/").filter(Boolean);
  if (screen === "cameras" || screen === "home") return { screen, event: "" };
  return { screen: "events", event: screen === "events" && more.length === 0 && /^[a-z2-7]{26}$/.test(event) ? event : "" };
}

/** The path of a route. */
export function pathOf(route: Route): string {
  if (route.screen !== "events") return `/${route.screen}`;
  return route.event ? `/events/${route.event}` : "/";
}

class Place {
  #now = $state.raw<Route>(parsePath(location.pathname));

  constructor() {
    addEventListener("popstate", () => (this.#now = parsePath(location.pathname)));
  }

  get now(): Route {
    return this.#now;
  }

  /** Goes there; `replace` leaves no step back to here. */
  go(route: Route, replace = false): void {
    history[replace ? "replaceState" : "pushState"](null, "", pathOf(route));
    this.#now = route;
  }
}

/** Where this page is. */
export const place = new Place();
