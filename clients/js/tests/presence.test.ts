import assert from "node:assert/strict";
import { test } from "node:test";
import type { Narrows, Presence, PresenceDiff } from "../src/index.js";
import { connected, FakeSocket, pass, seeded, settled, still } from "./kit.js";

type People = Record<string, string[]>;

const diff = (version: number, count: number, more: Partial<PresenceDiff<string>>) =>
  ({ type: "presence", group: "room", version, count, ...more });

/** Answers the request for a page that was sent last. */
async function page(people: People, version: number, count: number, next?: string): Promise<void> {
  const { ref } = FakeSocket.last.sent[FakeSocket.last.sent.length - 1];
  FakeSocket.last.say({ type: "narrows.reply", ref, value: { type: "roster", group: "room", people, version, count, next } });
  await settled();
}

function recorded(presence: Presence<string>): any[] {
  const seen: any[] = [];
  for (const name of ["join", "update", "leave", "sync"] as const) {
    presence.on(name, (event: any) => seen.push([name, event.key, event.metas, event.before].filter(Boolean)));
  }
  return seen;
}

async function present(options = {}): Promise<[Narrows, Presence<string>, any[]]> {
  const client = await connected();
  const presence = client.presence<string>("room", options);
  const seen = recorded(presence);
  await settled();
  return [client, presence, seen];
}

const shown = (presence: Presence<string>): People => Object.fromEntries(presence.people);

test("the roster is read by pages, and diffs that come meanwhile are put on top", async (t) => {
  still(t);
  const [, presence, seen] = await present();
  assert.deepEqual(FakeSocket.last.sent[0], { type: "narrows.roster", group: "room", after: null, ref: 1 });
  await page({ ann: ["1"] }, 5, 2, "ann");
  assert.deepEqual(FakeSocket.last.sent[1], { type: "narrows.roster", group: "room", after: "ann", ref: 2 });
  FakeSocket.last.say(diff(5, 9, { joins: { old: ["x"] } }), diff(6, 2, { joins: { cid: ["3"] }, leaves: ["ann"] }));
  assert.deepEqual([presence.synced, shown(presence), seen], [false, {}, []]);
  await page({ bob: ["2"] }, 5, 2);
  assert.deepEqual([presence.synced, presence.count, shown(presence)], [true, 2, { bob: ["2"], cid: ["3"] }]);
  assert.deepEqual(seen, [["sync"], ["join", "cid", ["3"]], ["leave", "ann", ["1"]]]);
});

test("pages of different versions are shown when the diffs between them have come", async (t) => {
  still(t);
  const [, presence, seen] = await present();
  await page({ ann: ["1"] }, 5, 2, "ann");
  await page({ bob: ["2"], cid: ["3"] }, 7, 2);
  FakeSocket.last.say(diff(5, 2, { joins: { old: ["x"] } }), diff(6, 3, { joins: { cid: ["3"] } }));
  assert.deepEqual([presence.synced, seen], [false, []]);
  FakeSocket.last.say(diff(7, 2, { leaves: ["ann"] }));
  assert.deepEqual([presence.synced, shown(presence), seen], [true, { bob: ["2"], cid: ["3"] }, [["sync"]]]);
});

test("pages of different versions are read anew when a diff between them does not come", async (t) => {
  still(t, 0.5);
  const [, presence] = await present();
  for (const wait of [10_000, 500]) {
    await page({ ann: ["1"] }, 5, 2, "ann");
    await page({ bob: ["2"] }, 7, 2);
    // It does not come at all, or another one in its place.
    if (wait === 500) FakeSocket.last.say(diff(7, 1, { leaves: ["ann"] }));
    const asked = FakeSocket.last.sent.length;
    await pass(wait);
    assert.equal(presence.synced, false);
    assert.ok(FakeSocket.last.sent.slice(asked).some(({ type }) => type === "narrows.roster"));
    if (wait === 10_000) FakeSocket.last.say({ type: "narrows.pong" });
  }
  await page({ bob: ["2"] }, 7, 1);
  assert.deepEqual([presence.synced, shown(presence)], [true, { bob: ["2"] }]);
});

test("a reading that is overtaken by another is of no account", async (t) => {
  still(t);
  const [, presence] = await present();
  presence.sync();
  await settled();
  const answer = (ref: number, people: People) =>
    FakeSocket.last.say({ type: "narrows.reply", ref, value: { people, version: ref, count: 1 } });
  answer(1, { ann: ["1"] });
  await settled();
  assert.equal(presence.synced, false);
  answer(2, { bob: ["2"] });
  await settled();
  assert.deepEqual([presence.synced, shown(presence)], [true, { bob: ["2"] }]);
});

