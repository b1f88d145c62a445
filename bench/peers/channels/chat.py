"""The chat of the Django Channels tutorial, and an echo, on the in-memory channel layer or one on Redis.

The tutorial's consumer is the asynchronous one of its third part. Its settings, which are spread over a project there,
are in this one file; DEBUG is off, as in production. CHANNEL_LAYER is memory, pubsub or core, and REDIS an address.
"""

import json
import os

import django
from django.conf import settings

LAYERS = {
    "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
    "pubsub": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"},
    "core": {"BACKEND": "channels_redis.core.RedisChannelLayer"},
}
LAYER = LAYERS[os.environ.get("CHANNEL_LAYER", "memory")]
if "REDIS" in os.environ:
    LAYER["CONFIG"] = {"hosts": [os.environ["REDIS"]]}

settings.configure(
    DEBUG=False,
    SECRET_KEY="only for measuring",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["channels"],
    CHANNEL_LAYERS={"default": LAYER},
    LOGGING_CONFIG=None,
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402 - after the settings
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.urls import path  # noqa: E402


class ChatConsumer(AsyncWebsocketConsumer):
    async def connect(self):
        self.room_group_name = f"chat_{self.scope['url_route']['kwargs']['room_name']}"
        await self.channel_layer.group_add(self.room_group_name, self.channel_name)
        await self.accept()

    async def disconnect(self, close_code):
        await self.channel_layer.group_discard(self.room_group_name, self.channel_name)

    async def receive(self, text_data):
        message = json.loads(text_data)["message"]
        await self.channel_layer.group_send(
            self.room_group_name, {"type": "chat.message", "message": message}
        )

    async def chat_message(self, event):
        await self.send(text_data=json.dumps({"message": event["message"]}))


class EchoConsumer(AsyncWebsocketConsumer):
    # No channel layer is needed, so none is listened to.
    channel_layer_alias = None

    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data=text_data, bytes_data=bytes_data)


application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": URLRouter(
            [
                path("ws/chat/<str:room_name>/", ChatConsumer.as_asgi()),
                path("ws/echo/", EchoConsumer.as_asgi()),
            ]
        ),
    }
)
