import { base64url } from "./base64url.js";
import { NarrowsError } from "./error.js";
import { Emitter, type Off } from "./events.js";
import { Link, type State } from "./link.js";
import { settings, type Lazy, type Options, type Settings } from "./options.js";
import { Outgoing, type RequestOptions } from "./outgoing.js";
import { Positions } from "./positions.js";
import { Presence, type PresenceOptions } from "./presence.js";

/** A message of a site: its `type` says what it is. */
export interface Typed {
  type: string;
}

/** A message of a group with a history has the group and its position there. */
export interface Positioned {
  "@"?: [group: string, position: string];
}

/** What happens to a connection. */
export interface Happenings {
  /**
   * There is a connection; `resumed`: it goes on where the last one ended. What a handler sends goes before all that
   * waits.
   */
  "narrows.open": { resumed: boolean };
  /** The connection goes on where the last one ended; after `narrows.open`. */
  "narrows.resumed": Record<never, never>;
  /** The connection is gone, or was not made. */
  "narrows.close": { code: number; reason: string };
  /** The next attempt is in `delay` milliseconds. */
  "narrows.reconnecting": { attempt: number; delay: number };
  /** There will be no other connection. `unsent`: the messages that were still waiting, those of requests aside. */
  "narrows.final": { code: number; reason: string; unsent: unknown[] };
  /** Messages of this group were missed and cannot be had: read its state anew. Those after `position` follow. */
  "narrows.unrecovered": { group: string; position: string };
  /** An address could not be had, or a frame not be read. Written to the console where nobody listens. */
  "narrows.error": { error: unknown };
}

/**
 * A WebSocket that comes back by itself.
 *
 * `In` is what the server sends, `Out` what it takes: unions of types with a `type` each.
 */
export class Narrows<In extends Typed = any, Out = any> {
  private readonly settings: Settings;
  private readonly link: Link;
  private readonly events = new Emitter();
  private readonly outgoing: Outgoing;
  private readonly positions = new Positions();
  private readonly id = base64url(crypto.getRandomValues(new Uint8Array(16)));
  private token: string | undefined;
  private speaks = false;

  constructor(url: Lazy<string | URL>, options: Options = {}) {
    this.settings = settings(options);
    this.link = new Link(url, this.settings, {
      offer: () => this.offer(),
      accepted: () => this.settings.plain && this.open(false),
      received: (data) => this.received(data),
      ping: () => void this.link.write(this.settings.encode({ type: "narrows.ping" })),
      lost: (code, reason, delay, attempt) => {
        this.outgoing.lost();
        this.emit("narrows.close", { code, reason });
        // A handler may have decided otherwise.
        if (this.state === "waiting") this.emit("narrows.reconnecting", { attempt, delay });
      },
      ended: (code, reason) => {
        this.token = undefined;
        const unsent = this.outgoing.end(new NarrowsError("closed", reason));
        this.emit("narrows.close", { code, reason });
        this.emit("narrows.final", { code, reason, unsent });
      },
      problem: (error) => this.problem(error),
    });
    this.outgoing = new Outgoing(this.settings, (data) => this.link.write(data));
    if (this.settings.start) this.connect();
  }

  get state(): State {
    return this.link.state;
  }

  /** How many messages wait to be sent or answered. */
  get waiting(): number {
    return this.outgoing.length;
  }

  /** Calls `handler` with each message of this type, each message (`*`), or what happens to the connection. */
  on<K extends keyof Happenings>(name: K, handler: (event: Happenings[K]) => void): Off;
  on(name: "*", handler: (message: In & Positioned) => void): Off;
  on<K extends In["type"]>(type: K, handler: (message: Extract<In, { type: K }> & Positioned) => void): Off;
  on(name: string, handler: (event: any) => void): Off {
    return this.events.on(name, handler);
  }

  /**
   * Sends a message, or keeps it until there is a connection. `false`: too much is waiting, or the client is closed for
   * good. A message that was on its way when the connection was lost is lost; `request` finds out.
   */
  send(message: Out): boolean {
    return this.state !== "closed" && !this.link.full && this.outgoing.send(message);
  }

