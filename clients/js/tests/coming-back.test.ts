import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { fateOf } from "../src/schedule.js";
import { connected, connecting, FakeSocket, pass, record, settled, still } from "./kit.js";

test("each close code says whether and how to come back", () => {
  const final = [1000, 1002, 1003, 1007, 1008, 1009, 1010, 4000, 4401, 4999];
  const backOff = [1001, 1004, 1005, 1006, 1011, 1014, 1015, 3000, 3999];
  for (const code of final) assert.equal(fateOf(code), "final", `${code}`);
  for (const code of backOff) assert.equal(fateOf(code), "back-off", `${code}`);
  assert.deepEqual([fateOf(1012), fateOf(1013)], ["drain", "slow"]);
});

test("waits double from half a second to twenty, and are a random part of that", async (t) => {
  still(t, 0.5);
  const client = await connecting();
  const seen = record(client, "narrows.reconnecting");
  for (let attempt = 0; attempt < 8; attempt++) {
    FakeSocket.last.drop();
    await pass(seen[attempt].delay);
    assert.equal(FakeSocket.all.length, attempt + 2);
  }
  assert.deepEqual(seen.map(({ delay }) => delay), [250, 500, 1000, 2000, 4000, 8000, 10000, 10000]);
  assert.deepEqual(seen.map(({ attempt }) => attempt), [1, 2, 3, 4, 5, 6, 7, 8]);
});

test("the back-off begins anew after a connection that held, and not after one that did not", async (t) => {
  still(t, 1);
  const client = await connected();
  const seen = record(client, "narrows.reconnecting");
  const delays: number[] = [];
  for (const held of [900, 900, 1000]) {
    await pass(held);
    FakeSocket.last.drop();
    delays.push(seen.pop().delay);
    await pass(delays[delays.length - 1]!);
    FakeSocket.last.welcome();
  }
  assert.deepEqual(delays, [500, 1000, 500]);
});

test("a server that drains is come back to within the time that it says", async (t) => {
  still(t, 0.25);
  const client = await connected({}, { retry: 40_000 });
  const seen = record(client, "narrows.reconnecting");
  FakeSocket.last.drop(1012);
  assert.equal(seen[0].delay, 10_000);
});

test("attempts that failed before a server drained do not count", async (t) => {
  still(t, 1);
  const client = await connecting();
  const seen = record(client, "narrows.reconnecting");
  for (let attempt = 0; attempt < 5; attempt++) {
    FakeSocket.last.drop();
    await pass(seen[attempt].delay);
  }
  FakeSocket.last.welcome();
  FakeSocket.last.drop(1012);
  await pass(seen[5].delay);
  FakeSocket.last.drop();
  assert.deepEqual(seen.slice(4).map(({ delay }) => delay), [8000, 1000, 1000]);
});

test("after being too slow the client waits for five seconds at least", async (t) => {
  still(t, 0);
  const client = await connected();
  const seen = record(client, "narrows.reconnecting");
  FakeSocket.last.drop(1013);
  assert.equal(seen[0].delay, 5000);
});

test("after a final code nothing is tried again, until it is asked for", async (t) => {
  still(t);
  const client = await connected();
  const seen = record(client, "narrows.close", "narrows.final", "narrows.reconnecting");
  FakeSocket.last.drop(4401, "log in");
  await pass(3_600_000);
  const end = { code: 4401, reason: "log in" };
  assert.deepEqual(seen, [["narrows.close", end], ["narrows.final", { ...end, unsent: [] }]]);
  assert.deepEqual([client.state, FakeSocket.all.length], ["closed", 1]);
  client.connect();
  await settled();
  assert.deepEqual([client.state, FakeSocket.all.length], ["connecting", 2]);
});

test("closing ends it with the code that the site says, wherever it was", async (t) => {
  still(t);
  const client = await connected();
  client.close(4000, "bye");
  assert.deepEqual([FakeSocket.last.closed, client.state], [4000, "closed"]);
  const waiting = await connected();
  FakeSocket.last.drop();
  waiting.close();
  await pass(60_000);
  assert.equal(FakeSocket.all.length, 2);
  let answer = (_: string) => {};
  const asking = await connecting({}, () => new Promise<string>((resolve) => (answer = resolve)));
  asking.close();
  asking.close();
  answer("ws://site/");
  await settled();
  assert.deepEqual([asking.state, FakeSocket.all.length], ["closed", 2]);
});

