"""Django Channels, ruled by a test.

Reads calls as JSON lines, {"id": 1, "do": "send", ...}, runs them at the same time, and writes what became of each as a
JSON line: {"id": 1, "value": ...} or {"id": 1, "error": {"class": ..., "text": ..., "traceback": ...}}.
"""

import asyncio
import itertools
import json
import logging
import re
import sys
import threading
import traceback

import django
from asgiref.sync import async_to_sync
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    CHANNEL_LAYERS={},
    INSTALLED_APPS=["channels"],
    ROOT_URLCONF="__main__",
    SECRET_KEY="of a test",
)
django.setup()

from channels.exceptions import ChannelFull  # noqa: E402
from channels.layers import channel_layers, get_channel_layer  # noqa: E402
from channels.routing import ChannelNameRouter  # noqa: E402
from channels.worker import Worker  # noqa: E402
from channels.consumer import AsyncConsumer  # noqa: E402
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from django.http import JsonResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402

from values import object_from_json, to_json  # noqa: E402

BACKENDS = {
    "core": "channels_redis.core.RedisChannelLayer",
    "pubsub": "channels_redis.pubsub.RedisPubSubChannelLayer",
}

# Longer than anything takes that works; what waits on purpose has its own time on top.
PATIENCE = 25

names = itertools.count(1)


# --- The layers, made as Django makes them: out of CHANNEL_LAYERS.


async def layer(kind, config):
    alias = f"layer-{next(names)}"
    if "channel_capacity" in config:
        # Pairs, as their order counts; "re:" begins a regular expression.
        pairs = config["channel_capacity"]
        config["channel_capacity"] = {
            re.compile(key[3:]) if key.startswith("re:") else key: capacity for key, capacity in pairs
        }
    settings.CHANNEL_LAYERS[alias] = {"BACKEND": BACKENDS[kind], "CONFIG": config}
    get_channel_layer(alias)
    # What a constructor raises, get_channel_layer keeps to itself when it is a KeyError.
    channel_layers[alias]
    return alias


async def new_channel(layer, prefix=None):
    layer = get_channel_layer(layer)
    return await (layer.new_channel() if prefix is None else layer.new_channel(prefix))


async def send(layer, channel, message):
    await get_channel_layer(layer).send(channel, message)


async def group_send(layer, group, message):
    await get_channel_layer(layer).group_send(group, message)


async def group_add(layer, group, channel):
    await get_channel_layer(layer).group_add(group, channel)


async def group_discard(layer, group, channel):
    await get_channel_layer(layer).group_discard(group, channel)


async def flush(layer):
    await get_channel_layer(layer).flush()


async def encode(layer, message):
    return get_channel_layer(layer).serialize(message)


async def decode(layer, data):
    return get_channel_layer(layer).deserialize(data)


async def send_many(layer, message, count, group=None, channel=None):
    """Sends it so often, numbered by its key "n"; gives how many went out, and how many met a full channel."""
    layer = get_channel_layer(layer)
    full = 0
    for n in range(count):
        numbered = {**message, "n": n}
        try:
            await (layer.send(channel, numbered) if group is None else layer.group_send(group, numbered))
        except ChannelFull:
            full += 1
    return {"sent": count - full, "full": full}


# --- Receiving. A receive that finds nothing in time stays armed for the next, as in a consumer: with channels_redis a
# --- cancelled one may lose messages.


class Receiver:
    def __init__(self, layer, channel):
        self.receive = lambda: get_channel_layer(layer).receive(channel)
        self.armed = None
        self.turn = asyncio.Lock()

    async def next(self, timeout):
        async with self.turn:
            if self.armed is None:
                self.armed = asyncio.ensure_future(self.receive())
            done, _ = await asyncio.wait({self.armed}, timeout=timeout)
            if not done:
                return None
            armed, self.armed = self.armed, None
            return armed.result()

    async def stop(self):
        if self.armed is not None:
            self.armed.cancel()
            await asyncio.wait({self.armed})


receivers = {}


def receiver(layer, channel):
    if (layer, channel) not in receivers:
        receivers[layer, channel] = Receiver(layer, channel)
    return receivers[layer, channel]


async def receive(layer, channel, timeout):
    return await receiver(layer, channel).next(timeout)


async def receive_many(layer, channel, count, quiet):
    return await many(receiver(layer, channel).next, count, quiet)


async def stop_receiving(layer, channel):
    stopped = receivers.pop((layer, channel), None)
    if stopped is not None:
        await stopped.stop()


async def many(next_message, count, quiet):
    """So many messages, or fewer when none comes for so long."""
    messages = []
    while len(messages) < count:
        message = await next_message(quiet)
        if message is None:
            break
        messages.append(message)
    return messages


# --- Consumers, a worker and a view, as a site has them.


