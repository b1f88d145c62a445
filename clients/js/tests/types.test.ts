import assert from "node:assert/strict";
import { test } from "node:test";
import { connect, type Narrows } from "../src/index.js";
import { FakeSocket } from "./kit.js";

type In = { type: "message"; text: string } | { type: "typing"; who: string };
type Out = { type: "say"; text: string } | { type: "find"; id: number };

test("messages have the types that the site says", () => {
  const client: Narrows<In, Out> = connect<In, Out>("ws://site/ws", { start: false, WebSocket: FakeSocket });
  client.on("message", (message) => {
    const { text, "@": at }: { text: string; "@"?: [string, string] } = message;
    return [text, at];
  });
  client.on("*", (message) => (message.type === "typing" ? message.who : message.text));
  client.on("narrows.open", ({ resumed }) => assert.equal(typeof resumed, "boolean"));
  // @ts-expect-error: there is no such message
  client.on("mesage", () => {});
  // @ts-expect-error: it has no such member
  client.on("typing", (message) => message.text);
  // @ts-expect-error: it cannot be sent
  client.send({ type: "message", text: "" });
  const found: Promise<{ name: string }> = client.request<{ name: string }>({ type: "find", id: 1 });
  return assert.rejects(found, { code: "closed" });
});

test("without types everything goes", () => {
  const client = connect("ws://site/ws", { start: false, WebSocket: FakeSocket });
  client.on("whatever", (message) => message.anything);
  assert.equal(client.send({ any: "thing" }), false);
});
