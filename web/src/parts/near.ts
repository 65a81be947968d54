// Tells an element when it comes near the window and when it leaves: what is far away
// holds no picture in memory.

type Told = (near: boolean) => void;

const told = new WeakMap<Element, Told>();
let observer: IntersectionObserver | undefined;

function watch(): IntersectionObserver {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const entry of entries) told.get(entry.target)?.(entry.isIntersecting);
    },
    { rootMargin: "150% 0px" },
  );
  return observer;
}

/** An attachment: `{@attach near((is) => …)}`. */
export function near(tell: Told): (element: Element) => () => void {
  return (element) => {
    told.set(element, tell);
    watch().observe(element);
    return () => {
      watch().unobserve(element);
      told.delete(element);
    };
  };
}