test("a code or a reason that no page may send throws, and the connection ends all the same", async (t) => {
  still(t);
  for (const [code, reason] of [[1001, ""], [4000, "é".repeat(62)]] as const) {
    const client = await connected();
    const seen = record(client, "narrows.final");
    assert.throws(() => client.close(code, reason), DOMException);
    assert.deepEqual([client.state, FakeSocket.last.closed, seen.length], ["closed", 1005, 1]);
    assert.equal(client.send({ type: "late" }), false);
  }
});

test("a handler of a close may end it, or try at once", async (t) => {
  still(t);
  const [ending, trying] = [await connected(), await connected()];
  const seen = [ending, trying].map((client) => record(client, "narrows.reconnecting"));
  ending.on("narrows.close", () => ending.close());
  trying.on("narrows.close", () => trying.connect());
  for (const socket of [...FakeSocket.all]) socket.drop();
  await pass(60_000);
  assert.deepEqual([ending.state, seen, FakeSocket.all.length > 2], ["closed", [[], []], true]);
});

test("an error ends an attempt, whether a close follows or not", async (t) => {
  still(t, 1);
  const client = await connecting();
  const seen = record(client, "narrows.close");
  FakeSocket.last.onerror?.({});
  await pass(0);
  assert.deepEqual([seen, client.state], [[{ code: 1006, reason: "" }], "waiting"]);
  client.connect();
  await settled();
  FakeSocket.last.onerror?.({});
  FakeSocket.last.drop(1011, "failed");
  FakeSocket.last.onerror?.({});
  await pass(0);
  assert.deepEqual([seen.slice(1), client.state], [[{ code: 1011, reason: "failed" }], "waiting"]);
});

test("an attempt that takes too long is given up, and the next one is made", async (t) => {
  still(t);
  const client = await connecting({ connectTimeout: 3000 });
  const [first] = FakeSocket.all;
  first!.accept();
  await pass(3000);
  assert.deepEqual([client.state, first!.closed], ["waiting", 3001]);
  await pass(250);
  assert.equal(FakeSocket.all.length, 2);
  first!.welcome();
  assert.equal(client.state, "connecting");
});

test("address and subprotocols are asked for before each connection", async (t) => {
  still(t);
  let token = 0;
  const options = { protocols: async () => ["chat.v1", `token.${token}`] };
  const client = await connecting(options, async () => `https://site/ws?token=${++token}`);
  assert.equal(FakeSocket.last.url, "wss://site/ws?token=1");
  FakeSocket.last.drop();
  await pass(250);
  assert.equal(FakeSocket.last.url, "wss://site/ws?token=2");
  const [first, id, ...own] = FakeSocket.last.protocols;
  assert.deepEqual([first, own], ["narrows.v1", ["chat.v1", "token.2"]]);
  assert.match(id!, /^narrows\.client\.[\w-]{22}$/);
  assert.equal(FakeSocket.all[0]!.offered("narrows.client."), FakeSocket.last.offered("narrows.client."));
  client.close();
});

test("an address that cannot be had is told, and asked for again", async (t) => {
  still(t);
  let asked = 0;
  const client = await connecting({ start: false }, () => (asked++ ? "ws://site/ws" : Promise.reject(new Error("no token"))));
  const seen = record(client, "narrows.error");
  client.connect();
  await settled();
  assert.deepEqual([client.state, seen.map(({ error }) => error.message)], ["waiting", ["no token"]]);
  await pass(250);
  assert.equal(FakeSocket.all.length, 1);
});

test("an address that comes too late is not used", async (t) => {
  still(t);
  const answers: ((url: string) => void)[] = [];
  await connecting({}, () => new Promise((answer) => answers.push(answer)));
  await pass(10_000);
  await pass(250);
  assert.equal(answers.length, 2);
  answers[0]!("ws://late/");
  await settled();
  assert.equal(FakeSocket.all.length, 0);
  answers[1]!("ws://right/");
  await settled();
  assert.deepEqual(FakeSocket.all.map(({ url }) => url), ["ws://right/"]);
});

test("a client that sends nothing pings, and leaves a server that stays silent", async (t) => {
  still(t);
  const client = await connected();
  const socket = FakeSocket.last;
  await pass(10_000);
  client.send({ type: "typing" });
  await pass(14_999);
  assert.equal(socket.sent.length, 1);
  await pass(1);
  assert.deepEqual(socket.sent[1], { type: "narrows.ping" });
  await pass(9000);
  socket.say({ type: "narrows.pong" });
  await pass(6000);
  assert.deepEqual([socket.sent.length, client.state], [3, "open"]);
  await pass(10_000);
  assert.deepEqual([client.state, socket.closed], ["waiting", 3001]);
});