class Running:
    """A consumer or a worker, and the messages that its handlers were called with."""

    def __init__(self):
        self.handled = asyncio.Queue()
        self.input = asyncio.Queue()
        self.task = None

    def handlers(self, types):
        async def handler(consumer, message):
            self.handled.put_nowait(message)

        return {message_type.replace(".", "_"): handler for message_type in types}

    def run(self, coroutine):
        self.task = asyncio.ensure_future(coroutine)
        # Only after what it handled is what it died of.
        self.task.add_done_callback(lambda task: self.handled.put_nowait(task))

    async def next(self, timeout):
        try:
            message = await asyncio.wait_for(self.handled.get(), timeout)
        except asyncio.TimeoutError:
            return None
        if message is self.task:
            self.handled.put_nowait(message)
            message.result()
            raise EOFError("it has ended")
        return message


running = {}


async def consumer(layer, groups, handles):
    """Runs an AsyncWebsocketConsumer as a server does; gives its name and its channel, when it is in its groups."""
    this = Running()
    ready = asyncio.get_running_loop().create_future()

    async def connect(self):
        await self.accept()
        ready.set_result(self.channel_name)

    attributes = {"channel_layer_alias": layer, "groups": groups, "connect": connect, **this.handlers(handles)}
    application = type("Consumer", (AsyncWebsocketConsumer,), attributes).as_asgi()

    async def sent(message):
        pass

    this.input.put_nowait({"type": "websocket.connect"})
    scope = {"type": "websocket", "path": "/", "headers": [], "subprotocols": []}
    this.run(application(scope, this.input.get, sent))
    await asyncio.wait({this.task, ready}, return_when=asyncio.FIRST_COMPLETED)
    if not ready.done():
        this.task.result()
    name = f"consumer-{next(names)}"
    running[name] = this
    return {"name": name, "channel": ready.result()}


async def worker(layer, channels, handles):
    """Does what `manage.py runworker` does, with one kind of consumer behind all channels."""
    this = Running()
    attributes = {"channel_layer_alias": layer, **this.handlers(handles)}
    application = type("Consumer", (AsyncConsumer,), attributes).as_asgi()
    router = ChannelNameRouter({channel: application for channel in channels})
    this.run(Worker(router, channels, get_channel_layer(layer)).arun())
    name = f"worker-{next(names)}"
    running[name] = this
    return {"name": name, "channel": None}


async def handled(name, timeout):
    return await running[name].next(timeout)


async def handled_many(name, count, quiet):
    return await many(running[name].next, count, quiet)


async def stop(name):
    """Closes a consumer's socket, so that it leaves its groups; cancels a worker."""
    this = running.pop(name)
    if name.startswith("consumer"):
        this.input.put_nowait({"type": "websocket.disconnect", "code": 1000})
    else:
        this.task.cancel()
    await asyncio.wait({this.task})
    if not this.task.cancelled():
        this.task.result()


def announce(request):
    """A view, as most sites have one: it tells sockets or workers what has changed."""
    call = json.loads(request.body, object_hook=object_from_json)
    layer = get_channel_layer(call["layer"])
    if call["group"] is not None:
        async_to_sync(layer.group_send)(call["group"], call["message"])
    else:
        async_to_sync(layer.send)(call["channel"], call["message"])
    return JsonResponse({"announced": True})


urlpatterns = [path("announce/", announce)]


async def view(layer, message, group=None, channel=None):
    """Posts to the view, in a thread without an event loop, as under WSGI."""
    call = {"layer": layer, "group": group, "channel": channel, "message": to_json(message)}

    def post():
        return Client().post("/announce/", json.dumps(call), content_type="application/json").json()

    return await in_thread(post)


async def in_thread(function):
    """Runs it in a thread of its own."""
    loop = asyncio.get_running_loop()
    outcome = loop.create_future()

    def run():
        try:
            value, error = function(), None
        except Exception as caught:
            value, error = None, caught
        loop.call_soon_threadsafe(
            lambda: outcome.set_result(value) if error is None else outcome.set_exception(error)
        )

    threading.Thread(target=run, daemon=True).start()
    return await outcome


# --- Calls.

CALLS = [
    layer, new_channel, send, send_many, receive, receive_many, stop_receiving, group_add, group_discard, group_send,
    flush, encode, decode, consumer, worker, handled, handled_many, stop, view,
]
CALLS = {function.__name__: function for function in CALLS}


async def answer(output, line):
    call = json.loads(line, object_hook=object_from_json)
    number, function = call.pop("id"), CALLS[call.pop("do")]
    # A long list of messages may take its time, each of them not.
    patience = PATIENCE + call.get("timeout", 0) + call.get("quiet", 0) + call.get("count", 0) / 100
    try:
        outcome = {"value": to_json(await asyncio.wait_for(function(**call), patience))}
    except (Exception, asyncio.CancelledError) as error:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        outcome = {"error": {"class": type(error).__name__, "text": str(error), "traceback": text}}
    output.write(json.dumps({"id": number, **outcome}) + "\n")
    output.flush()


async def main(output):
    loop = asyncio.get_running_loop()
    lines = asyncio.Queue()

    def read():
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    answering = set()
    while (line := await lines.get()) is not None:
        task = asyncio.ensure_future(answer(output, line))
        answering.add(task)
        task.add_done_callback(answering.discard)


if __name__ == "__main__":
    # Only answers go to standard output.
    answers, sys.stdout = sys.stdout, sys.stderr
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    asyncio.run(main(answers))
