// Node's usual WebSocket server, `ws`, with a loop over the sockets of a room, as its own documentation broadcasts.

import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

const http = createServer((_, response) => response.writeHead(404).end());
// What it does by default is what we want: no compression, TCP_NODELAY.
const server = new WebSocketServer({ noServer: true });
const rooms = new Map();

http.on("upgrade", (request, socket, head) => {
  const room = /^\/ws\/chat\/([^/]+)\/$/.exec(request.url)?.[1];
  if (room === undefined && request.url !== "/ws/echo/") {
    socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n");
    return;
  }
  server.handleUpgrade(request, socket, head, (ws) => (room === undefined ? echo(ws) : chat(ws, room)));
});

function echo(ws) {
  ws.on("error", console.error);
  ws.on("message", (data, binary) => ws.send(data, { binary }));
}

function chat(ws, name) {
  let room = rooms.get(name);
  if (room === undefined) rooms.set(name, (room = new Set()));
  room.add(ws);
  ws.on("error", console.error);
  ws.on("message", (data, binary) => {
    for (const member of room) {
      if (member.readyState === WebSocket.OPEN) member.send(data, { binary });
    }
  });
  ws.on("close", () => {
    room.delete(ws);
    if (room.size === 0 && rooms.get(name) === room) rooms.delete(name);
  });
}

// A queue for connections as long as the system allows; Node's own is 511.
http.listen({ host: "127.0.0.1", port: Number(process.argv[2] ?? 0), backlog: 65535 }, () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}/`);
});
