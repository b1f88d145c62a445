import asyncio
import signal

from channels.layers import get_channel_layer
from django.core.management.base import BaseCommand, CommandError

from board.live import GROUP


class Command(BaseCommand):
    help = "Prints what is said on the board: a Python process that hears what browsers say to Narrows."

    def handle(self, **_):
        layer = get_channel_layer()
        if layer is None:
            raise CommandError("there is no channel layer: CHANNEL_LAYER_URL is not set")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            asyncio.run(self.listen(layer))
        except KeyboardInterrupt:
            pass

    async def listen(self, layer):
        channel = await layer.new_channel()
        await layer.group_add(GROUP, channel)
        self.stdout.write("listening to the board")
        while True:
            message = await layer.receive(channel)
            if message["type"] == "chat.said":
                self.stdout.write(f"{message['author']} said {message['text']}")
