import { Emitter, type Off } from "./events.js";
import type { Narrows } from "./narrows.js";

/** Who came, changed and left since the diff before, as the server says it. */
export interface PresenceDiff<T> {
  group: string;
  joins?: Record<string, T[]>;
  updates?: Record<string, T[]>;
  leaves?: string[];
  count: number;
  version: number;
  partial?: boolean;
}

/** How diffs arrive. */
export interface PresenceOptions<T> {
  /** The `type` of the messages that hold them. Default: `presence`. */
  type?: string;
  /** Takes the diff out of such a message. Default: it is the message. */
  read?: (message: any) => PresenceDiff<T> | undefined;
}

/** What happens to a roster. */
export interface PresenceEvents<T> {
  join: { key: string; metas: T[] };
  update: { key: string; metas: T[]; before: T[] };
  leave: { key: string; metas: T[] };
  /** The whole roster was read; what it changed has been told, the first time aside. */
  sync: Record<never, never>;
}

interface Page<T> {
  people?: Record<string, T[]>;
  count: number;
  version: number;
  next?: string | null;
}

/** A roster that is read and not yet shown: its pages are of different versions until the diffs up to `target` came. */
interface Draft<T> {
  people: Map<string, T[]>;
  count: number;
  version: number;
  target: number;
}

/** As many diffs as are held back while the roster is read. */
const HELD = 1000;
/** For how long diffs may still come that a roster contains already. */
const LATE = 10_000;
const PAGE_TIMEOUT = 10_000;
const MAX_DELAY = 30_000;

/**
 * Who is in a group: a roster, kept up to date by what the server says of changes.
 *
 * The connection must be a member of the group's `presence.diffs()`.
 */
export class Presence<T = unknown> {
  /** How many people are there, also where not all are known yet. */
  count = 0;
  /** Whether `people` is what the server has. */
  synced = false;

  private readonly known = new Map<string, T[]>();
  private readonly events = new Emitter();
  private readonly offs: Off[];
  private version = 0;
  private readAt = 0;
  private ever = false;
  private turn = 0;
  private held: PresenceDiff<T>[] | undefined;
  private draft: Draft<T> | undefined;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly client: Narrows<any, any>,
    readonly group: string,
    { type = "presence", read = (message) => message }: PresenceOptions<T>,
  ) {
    this.offs = [
      client.on(type, (message: any) => {
        const diff = read(message);
        if (diff?.group === group) this.receive(diff);
      }),
      client.on("narrows.open", () => this.sync()),
      client.on("narrows.close", () => this.stop()),
    ];
    if (client.state === "open") this.sync();
  }

  /** By key what each of their connections says of itself. */
  get people(): ReadonlyMap<string, T[]> {
    return this.known;
  }

  on<K extends keyof PresenceEvents<T>>(name: K, handler: (event: PresenceEvents<T>[K]) => void): Off {
    return this.events.on(name, handler);
  }

  /** Reads the roster now; it does so by itself when it must. */
  sync(): void {
    this.stop();
    this.held = [];
    const { turn } = this;
    this.read(turn).catch(() => turn === this.turn && this.later());
  }

  /** Keeps it no longer. */
  close(): void {
    this.stop();
    for (const off of this.offs) off();
  }

  private stop(): void {
    this.turn++;
    this.synced = false;
    this.held = this.draft = undefined;
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Reads it after a random while, and each time later: all who were told too little do so. */
  private later(): void {
    this.synced = false;
    this.held = this.draft = undefined;
    if (this.timer) return;
    const delay = Math.random() * Math.min(MAX_DELAY, 1000 * 2 ** this.failures++);
    this.timer = setTimeout(() => this.sync(), delay);
  }

  private async read(turn: number): Promise<void> {
    const people = new Map<string, T[]>();
    let first: number | undefined;
    let page: Page<T>;
    let after: string | null = null;
    do {
      const ask = { type: "narrows.roster", group: this.group, after };
      page = await this.client.request<Page<T>>(ask, { retry: false, timeout: PAGE_TIMEOUT });
      if (turn !== this.turn) return;
      for (const [key, metas] of Object.entries(page.people ?? {})) people.set(key, metas);
      first ??= page.version;
      after = page.next ?? null;
    } while (after !== null);
    const { held } = this;
    this.held = undefined;
    this.draft = { people, count: page.count, version: first, target: page.version };
    // The diffs that it waits for may have been lost.
    this.timer = setTimeout(() => this.sync(), PAGE_TIMEOUT);
    this.showIfWhole(this.draft);
    for (const diff of held ?? []) this.receive(diff);
  }

  private receive(diff: PresenceDiff<T>): void {
    if (this.draft) this.complete(this.draft, diff);
    else if (!this.held) this.follow(diff);
    else if (this.held.push(diff) > HELD) this.sync();
  }

  /** A diff that belongs into a roster of which the pages are of different versions. */
  private complete(draft: Draft<T>, diff: PresenceDiff<T>): void {
    if (diff.version <= draft.version) return;
    if (diff.partial || diff.version !== draft.version + 1) {
      clearTimeout(this.timer);
      this.timer = undefined;
      return this.later();
    }
    for (const [key, metas] of changes(diff)) {
      if (metas) draft.people.set(key, metas);
      else draft.people.delete(key);
    }
    draft.version = diff.version;
    draft.count = diff.count;
    this.showIfWhole(draft);
  }

  private showIfWhole(draft: Draft<T>): void {
    if (draft.version < draft.target) return;
    clearTimeout(this.timer);
    this.draft = this.timer = undefined;
    for (const key of [...this.known.keys()]) if (!draft.people.has(key)) this.put(key, undefined);
    for (const [key, metas] of draft.people) this.put(key, metas);
    this.version = draft.version;
    this.count = draft.count;
    this.readAt = Date.now();
    this.synced = this.ever = true;
    this.events.emit("sync", {});
  }

  /** A diff that comes while nothing is read. */
  private follow(diff: PresenceDiff<T>): void {
    const behind = diff.version <= this.version;
    if (behind && this.synced && Date.now() - this.readAt < LATE) return;
    const follows = diff.version === this.version + 1 && !diff.partial;
    for (const [key, metas] of changes(diff)) this.put(key, metas);
    this.version = diff.version;
    this.count = diff.count;
    if (!follows || this.known.size !== diff.count) this.later();
    else if (this.synced) this.failures = 0;
  }

  private put(key: string, metas: T[] | undefined): void {
    const before = this.known.get(key);
    if (metas) this.known.set(key, metas);
    else this.known.delete(key);
    if (!this.ever) return;
    if (metas && !before) this.events.emit("join", { key, metas });
    else if (before && !metas) this.events.emit("leave", { key, metas: before });
    else if (before && JSON.stringify(metas) !== JSON.stringify(before)) {
      this.events.emit("update", { key, metas, before });
    }
  }
}

const changes = <T>({ joins, updates, leaves = [] }: PresenceDiff<T>): [string, T[] | undefined][] => [
  ...Object.entries({ ...joins, ...updates }),
  ...leaves.map((key): [string, undefined] => [key, undefined]),
];