test("no more diffs are held back than a thousand: the roster is read anew", async (t) => {
  still(t);
  await present();
  for (let version = 1; version <= 1001; version++) FakeSocket.last.say(diff(version, 1, {}));
  await settled();
  assert.deepEqual(FakeSocket.last.sent.map(({ type }) => type), ["narrows.roster", "narrows.roster"]);
});

test("joins, updates and leaves are told once, whatever the diff calls them", async (t) => {
  still(t);
  const [, presence, seen] = await present();
  await page({ ann: ["1"] }, 1, 1);
  FakeSocket.last.say(diff(2, 2, { joins: { ann: ["1"], bob: ["2"] } }));
  FakeSocket.last.say(diff(3, 2, { updates: { bob: ["2", "3"] } }));
  FakeSocket.last.say(diff(4, 1, { leaves: ["bob", "nobody"] }));
  assert.deepEqual(seen.slice(1), [
    ["join", "bob", ["2"]],
    ["update", "bob", ["2", "3"], ["2"]],
    ["leave", "bob", ["2", "3"]],
  ]);
  assert.deepEqual(shown(presence), { ann: ["1"] });
});

for (const [what, wrong] of [
  ["is missing", diff(3, 2, { joins: { bob: ["2"] } })],
  ["was cut short", diff(2, 3, { joins: { bob: ["2"] }, partial: true })],
  ["does not add up", diff(2, 3, { joins: { bob: ["2"] } })],
] as const) {
  test(`the roster is read anew when a diff ${what}`, async (t) => {
    still(t, 0.5);
    const [, presence, seen] = await present();
    await page({ ann: ["1"] }, 1, 1);
    FakeSocket.last.say(wrong);
    assert.deepEqual([presence.synced, shown(presence)], [false, { ann: ["1"], bob: ["2"] }]);
    await pass(500);
    await page({ bob: ["2"], cid: ["3"] }, 4, 2);
    assert.deepEqual([presence.synced, shown(presence)], [true, { bob: ["2"], cid: ["3"] }]);
    const expected = [["sync"], ["join", "bob", ["2"]], ["leave", "ann", ["1"]], ["join", "cid", ["3"]], ["sync"]];
    assert.deepEqual(seen, expected);
  });
}

test("diffs that a roster contains already change nothing, for a while", async (t) => {
  still(t, 0.5);
  const [, presence] = await present();
  await page({ ann: ["1"] }, 9, 1);
  FakeSocket.last.say(diff(8, 2, { joins: { old: ["x"] } }), diff(9, 1, { leaves: ["old"] }));
  assert.deepEqual([presence.synced, shown(presence)], [true, { ann: ["1"] }]);
  await pass(10_000);
  // The server lost what it knew, and counts from the start.
  FakeSocket.last.say(diff(1, 1, { joins: { bob: ["2"] } }));
  assert.equal(presence.synced, false);
  await pass(500);
  await page({ bob: ["2"] }, 1, 1);
  assert.deepEqual([presence.synced, shown(presence)], [true, { bob: ["2"] }]);
});

test("a roster that is refused is asked for again, each time later", async (t) => {
  still(t, 1);
  const [, presence] = await present();
  for (const delay of [1000, 2000, 4000, 8000]) {
    const { ref } = FakeSocket.last.sent[FakeSocket.last.sent.length - 1];
    FakeSocket.last.say({ type: "narrows.reply", ref, error: { code: "forbidden" } });
    await settled();
    const asked = FakeSocket.last.sent.length;
    await pass(delay - 1);
    assert.equal(FakeSocket.last.sent.length, asked);
    await pass(1);
    assert.equal(FakeSocket.last.sent.length, asked + 1);
  }
  await page({ ann: ["1"] }, 1, 1);
  assert.ok(presence.synced);
  // A good diff: from then on it is as at first.
  FakeSocket.last.say(diff(2, 1, {}), diff(4, 1, {}));
  const asked = FakeSocket.last.sent.length;
  await pass(1000);
  assert.equal(FakeSocket.last.sent.length, asked + 1);
});

test("after another connection the roster is read anew, and the difference is told", async (t) => {
  still(t);
  const [, presence, seen] = await present();
  await page({ ann: ["1"] }, 1, 1);
  FakeSocket.last.drop();
  assert.deepEqual([presence.synced, shown(presence)], [false, { ann: ["1"] }]);
  await pass(250);
  FakeSocket.last.welcome();
  await settled();
  await page({ bob: ["2"] }, 5, 1);
  assert.deepEqual(seen, [["sync"], ["leave", "ann", ["1"]], ["join", "bob", ["2"]], ["sync"]]);
  presence.close();
  FakeSocket.last.say(diff(6, 2, { joins: { cid: ["3"] } }));
  assert.deepEqual(shown(presence), { bob: ["2"] });
});

