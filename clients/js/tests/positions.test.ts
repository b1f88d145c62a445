import assert from "node:assert/strict";
import { test } from "node:test";
import { Positions } from "../src/positions.js";
import { connected, FakeSocket, pass, record, seeded, settled, still } from "./kit.js";

const joined = (group: string, at: string, recovered?: boolean) => ({ type: "narrows.joined", group, at, recovered });
const message = (group: string, at: string) => ({ "@": [group, at], type: "message", at });

test("the last position of each group is offered to the next connection", async (t) => {
  still(t);
  const client = await connected();
  FakeSocket.last.say(joined("a", "9f-1"), joined("b", "9f-7"), message("a", "9f-2"), joined("c", "1-1"));
  FakeSocket.last.say({ type: "narrows.left", group: "c" });
  FakeSocket.last.drop();
  await pass(250);
  assert.deepEqual(FakeSocket.last.positions(), { a: "9f-2", b: "9f-7" });
  assert.deepEqual([client.position("a"), client.position("c")], ["9f-2", undefined]);
});

test("a message that was here before is not handed on again", async (t) => {
  still(t);
  const client = await connected();
  const seen = record(client, "message");
  FakeSocket.last.say(joined("a", "9f-9"));
  for (const at of ["9f-9", "9f-10", "9f-10", "9f-8", "9f-11", "a0-1", "a0-1", "a0-2"]) {
    FakeSocket.last.say(message("a", at));
  }
  FakeSocket.last.say(message("b", "9f-1"), { type: "message", at: "none" });
  assert.deepEqual(seen.map(({ at }) => at), ["9f-10", "9f-11", "a0-1", "a0-2", "9f-1", "none"]);
});

test("what cannot be recovered is told, with the position from which on all is there", async (t) => {
  still(t);
  const client = await connected();
  const seen = record(client, "narrows.unrecovered");
  FakeSocket.last.say(joined("a", "9f-1"), joined("b", "9f-1"), joined("c", "9f-1"), joined("d", "9f-1"));
  FakeSocket.last.say({ type: "narrows.lost", group: "a", at: "9f-5" }, message("a", "9f-5"), message("a", "9f-6"));
  assert.deepEqual(seen, [{ group: "a", position: "9f-5" }]);
  FakeSocket.last.drop();
  await pass(250);
  FakeSocket.last.welcome();
  FakeSocket.last.say(joined("a", "9f-6", true), joined("b", "9f-4", false), joined("c", "9f-4"), joined("d", "9f-1"));
  assert.deepEqual(seen.slice(1), [{ group: "b", position: "9f-4" }, { group: "c", position: "9f-4" }]);
  assert.deepEqual(["a", "b", "c", "d"].map((group) => client.position(group)), ["9f-6", "9f-4", "9f-4", "9f-1"]);
});

test("no more is offered than a header holds, and the newest first", () => {
  const positions = new Positions();
  for (let n = 0; n < 500; n++) positions.set(`room.${n}`, `9f-${n}`);
  positions.set("room.0", "9f-1000");
  const offered = positions.offer();
  assert.ok(offered.length <= 4096 && offered.length > 4000, `${offered.length}`);
  const groups = [...Buffer.from(offered, "base64url").toString().matchAll(/"(room\.\d+)":/g)].map((found) => found[1]);
  assert.deepEqual(groups.slice(0, 3), ["room.0", "room.499", "room.498"]);
});

test("no more groups are remembered than a thousand", () => {
  const positions = new Positions();
  for (let n = 0; n < 1001; n++) positions.set(`${n}`, "1-1");
  assert.deepEqual([positions.get("0"), positions.get("1"), positions.get("1000")], [undefined, "1-1", "1-1"]);
});

test("the names of groups keep their order and their characters in the offer", () => {
  const positions = new Positions();
  for (const group of ["1", "ä\"", "__proto__", "0"]) positions.set(group, "1-1");
  const text = Buffer.from(positions.offer(), "base64url").toString();
  assert.equal(text, '{"0":"1-1","__proto__":"1-1","ä\\"":"1-1","1":"1-1"}');
});

/** A group with a history, and a server that replays from what a client offers. */
class Room {
  log: string[] = [];
  kept = 0;
  socket: FakeSocket | undefined;

  join(socket: FakeSocket): void {
    socket.welcome();
    const offset = Number(socket.positions()["room"]?.split("-")[1] ?? NaN);
    const recovered = offset >= this.kept;
    if (recovered) socket.say(joined("room", `1-${offset}`, true));
    else socket.say(joined("room", `1-${this.log.length}`, Number.isNaN(offset) ? undefined : false));
    for (let n = offset + 1; recovered && n <= this.log.length; n++) socket.say(this.message(n));
    this.socket = socket;
  }

  say(text: string): void {
    this.log.push(text);
    this.socket?.say(this.message(this.log.length));
  }

  message = (offset: number) => ({ ...message("room", `1-${offset}`), text: this.log[offset - 1] });
}

for (let seed = 1; seed <= 50; seed++) {
  test(`all messages are handed on once and in order, whatever is cut when (seed ${seed})`, async (t) => {
    still(t, 0.1);
    const below = seeded(seed);
    const [client, room] = [await connected(), new Room()];
    FakeSocket.last.drop();
    const seen = record(client, "message", "narrows.unrecovered");
    let sockets = 1;
    for (let step = 0; step < 300; step++) {
      const what = below(10);
      if (what < 4) room.say(`${step}`);
      else if (what === 4) await pass(below(8000));
      else if (what === 5) (room.socket?.drop(), (room.socket = undefined));
      // Bytes that were on their way when the connection was lost, and those of an overlap.
      else if (what === 6 && room.log.length) room.socket?.say(room.message(1 + below(room.log.length)));
      else if (what === 7 && !below(10)) room.kept = room.log.length;
      if (FakeSocket.all.length > sockets) {
        sockets = FakeSocket.all.length;
        room.join(FakeSocket.last);
      }
      await settled();
    }
    // Each is the successor of the one before it, unless the client was told otherwise.
    let last: number | undefined;
    for (const [name, { at, position }] of seen) {
      const offset = Number((at ?? position).split("-")[1]);
      if (name === "message") assert.equal(offset, (last ?? offset - 1) + 1);
      last = offset;
    }
    assert.ok(seen.length > 20, `${seen.length}`);
    client.close();
  });
}
