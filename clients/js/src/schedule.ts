/** What comes after a connection. */
export type Fate = "final" | "back-off" | "drain" | "slow";

/** What a close code means for coming back. */
export function fateOf(code: number): Fate {
  if (code === 1012) return "drain";
  if (code === 1013) return "slow";
  const final = [1000, 1002, 1003].includes(code) || (code >= 1007 && code <= 1010) || code >= 4000;
  return final ? "final" : "back-off";
}

/** How long to wait before an attempt: what the schedule is made of. */
export interface Wait {
  fate: Fate;
  /** How many attempts in a row came to nothing. */
  tries: number;
  /** The server's `retry`: within which time all that it sent away may come back. */
  retry: number;
  /** Nobody looks at the page. */
  hidden: boolean;
  /** The system says that there is no network. */
  offline: boolean;
  minDelay: number;
  maxDelay: number;
}

const SLOW = 5000;

/** A random wait, in milliseconds: "full jitter", so that many clients do not come back together. */
export function delayOf({ fate, tries, retry, hidden, offline, minDelay, maxDelay }: Wait): number {
  // It is tried now and then all the same, as systems have been wrong about it.
  if (offline) return 3 * maxDelay;
  if (hidden && tries > 0) return maxDelay * (1 + 2 * Math.random());
  if (fate === "drain") return retry * Math.random();
  const backOff = Math.min(maxDelay, minDelay * 2 ** tries) * Math.random();
  return fate === "slow" ? SLOW + backOff : backOff;
}
