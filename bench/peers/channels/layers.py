"""The two halves of a measurement of channels_redis without sockets, each a process: see bench/layers, whose twin it is.

A receiver is a channel of its own in the group and a loop over the layer's receive(): what a consumer of Channels does,
without the consumer.
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


async def receive(arguments):
    channels = layer(arguments)
    receivers, events, publisher = arguments.receivers, 0, None

    async def receiver(channel):
        nonlocal events
        while True:
            await channels.receive(channel)
            events += 1
            if events % receivers == 0:
                publisher.send(b".")

    tasks = []
    for _ in range(receivers):
        channel = await channels.new_channel()
        await channels.group_add(GROUP, channel)
        tasks.append(asyncio.ensure_future(receiver(channel)))
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
    options.add_argument("--acks", required=True)
    options.add_argument("--window", type=int, required=True)
    options.add_argument("--bytes", type=int, required=True)
    options.add_argument("--seconds", type=float, required=True)
    options.add_argument("--warm-up", type=float, required=True)
    arguments = parser.parse_args()
    uvloop.run(arguments.role(arguments))


main()
