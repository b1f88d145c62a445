"""Tells everyone who has the board open what is new, by the group `board` of the channel layer.

Narrows' side of these messages is the enum `BoardMsg`, in `src/board.rs`.
"""

import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from .models import Comment, Post

GROUP = "board"


def tell(message):
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(GROUP, message)
    except Exception:
        # It is saved, and seen by whoever loads the page.
        logging.getLogger(__name__).exception("the board could not be told")


# By signals, so that a post made in the admin is live, too; and after the commit, so that whoever hears of it finds it.


@receiver(post_save, sender=Post)
def post_saved(instance, created, **_):
    message = {
        "type": "post.saved",
        "id": instance.pk,
        "title": instance.title,
        "text": instance.text,
        "author": instance.author.get_username(),
        "new": created,
    }
    transaction.on_commit(lambda: tell(message))


@receiver(post_save, sender=Comment)
def comment_saved(instance, **_):
    message = {
        "type": "comment.saved",
        "id": instance.pk,
        "post": instance.post_id,
        "text": instance.text,
        "author": instance.author.get_username(),
    }
    transaction.on_commit(lambda: tell(message))
