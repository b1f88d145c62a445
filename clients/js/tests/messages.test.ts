import assert from "node:assert/strict";
import { test } from "node:test";
import { connected, connecting, FakeSocket, pass, record, settled, still } from "./kit.js";

const ask = { type: "ask" };
const outcome = (promise: Promise<unknown>) =>
  promise.then((value) => ({ value }), ({ code, detail }) => ({ code, detail }));

test("messages are handed on by their type, and all of them to who wants all", async (t) => {
  still(t);
  const client = await connected();
  const [messages, all] = [record(client, "message"), record(client, "*")];
  const off = client.on("typing", () => assert.fail("it was taken away"));
  off();
  FakeSocket.last.say({ type: "message", text: "a" }, { type: "typing" }, [1], "x", null);
  assert.deepEqual(messages, [{ type: "message", text: "a" }]);
  assert.deepEqual(all, [{ type: "message", text: "a" }, { type: "typing" }, [1], "x", null]);
});

test("what the protocol says itself is not handed on, nor what a later version may say", async (t) => {
  still(t);
  const client = await connected();
  const all = record(client, "*", "narrows.open", "narrows.final");
  FakeSocket.last.say({ type: "narrows.pong" }, { type: "narrows.final" }, { type: "narrows.open" }, { type: "narrows.new" });
  assert.deepEqual(all, []);
});

test("a frame that cannot be read is told, and the next one is handed on", async (t) => {
  still(t);
  const client = await connected();
  const seen = record(client, "narrows.error", "message");
  FakeSocket.last.onmessage?.({ data: "{" });
  FakeSocket.last.say({ type: "message" });
  assert.deepEqual(seen.map(([name]) => name), ["narrows.error", "message"]);
});

test("what is sent before there is a connection is sent after the welcome, in order, and after what the handlers send", async (t) => {
  still(t);
  const client = await connecting();
  assert.ok(client.send({ type: "a" }));
  const reply = client.request({ type: "b" });
  assert.ok(client.send({ type: "c" }));
  const socket = FakeSocket.last;
  socket.accept();
  assert.deepEqual([socket.sent, client.waiting], [[], 3]);
  const entered = new Promise((enter) => client.on("narrows.open", () => enter(client.request({ type: "enter" }))));
  socket.welcome();
  assert.deepEqual(socket.sent, [{ type: "enter", ref: 2 }, { type: "a" }, { type: "b", ref: 1 }, { type: "c" }]);
  socket.say({ type: "narrows.reply", ref: 1, value: { n: 1 } }, { type: "narrows.reply", ref: 2 });
  assert.deepEqual([await reply, await entered, client.waiting], [{ n: 1 }, undefined, 0]);
});

test("no more waits than may: neither messages nor bytes", async (t) => {
  still(t);
  const few = await connecting({ maxQueue: 2 });
  assert.deepEqual([few.send(1), few.send(2), few.send(3)], [true, true, false]);
  assert.deepEqual(await outcome(few.request(ask)), { code: "full", detail: "" });
  const small = await connecting({ maxQueueBytes: 10 });
  // Two quotes and three characters of two bytes each.
  assert.deepEqual([small.send("äöü"), small.send("a"), small.send(1)], [true, false, true]);
});

test("a socket that does not drain takes no more", async (t) => {
  still(t);
  const client = await connected({ maxQueueBytes: 100 });
  FakeSocket.last.bufferedAmount = 100;
  assert.equal(client.send({ type: "a" }), false);
  assert.deepEqual(await outcome(client.request(ask)), { code: "full", detail: "" });
  FakeSocket.last.bufferedAmount = 0;
  assert.ok(client.send({ type: "b" }));
  assert.deepEqual(FakeSocket.last.sent, [{ type: "b" }]);
});

test("a request ends with the server's value, its error, or for want of an answer", async (t) => {
  still(t);
  const client = await connected();
  const requests = [1, 2, 3, 4].map((n) => outcome(client.request({ type: "ask", n }, { timeout: 5000 })));
  FakeSocket.last.say(
    { type: "narrows.reply", ref: 2, error: { code: "no", detail: "not you" } },
    { type: "narrows.reply", ref: 1, value: [7] },
    { type: "narrows.reply", ref: 1, value: "again" },
    { type: "narrows.reply", ref: 3 },
    { type: "narrows.reply", ref: 99 },
  );
  await pass(5000);
  const expected = [{ value: [7] }, { code: "no", detail: "not you" }, { value: undefined }, { code: "timeout", detail: "" }];
  assert.deepEqual([await Promise.all(requests), client.waiting], [expected, 0]);
});