test("a ping without an answer is of no account once its connection is gone", async (t) => {
  still(t, 1);
  const client = await connected({ minDelay: 20_000 });
  const seen = record(client, "narrows.close");
  await pass(15_000);
  FakeSocket.last.drop();
  await pass(19_999);
  assert.deepEqual([seen.length, FakeSocket.all.length, client.state], [1, 1, "waiting"]);
});

test("further pings give a silent server no more time", async (t) => {
  still(t);
  const { happens } = page(t);
  const client = await connected();
  happens("online");
  await pass(5000);
  happens("online");
  await pass(5000);
  assert.equal(client.state, "waiting");
});

test("the token of a connection is offered to the next, the newest one that was given", async (t) => {
  still(t);
  const client = await connected({}, { token: "first" });
  const seen = record(client, "narrows.open", "narrows.resumed");
  FakeSocket.last.say({ type: "narrows.pong" }, { type: "narrows.pong", token: "second" }, { type: "narrows.pong" });
  FakeSocket.last.drop();
  await pass(250);
  assert.equal(FakeSocket.last.offered("narrows.resume."), "second");
  FakeSocket.last.welcome({ resumed: true });
  assert.deepEqual(seen, [["narrows.open", { resumed: true }], ["narrows.resumed", {}]]);
  FakeSocket.last.drop();
  await pass(500);
  assert.equal(FakeSocket.last.offered("narrows.resume."), undefined);
});

test("after the end no token is offered", async (t) => {
  still(t);
  const client = await connected({}, { token: "one" });
  FakeSocket.last.drop(4401);
  client.connect();
  await settled();
  assert.equal(FakeSocket.last.offered("narrows.resume."), undefined);
});

/** A page as the client sees it. */
function page(t: { after(fn: () => void): void }) {
  const events = new EventTarget();
  const page = Object.assign(events, { visibilityState: "visible" });
  const navigator = { onLine: true };
  const fakes = {
    document: page,
    navigator,
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
  };
  for (const [name, value] of Object.entries(fakes)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true });
    t.after(() => {
      if (before) Object.defineProperty(globalThis, name, before);
      else delete (globalThis as any)[name];
    });
  }
  const happens = (name: string, more = {}) => events.dispatchEvent(Object.assign(new Event(name), more));
  return { page, navigator, happens };
}

test("a page that nobody looks at tries seldom, and at once when somebody does", async (t) => {
  still(t, 0.5);
  const { page: document, happens } = page(t);
  const client = await connected();
  const seen = record(client, "narrows.reconnecting");
  document.visibilityState = "hidden";
  FakeSocket.last.drop();
  await pass(250);
  FakeSocket.last.drop();
  assert.deepEqual(seen.map(({ delay }) => delay), [250, 40_000]);
  happens("visibilitychange");
  await settled();
  assert.equal(FakeSocket.all.length, 2);
  document.visibilityState = "visible";
  happens("visibilitychange");
  await settled();
  assert.equal(FakeSocket.all.length, 3);
  FakeSocket.last.drop();
  assert.equal(seen[2].delay, 250);
});

for (const name of ["online", "pageshow"]) {
  test(`${name} ends the wait, and tries a connection that may be dead`, async (t) => {
    still(t);
    const { happens: any } = page(t);
    const happens = (name: string) => any(name, { persisted: true });
    const client = await connected();
    any("pageshow", { persisted: false });
    assert.deepEqual(FakeSocket.last.sent, []);
    happens(name);
    assert.deepEqual(FakeSocket.last.sent, [{ type: "narrows.ping" }]);
    await pass(10_000);
    assert.equal(client.state, "waiting");
    happens(name);
    await settled();
    assert.equal(FakeSocket.all.length, 2);
    client.close();
    happens(name);
    await settled();
    assert.equal(FakeSocket.all.length, 2);
  });
}

test("without a network it waits for one, and hardly tries meanwhile", async (t) => {
  still(t, 0.5);
  const { navigator, happens } = page(t);
  await connected();
  navigator.onLine = false;
  FakeSocket.last.drop();
  await pass(59_999);
  assert.equal(FakeSocket.all.length, 1);
  await pass(1);
  assert.equal(FakeSocket.all.length, 2);
  FakeSocket.last.drop();
  navigator.onLine = true;
  happens("online");
  await settled();
  assert.equal(FakeSocket.all.length, 3);
});

test("a handler that fails keeps nothing from the others", async (t) => {
  still(t);
  const failed = mock.method(globalThis, "queueMicrotask", () => {});
  const client = await connected();
  client.on("message", () => {
    throw new Error("of the page");
  });
  const seen = record(client, "message");
  FakeSocket.last.say({ type: "message" });
  assert.deepEqual([seen.length, failed.mock.callCount()], [1, 1]);
});
