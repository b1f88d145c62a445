import type { Off } from "./events.js";
import { Heartbeat } from "./heartbeat.js";
import type { Lazy, Settings, Socket } from "./options.js";
import { hidden, offline, watchPage } from "./page.js";
import { delayOf, fateOf } from "./schedule.js";

/** `waiting` is for the next attempt, `closed` is for good. */
export type State = "connecting" | "open" | "waiting" | "closed";

/** For whom a link is. */
export interface LinkUser {
  /** The subprotocols to offer before the site's own. */
  offer(): string[];
  /** The socket is open; the user calls `opened` when the connection is. */
  accepted(): void;
  received(data: unknown): void;
  ping(): void;
  /** The connection is lost, or could not be made; the next attempt is in so many milliseconds. */
  lost(code: number, reason: string, delay: number, attempt: number): void;
  /** There will be no other. */
  ended(code: number, reason: string): void;
  problem(error: unknown): void;
}

/** For how long a connection holds until the back-off begins anew. */
const SETTLED = 1000;
/** To a server: this client is about to come back. */
const COMING_BACK = 3001;

/** One connection at a time, and the way to the next one. */
export class Link {
  state: State = "closed";
  private socket: Socket | undefined;
  private turn = 0;
  private tries = 0;
  private retry = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private unwatch: Off | undefined;
  private readonly heartbeat: Heartbeat;

  constructor(
    private readonly url: Lazy<string | URL>,
    private readonly settings: Settings,
    private readonly user: LinkUser,
  ) {
    const dead = () => this.lose(1006, "the server is silent");
    this.heartbeat = new Heartbeat(settings.pingTimeout, () => user.ping(), dead);
  }

  /** Connects now, unless it is connected or about to be. */
  connect(): void {
    if (this.state === "open" || this.state === "connecting") return;
    this.unwatch ??= watchPage(() => this.wake());
    this.state = "connecting";
    this.after(this.settings.connectTimeout, () => this.lose(1006, "no connection in time"));
    const turn = ++this.turn;
    this.dial(turn).catch((error: unknown) => {
      if (turn !== this.turn) return;
      this.user.problem(error);
      this.lose(1006, String(error));
    });
  }

  /** Ends it for good. */
  close(code: number, reason: string): void {
    if (this.state === "closed") return;
    try {
      this.release(code, reason);
    } finally {
      this.end(code, reason);
    }
  }

  /** The connection may be used. */
  opened(heartbeat: number, retry: number): void {
    this.state = "open";
    this.retry = retry;
    this.after(SETTLED, () => (this.tries = 0));
    this.heartbeat.start(heartbeat);
  }

  /** Whether as much waits in the socket's own buffer as may. */
  get full(): boolean {
    return this.state === "open" && this.socket!.bufferedAmount >= this.settings.maxQueueBytes;
  }

  /** Writes a frame, if there is a connection. */
  write(data: string | Uint8Array): boolean {
    if (this.state !== "open") return false;
    this.socket!.send(data);
    this.heartbeat.sent();
    return true;
  }

  /** Somebody, or the network, came back: now is a good time. */
  private wake(): void {
    if (this.state === "open") this.heartbeat.probe();
    if (this.state !== "waiting") return;
    this.tries = 0;
    this.connect();
  }

  private async dial(turn: number): Promise<void> {
    const [url, protocols] = await Promise.all([get(this.url), get(this.settings.protocols)]);
    if (turn !== this.turn) return;
    const WebSocket = this.settings.WebSocket ?? globalThis.WebSocket;
    const socket: Socket = new WebSocket(absolute(url), this.user.offer().concat(protocols));
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.user.accepted();
    socket.onmessage = ({ data }) => {
      this.heartbeat.received();
      this.user.received(data);
    };
    // A close follows at once, which says what went wrong; but not in Node 20 where no connection was made.
    socket.onerror = () => this.after(0, () => this.lose(1006, ""));
    socket.onclose = ({ code, reason }) => this.lose(code, reason);
  }

  private lose(code: number, reason: string): void {
    this.release(COMING_BACK, "");
    const { retry, settings } = this;
    const fate = fateOf(code);
    if (fate === "final") return this.end(code, reason);
    // A server that says when to come back is well.
    if (fate === "drain") this.tries = 0;
    const delay = delayOf({ fate, tries: this.tries, retry, hidden: hidden(), offline: offline(), ...settings });
    this.state = "waiting";
    this.after(delay, () => this.connect());
    this.user.lost(code, reason, delay, ++this.tries);
  }

  private end(code: number, reason: string): void {
    this.unwatch?.();
    this.unwatch = undefined;
    this.tries = 0;
    this.state = "closed";
    this.user.ended(code, reason);
  }

  /** Lets go of the socket, which is not waited for: it may take minutes to notice its end. */
  private release(code: number, reason: string): void {
    const { socket } = this;
    this.turn++;
    this.socket = undefined;
    this.heartbeat.stop();
    clearTimeout(this.timer);
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    // Without any, the package `ws` takes an error for one that nobody handles.
    socket.onerror = () => {};
    try {
      socket.close(code, reason);
    } catch (error) {
      // What a page may not say. Nobody has the socket any more, so it ends in any case.
      socket.close();
      throw error;
    }
  }

  private after(delay: number, then: () => void): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(then, delay);
  }
}

const get = async <T>(value: Lazy<T>): Promise<T> => (typeof value === "function" ? (value as () => T)() : value);

/** With `ws` in place of `http`, from the page's own address on: not all browsers do so by themselves. */
const absolute = (url: string | URL): string => {
  const whole = new URL(url, globalThis.location?.href);
  whole.protocol = whole.protocol.replace("http", "ws");
  return whole.href;
};
