"""The two halves of a measurement of channels_redis without sockets, each a process: see bench/layers, whose twin it is.

A receiver is a channel of its own in the group and a loop over the layer's receive(), or with --consumers a consumer of
Channels with a handler for the message, and a client that says nothing.
"""

import argparse
import asyncio
import json
import socket
import time

import uvloop
from channels_redis.core import RedisChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

GROUP = "bench"
# What has not come after so many seconds is lost.
PATIENCE = 10


def layer(arguments):
    kind = {"pubsub": RedisPubSubChannelLayer, "core": RedisChannelLayer}[arguments.layer_kind]
    return kind(hosts=[arguments.layer])


async def loops(arguments, count):
    """Starts so many loops over receive()."""
    channels = layer(arguments)

    async def receiver(channel):
        while True:
            await channels.receive(channel)
            count()

    async def start():
        channel = await channels.new_channel()
        await channels.group_add(GROUP, channel)
        return asyncio.ensure_future(receiver(channel))

    return [await start() for _ in range(arguments.receivers)]


async def consumers(arguments, count):
    """Starts so many consumers, as a server does for its connections."""
    import django
    from django.conf import settings

    backend = {
        "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "core": "channels_redis.core.RedisChannelLayer",
    }[arguments.layer_kind]
    settings.configure(
        INSTALLED_APPS=["channels"],
        CHANNEL_LAYERS={"default": {"BACKEND": backend, "CONFIG": {"hosts": [arguments.layer]}}},
        LOGGING_CONFIG=None,
    )
    django.setup()

    from channels.consumer import AsyncConsumer

    class Receiver(AsyncConsumer):
        async def bench_connect(self, message):
            await self.channel_layer.group_add(GROUP, self.channel_name)
            message["joined"].set_result(None)

        async def chat_message(self, event):
            count()

    async def start():
        joined = asyncio.get_running_loop().create_future()
        said = [{"type": "bench.connect", "joined": joined}]

        async def client():
            # After the first message it says nothing any more.
            return said.pop() if said else await asyncio.get_running_loop().create_future()

        task = asyncio.ensure_future(Receiver()({"type": "bench"}, client, None))
        await asyncio.wait([task, joined], return_when=asyncio.FIRST_COMPLETED)
        return task

    return [await start() for _ in range(arguments.receivers)]


async def receive(arguments):
    receivers, events, publisher = arguments.receivers, 0, None

    def count():
        nonlocal events
        events += 1
        if events % receivers == 0:
            publisher.send(b".")

    start = consumers if arguments.consumers else loops
    tasks = await start(arguments, count)
    door = socket.create_server(("127.0.0.1", 0))
    door.setblocking(False)
    address, port = door.getsockname()
    print(f"listening on http://{address}:{port}/", flush=True)
    publisher, _ = await asyncio.get_running_loop().sock_accept(door)
    publisher.setblocking(True)
    publisher.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    publisher.send(b".")
    await asyncio.gather(*tasks)


async def publish(arguments):
    channels = layer(arguments)
    address, port = arguments.acks.rsplit(":", 1)
    # Without its writer the connection is closed.
    acks, _writer = await asyncio.open_connection(address, int(port))
    await acks.readexactly(1)
    free = asyncio.Semaphore(arguments.window)
    published = arrived = 0
    ending = False
    message = {"type": "chat.message", "message": "x" * arguments.bytes}

    async def publisher():
        nonlocal published
        while True:
            await free.acquire()
            if ending:
                return
            await channels.group_send(GROUP, message)
            published += 1

    async def hear():
        nonlocal arrived
        while told := await acks.read(1024):
            arrived += len(told)
            for _ in told:
                free.release()

    told = asyncio.ensure_future(hear())
    publishers = [asyncio.ensure_future(publisher()) for _ in range(arguments.window)]
    await asyncio.sleep(arguments.warm_up)
    print("measuring", flush=True)
    start, before = time.monotonic(), (published, arrived)
    await asyncio.sleep(arguments.seconds)
    seconds, after = time.monotonic() - start, (published, arrived)
    print("measured", flush=True)
    ending = True
    for _ in publishers:
        free.release()
    await asyncio.gather(*publishers)
    end = time.monotonic() + PATIENCE
    while arrived < published and time.monotonic() < end:
        await asyncio.sleep(0.01)
    told.cancel()
    report = {
        "seconds": seconds,
        "published": after[0] - before[0],
        "deliveries": (after[1] - before[1]) * arguments.receivers,
        "lost": max(0, published - arrived),
        "duplicated": max(0, arrived - published),
    }
    print(json.dumps(report), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    roles = parser.add_subparsers(required=True)
    for role in (receive, publish):
        options = roles.add_parser(role.__name__)
        options.set_defaults(role=role)
        options.add_argument("--layer", required=True)
        options.add_argument("--layer-kind", required=True, choices=["pubsub", "core"])
        options.add_argument("--receivers", type=int, required=True)
        if role is receive:
            options.add_argument("--consumers", action="store_true")
    options.add_argument("--acks", required=True)
    options.add_argument("--window", type=int, required=True)
    options.add_argument("--bytes", type=int, required=True)
    options.add_argument("--seconds", type=float, required=True)
    options.add_argument("--warm-up", type=float, required=True)
    arguments = parser.parse_args()
    uvloop.run(arguments.role(arguments))


main()
