import { NarrowsError } from "./error.js";
import type { Settings } from "./options.js";

/** How a request is made. */
export interface RequestOptions {
  /** How long to wait for the reply, the time without a connection included, in milliseconds. Default: 30 000. */
  timeout?: number;
  /**
   * Send it again when the connection was lost before the reply came. Default: true. It has the same number each time,
   * so that what the server does with `broadcast_once` is done once.
   */
  retry?: boolean;
}

interface Entry {
  data: string | Uint8Array;
  size: number;
  message: unknown;
  request?: Request;
}

interface Request {
  ref: number;
  retry: boolean;
  sent: boolean;
  resolve(value: unknown): void;
  reject(error: NarrowsError): void;
}

/** Writes a frame if there is a connection. */
export type Write = (data: string | Uint8Array) => boolean;

/** What waits to be sent or answered, in the order in which it was given. */
export class Outgoing {
  private readonly entries = new Set<Entry>();
  private readonly requests = new Map<number, Entry>();
  private bytes = 0;
  private ref = 0;

  constructor(
    private readonly settings: Settings,
    private readonly write: Write,
  ) {}

  get length(): number {
    return this.entries.size;
  }

  /** Sends a message, or keeps it for the next connection; `false` when there is no room. */
  send(message: unknown): boolean {
    const data = this.settings.encode(message);
    return this.write(data) || this.keep({ data, size: sizeOf(data), message });
  }

  request(message: object, { timeout = 30_000, retry = true }: RequestOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const ref = ++this.ref;
      const data = this.settings.encode({ ...message, ref });
      const request = { ref, retry, sent: false, resolve, reject };
      const entry: Entry = { data, size: sizeOf(data), message, request };
      if (!this.keep(entry)) return reject(new NarrowsError("full"));
      this.requests.set(ref, entry);
      request.sent = this.write(data);
      const timer = setTimeout(() => this.settle(ref)?.reject(new NarrowsError("timeout")), timeout);
      request.resolve = (value) => (clearTimeout(timer), resolve(value));
      request.reject = (error) => (clearTimeout(timer), reject(error));
    });
  }

  /** The server answered. */
  reply({ ref, value, error }: { ref: number; value?: unknown; error?: { code: string; detail?: string } }): void {
    const request = this.settle(ref);
    if (error) request?.reject(new NarrowsError(error.code, error.detail));
    else request?.resolve(value);
  }

  /** There is a connection: sends all that waits. */
  opened(): void {
    for (const entry of [...this.entries]) {
      if (entry.request?.sent) continue;
      if (!this.write(entry.data)) return;
      if (entry.request) entry.request.sent = true;
      else this.drop(entry);
    }
  }

  /** The connection was lost. What was sent and not answered is sent again, or will not be. */
  lost(): void {
    for (const { request } of [...this.entries]) {
      if (!request?.sent) continue;
      request.sent = false;
      if (!request.retry) this.settle(request.ref)?.reject(new NarrowsError("lost"));
    }
  }

  /** There will be no connection: rejects the requests, and gives the messages that were never sent. */
  end(error: NarrowsError): unknown[] {
    const unsent: unknown[] = [];
    for (const entry of [...this.entries]) {
      this.drop(entry);
      if (!entry.request) unsent.push(entry.message);
      else this.settle(entry.request.ref)?.reject(error);
    }
    return unsent;
  }

  private keep(entry: Entry): boolean {
    const { maxQueue, maxQueueBytes } = this.settings;
    if (this.entries.size >= maxQueue || this.bytes + entry.size > maxQueueBytes) return false;
    this.entries.add(entry);
    this.bytes += entry.size;
    return true;
  }

  private drop(entry: Entry): void {
    if (this.entries.delete(entry)) this.bytes -= entry.size;
  }

  private settle(ref: number): Request | undefined {
    const entry = this.requests.get(ref);
    if (entry) {
      this.requests.delete(ref);
      this.drop(entry);
    }
    return entry?.request;
  }
}

const sizeOf = (data: string | Uint8Array): number =>
  (typeof data === "string" ? new TextEncoder().encode(data) : data).length;
