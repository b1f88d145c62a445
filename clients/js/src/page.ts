import type { Off } from "./events.js";

/** Whether nobody looks at the page; a worker has none. */
export const hidden = (): boolean => globalThis.document?.visibilityState === "hidden";

/** Whether the system says that there is no network. */
export const offline = (): boolean => globalThis.navigator?.onLine === false;

/** Calls back when it is worth to look at the connection: somebody came to the page, or the network did. */
export function watchPage(wake: () => void): Off {
  const seen = () => hidden() || wake();
  // Each page is shown once when it is loaded; what counts is that it was kept and comes back.
  const shown = (event: Event) => (event as PageTransitionEvent).persisted && wake();
  const places = [
    [globalThis.document, "visibilitychange", seen],
    [globalThis, "pageshow", shown],
    [globalThis, "online", wake],
  ] as const;
  // Node has no such events.
  for (const [target, name, call] of places) target?.addEventListener?.(name, call);
  return () => {
    for (const [target, name, call] of places) target?.removeEventListener?.(name, call);
  };
}
