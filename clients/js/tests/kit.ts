import { mock, type TestContext } from "node:test";
import { Narrows, type Options } from "../src/index.js";

/** A socket whose server is the test. */
export class FakeSocket {
  static all: FakeSocket[] = [];
  static get last(): FakeSocket {
    return FakeSocket.all[FakeSocket.all.length - 1]!;
  }

  binaryType = "blob";
  bufferedAmount = 0;
  protocol = "";
  onopen: ((event: any) => void) | null = null;
  onmessage: ((event: any) => void) | null = null;
  onclose: ((event: any) => void) | null = null;
  onerror: ((event: any) => void) | null = null;
  sent: any[] = [];
  closed: number | undefined;

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    FakeSocket.all.push(this);
  }

  send(data: string): void {
    this.sent.push(JSON.parse(data));
  }

  /** As strict as a browser's. */
  close(code = 1005, reason = ""): void {
    if (code !== 1000 && code !== 1005 && !(code >= 3000 && code <= 4999)) {
      throw new DOMException("not a code of a page", "InvalidAccessError");
    }
    if (Buffer.byteLength(reason) > 123) throw new DOMException("too long", "SyntaxError");
    this.closed = code;
  }

  accept(protocol = "narrows.v1"): void {
    this.protocol = protocol;
    this.onopen?.({});
  }

  say(...messages: any[]): void {
    for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) });
  }

  welcome(more: object = {}): void {
    this.accept();
    this.say({ type: "narrows.welcome", resumed: false, heartbeat: 15000, retry: 1000, window: 120000, ...more });
  }

  drop(code = 1006, reason = ""): void {
    this.onclose?.({ code, reason });
  }

  /** What follows a prefix in the offered subprotocols. */
  offered(prefix: string): string | undefined {
    return this.protocols.find((name) => name.startsWith(prefix))?.slice(prefix.length);
  }

  positions(): Record<string, string> {
    return JSON.parse(Buffer.from(this.offered("narrows.at.") ?? "e30", "base64url").toString());
  }
}

/** Time stands still until the test lets it pass, and chance is what the test says, for a while. */
export function still(t: TestContext, random = 0.5): void {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  mock.method(Math, "random", () => random);
  FakeSocket.all = [];
  t.after(() => mock.reset());
}

/** Lets time pass, and what is due happen. */
export async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await settled();
}

/** What was under way is done. */
export const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

/** A client that is about to connect. */
export async function connecting(options: Options = {}, url: any = "ws://site/ws"): Promise<Narrows> {
  const client = new Narrows(url, { WebSocket: FakeSocket, ...options });
  await settled();
  return client;
}

/** A client with a connection. */
export async function connected(options: Options = {}, welcome: object = {}): Promise<Narrows> {
  const client = await connecting(options);
  FakeSocket.last.welcome(welcome);
  return client;
}

/** All that happens to a client by these names, as it happens. */
export function record(client: Narrows, ...names: string[]): any[] {
  const seen: any[] = [];
  for (const name of names) client.on(name, (event: any) => seen.push(names.length > 1 ? [name, event] : event));
  return seen;
}

/** Chance that can be repeated (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}