  /** Sends a message and gives the server's reply, or a `NarrowsError`. */
  async request<R = unknown>(message: Out & object, options: RequestOptions = {}): Promise<R> {
    if (this.state === "closed") throw new NarrowsError("closed");
    if (this.settings.plain || (this.state === "open" && !this.speaks)) throw new NarrowsError("plain");
    if (this.link.full) throw new NarrowsError("full");
    return this.outgoing.request(message, options) as Promise<R>;
  }

  /** Who is in a group, kept up to date until its `close()`. */
  presence<T = unknown>(group: string, options: PresenceOptions<T> = {}): Presence<T> {
    return new Presence<T>(this, group, options);
  }

  /** What was received last of a group with a history. */
  position(group: string): string | undefined {
    return this.positions.get(group);
  }

  /** Connects now: where it waits for the next attempt, or after the end. */
  connect(): void {
    this.link.connect();
  }

  /**
   * Ends it; the server is told, and takes the client for gone at once. The code is 1000 or from 3000 to 4999, the reason has
   * at most 123 bytes: for others this throws as `WebSocket.close` does, and the connection ends without them.
   */
  close(code = 1000, reason = ""): void {
    this.link.close(code, reason);
  }

  private offer(): string[] {
    if (this.settings.plain) return [];
    const offered = ["narrows.v1", `narrows.client.${this.id}`];
    const at = this.positions.offer();
    if (this.token) offered.push(`narrows.resume.${this.token}`);
    if (at) offered.push(`narrows.at.${at}`);
    this.speaks = false;
    return offered;
  }

  private open(resumed: boolean, heartbeat = 0, retry = 1000): void {
    this.link.opened(heartbeat, retry);
    // What they send goes first, such as into which rooms to go.
    this.emit("narrows.open", { resumed });
    if (resumed) this.emit("narrows.resumed", {});
    this.outgoing.opened();
  }

  private received(data: unknown): void {
    let message: any;
    try {
      message = this.settings.decode(data);
    } catch (error) {
      return this.problem(error);
    }
    const type = message?.type;
    if (this.settings.plain) return this.hand(type, message);
    if (type === "narrows.welcome") return this.welcome(message);
    // A server that chose the site's own subprotocol, and does not know ours.
    if (this.state === "connecting") this.open(false);
    if (!String(type).startsWith("narrows.")) return this.hand(type, message);
    this.control(type, message);
  }

  private hand(type: unknown, message: any): void {
    const at = this.speaks && message?.["@"];
    if (at && !this.positions.advance(at[0], at[1])) return;
    if (typeof type === "string") this.events.emit(type, message);
    this.events.emit("*", message);
  }

  private welcome({ resumed, heartbeat, retry, token }: any): void {
    this.speaks = true;
    this.token = token;
    this.open(resumed, heartbeat, retry);
  }

  private control(type: string, message: any): void {
    const { group, at } = message;
    if (type === "narrows.reply") this.outgoing.reply(message);
    else if (type === "narrows.pong") this.token = message.token ?? this.token;
    else if (type === "narrows.left") this.positions.forget(group);
    else if (type === "narrows.lost") this.unrecovered(group, at);
    else if (type === "narrows.joined" && !message.recovered) {
      const known = this.positions.get(group);
      // Also where the server was not told of the position, for want of room.
      if (known && known !== at) this.unrecovered(group, at);
      else this.positions.set(group, at);
    }
  }

  private unrecovered(group: string, position: string): void {
    this.positions.set(group, position);
    this.emit("narrows.unrecovered", { group, position });
  }

  private problem(error: unknown): void {
    if (!this.emit("narrows.error", { error })) console.error(error);
  }

  private emit<K extends keyof Happenings>(name: K, event: Happenings[K]): boolean {
    return this.events.emit(name, event);
  }
}

/** The same as `new Narrows(url, options)`. */
export function connect<In extends Typed = any, Out = any>(
  url: Lazy<string | URL>,
  options?: Options,
): Narrows<In, Out> {
  return new Narrows(url, options);
}
