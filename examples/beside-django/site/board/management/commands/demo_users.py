from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Makes the users ada, who may use the admin, and ben, with this password, to try the site with."

    def add_arguments(self, parser):
        parser.add_argument("password")

    def handle(self, *, password, **_):
        for name, rights in [("ada", True), ("ben", False)]:
            user, _ = get_user_model().objects.get_or_create(username=name)
            if not user.check_password(password):
                user.set_password(password)
            user.is_staff = user.is_superuser = rights
            user.save()
