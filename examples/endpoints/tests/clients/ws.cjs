// The checks of contract.md with the Node library ws.
"use strict";

const assert = require("node:assert/strict");
const { once } = require("node:events");
const WebSocket = require("ws");

const base = `ws://${process.argv[2]}`;
const signal = AbortSignal.timeout(60_000);

async function open(path, protocols = [], options = {}) {
  const socket = new WebSocket(base + path, protocols, options);
  // A message may come right behind the handshake, before anybody asked for it.
  socket.inbox = [];
  socket.on("message", (data, isBinary) => {
    socket.inbox.push({ data, isBinary });
    socket.emit("inbox");
  });
  await once(socket, "open", { signal });
  return socket;
}

async function receive(socket) {
  while (socket.inbox.length === 0) await once(socket, "inbox", { signal });
  return socket.inbox.shift();
}

async function close(socket, ...how) {
  const closed = once(socket, "close", { signal });
  socket.close(...how);
  return closed;
}

async function echoes(send, expected, isBinary) {
  const socket = await open("/ws/echo/");
  send(socket);
  const answer = await receive(socket);
  assert.equal(answer.isBinary, isBinary);
  assert.ok(answer.data.equals(Buffer.from(expected)), `${answer.data.subarray(0, 100)}`);
  await close(socket);
}

const same = (message, isBinary) => echoes((socket) => socket.send(message), message, isBinary);

const checks = {
  text: () => same("Grüße, 世界", false),
  binary: () => same(Buffer.from([0, 1, 254, 255]), true),
  "empty text": () => same("", false),
  "empty binary": () => same(Buffer.alloc(0), true),
  large: async () => {
    await same("a".repeat(1 << 20), false);
    await same(Buffer.alloc(1 << 20, 0xff), true);
  },
  fragments: () =>
    echoes(
      (socket) => {
        socket.send("one ", { fin: false });
        socket.send("two ", { fin: false });
        socket.send("three", { fin: true });
      },
      "one two three",
      false,
    ),
  ping: async () => {
    const socket = await open("/ws/echo/");
    socket.ping("are you there");
    const [payload] = await once(socket, "pong", { signal });
    assert.equal(payload.toString(), "are you there");
    await close(socket);
  },
  subprotocol: async () => {
    for (const [offer, chosen] of [[["other.v9", "chat.v1"], "chat.v1"], [[], ""]]) {
      const socket = await open("/ws/echo/", offer);
      assert.equal(socket.protocol, chosen);
      await close(socket);
    }
  },
  close: async () => {
    const [code] = await close(await open("/ws/echo/"), 4001, "kicked");
    assert.equal(code, 4001);
  },
  lobby: async () => {
    const sockets = [await open("/ws/chat/lobby/"), await open("/ws/chat/lobby/")];
    sockets[0].send(JSON.stringify({ message: "hi" }));
    for (const socket of sockets) {
      assert.deepEqual(JSON.parse((await receive(socket)).data), { message: "hi" });
      await close(socket);
    }
  },
  headers: async () => {
    const socket = await open("/ws/headers/?a=1&b=2", [], { headers: { "X-Test": "yes" } });
    const facts = JSON.parse((await receive(socket)).data);
    for (const key of ["client", "scheme", "path", "query", "cookies", "headers"]) assert.ok(key in facts, key);
    assert.equal(facts.path, "/ws/headers/");
    await close(socket);
  },
  unknown: async () => {
    const socket = new WebSocket(`${base}/ws/nothing/here/`);
    const [, response] = await once(socket, "unexpected-response", { signal });
    assert.equal(response.statusCode, 404);
    socket.on("error", () => {});
    socket.terminate();
  },
};

(async () => {
  for (const [name, check] of Object.entries(checks)) {
    await check();
    console.log(`holds: ${name}`);
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