test("a request that got no reply is sent again with its number, before what was sent later", async (t) => {
  still(t);
  const client = await connected();
  const first = client.request({ type: "a" });
  const second = outcome(client.request({ type: "b" }, { retry: false }));
  client.send({ type: "lost" });
  FakeSocket.last.drop();
  client.send({ type: "c" });
  const third = client.request({ type: "d" }, { retry: false });
  assert.deepEqual(await second, { code: "lost", detail: "" });
  await pass(250);
  FakeSocket.last.welcome();
  assert.deepEqual(FakeSocket.last.sent, [{ type: "a", ref: 1 }, { type: "c" }, { type: "d", ref: 3 }]);
  FakeSocket.last.say({ type: "narrows.reply", ref: 1, value: 1 }, { type: "narrows.reply", ref: 3, value: 3 });
  assert.deepEqual(await Promise.all([first, third]), [1, 3]);
});

test("a request whose time is over is not sent again", async (t) => {
  still(t);
  const client = await connected();
  const request = outcome(client.request(ask, { timeout: 200 }));
  FakeSocket.last.drop();
  const waiting = outcome(client.request(ask, { timeout: 100 }));
  await pass(250);
  FakeSocket.last.welcome();
  assert.deepEqual(FakeSocket.last.sent, []);
  assert.deepEqual(await Promise.all([request, waiting]), Array(2).fill({ code: "timeout", detail: "" }));
});

test("at the end requests fail, and what was never sent is given back", async (t) => {
  still(t);
  const client = await connected();
  const sent = outcome(client.request(ask));
  FakeSocket.last.drop();
  client.send({ type: "a" });
  const waiting = outcome(client.request(ask));
  client.send({ type: "b" });
  const final = record(client, "narrows.final");
  client.close();
  assert.deepEqual(final[0].unsent, [{ type: "a" }, { type: "b" }]);
  const closed = { code: "closed", detail: "" };
  assert.deepEqual(await Promise.all([sent, waiting, outcome(client.request(ask))]), [closed, closed, closed]);
  assert.deepEqual([client.send({ type: "c" }), client.waiting], [false, 0]);
});

test("a plain client offers nothing of ours, pings nothing, and is open with its socket", async (t) => {
  still(t);
  const client = await connecting({ plain: true, protocols: "chat.v1" });
  const all = record(client, "*");
  assert.deepEqual(FakeSocket.last.protocols, ["chat.v1"]);
  client.send({ type: "a" });
  FakeSocket.last.accept("chat.v1");
  FakeSocket.last.say({ type: "narrows.joined", "@": ["g", "1-1"] });
  await pass(60_000);
  assert.deepEqual([FakeSocket.last.sent, all.length, client.state], [[{ type: "a" }], 1, "open"]);
  assert.deepEqual(await outcome(client.request(ask)), { code: "plain", detail: "" });
});

test("a server that chose the site's subprotocol and does not know ours is spoken to all the same", async (t) => {
  still(t);
  const client = await connecting({ protocols: "chat.v1" });
  const all = record(client, "*");
  FakeSocket.last.accept("chat.v1");
  FakeSocket.last.say({ type: "hello", "@": ["g", "1-1"] });
  await pass(60_000);
  assert.deepEqual([client.state, all.length, FakeSocket.last.sent], ["open", 1, []]);
  assert.deepEqual(await outcome(client.request(ask)), { code: "plain", detail: "" });
  client.close();
  await settled();
});

test("frames may be of another format", async (t) => {
  still(t);
  const client = await connecting({
    encode: (message) => `!${JSON.stringify(message)}`,
    decode: (data) => JSON.parse(Buffer.from(data).toString()),
  });
  const seen = record(client, "message");
  const bytes = (message: object) => ({ data: Uint8Array.from(Buffer.from(JSON.stringify(message))).buffer });
  FakeSocket.last.onmessage?.(bytes({ type: "narrows.welcome", heartbeat: 15000 }));
  FakeSocket.last.onmessage?.(bytes({ type: "message" }));
  assert.deepEqual([seen, FakeSocket.last.binaryType], [[{ type: "message" }], "arraybuffer"]);
});
