// Bun's own publish and subscribe (uWebSockets): a topic for each room.

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2] ?? 0),
  fetch(request, server) {
    const { pathname } = new URL(request.url);
    const room = /^\/ws\/chat\/([^/]+)\/$/.exec(pathname)?.[1];
    if (room === undefined && pathname !== "/ws/echo/") return new Response("not found\n", { status: 404 });
    if (server.upgrade(request, { data: { room } })) return;
    return new Response("a WebSocket was expected\n", { status: 400 });
  },
  websocket: {
    perMessageDeflate: false,
    open(socket) {
      if (socket.data.room !== undefined) socket.subscribe(socket.data.room);
    },
    message(socket, message) {
      if (socket.data.room === undefined) socket.send(message);
      else server.publish(socket.data.room, message);
    },
  },
});
console.log(`listening on http://${server.hostname}:${server.port}/`);
