"""Tells Narrows when a session or a user's rights end, so that open sockets end with them.

Import it once Django is ready: `import narrows_ends` in the `ready` of any application.
"""

import hashlib
import logging

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver


def tell(message):
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)("narrows.ends", message)
    except Exception:
        # Whoever logs out is logged out; Narrows finds it out at its next check.
        logging.getLogger(__name__).exception("Narrows could not be told")


@receiver(user_logged_out)
def session_ended(request, **_):
    key = request.session.session_key
    if key:
        tell({"type": "session.end", "session": hashlib.sha256(key.encode()).hexdigest()})


@receiver([post_save, post_delete], sender=get_user_model())
def user_changed(instance, update_fields=None, **_):
    # Each log-in saves this one field, and changes no rights.
    if update_fields != frozenset({"last_login"}):
        user = str(instance.pk)
        transaction.on_commit(lambda: tell({"type": "user.check", "user": user}))