test("diffs may be inside of the site's own messages", async (t) => {
  still(t);
  const read = (message: any) => message.who;
  const [, presence] = await present({ type: "room", read });
  await page({}, 0, 0);
  FakeSocket.last.say({ type: "room" }, { type: "room", who: diff(1, 1, { joins: { ann: ["1"] } }) });
  FakeSocket.last.say({ type: "room", who: { ...diff(2, 0, { leaves: ["ann"] }), group: "another" } });
  assert.deepEqual(shown(presence), { ann: ["1"] });
});

/** A presence as the server keeps it: changes are collected, and told from time to time. */
class Kept {
  people = new Map<string, string>();
  told = new Map<string, string>();
  version = 0;
  /** What was told up to each version. */
  versions: Map<string, string>[] = [new Map()];

  take(limit: number): PresenceDiff<string> | undefined {
    const [joins, updates, leaves]: [People, People, string[]] = [{}, {}, []];
    let listed = 0;
    for (const key of new Set([...this.people.keys(), ...this.told.keys()])) {
      const [before, now] = [this.told.get(key), this.people.get(key)];
      if (before === now || ++listed > limit) continue;
      if (now === undefined) leaves.push(key);
      else (before === undefined ? joins : updates)[key] = [now];
    }
    if (!listed) return undefined;
    this.versions.push((this.told = new Map(this.people)));
    return diff(++this.version, this.told.size, { joins, updates, leaves, partial: listed > limit });
  }

  page(after: string | null, limit: number): object {
    const keys = [...this.told.keys()].sort().filter((key) => after === null || key > after);
    const people = Object.fromEntries(keys.slice(0, limit).map((key) => [key, [this.told.get(key)]]));
    const next = keys.length > limit ? keys[limit - 1] : undefined;
    return { group: "room", people, count: this.told.size, version: this.version, next };
  }
}

const peopleOf = (told: Map<string, string>): People =>
  Object.fromEntries([...told].map(([key, meta]) => [key, [meta]]));

for (let seed = 1; seed <= 100; seed++) {
  test(`the roster is the server's in the end, whatever comes when (seed ${seed})`, async (t) => {
    still(t, 0.3);
    const below = seeded(seed);
    const [client, presence] = await present();
    const [kept, mirror] = [new Kept(), new Map<string, string>()];
    presence.on("sync", () => [...presence.people].forEach(([key, [meta]]) => mirror.set(key, meta!)));
    for (const name of ["join", "update"] as const) presence.on(name, ({ key, metas }) => mirror.set(key, metas[0]!));
    presence.on("leave", ({ key }) => mirror.delete(key));
    let [answered, socket, diffs]: [number, FakeSocket, object[]] = [0, FakeSocket.last, []];
    const deliver = () => socket.say(...diffs.splice(0, 1 + below(3)));
    const answer = () => {
      const ask = socket.sent[answered];
      if (!ask) return;
      answered++;
      if (ask.type === "narrows.ping") socket.say({ type: "narrows.pong" });
      else socket.say({ type: "narrows.reply", ref: ask.ref, value: kept.page(ask.after, 3) });
    };
    const again = async () => {
      socket.drop();
      while (FakeSocket.last === socket) await pass(100);
      [socket, answered, diffs] = [FakeSocket.last, 0, []];
      socket.welcome();
    };
    for (let step = 0; step < 400; step++) {
      const [what, key] = [below(20), `${below(12)}`];
      if (what < 6) kept.people.set(key, `${below(3)}`);
      else if (what < 9) kept.people.delete(key);
      else if (what < 12) diffs.push(...[kept.take(6)].filter((taken) => taken !== undefined));
      else if (what < 15) deliver();
      else if (what < 18) answer();
      else if (what === 18) await pass(below(2000));
      else if (!below(5)) diffs.splice(0, 1);
      else if (!below(5)) await again();
      await settled();
      if (presence.synced) assert.deepEqual(shown(presence), peopleOf(kept.versions[(presence as any).version]!));
    }
    // Quiet: whatever was lost shows with the diff that follows.
    kept.people.set("last", "x");
    diffs.push(kept.take(1000)!);
    for (let step = 0; step < 200; step++) {
      deliver();
      answer();
      await pass(1000);
    }
    assert.deepEqual([presence.synced, presence.count], [true, kept.told.size]);
    assert.deepEqual(shown(presence), peopleOf(kept.told));
    assert.deepEqual(Object.fromEntries(mirror), Object.fromEntries(kept.told));
    client.close();
  });
}
