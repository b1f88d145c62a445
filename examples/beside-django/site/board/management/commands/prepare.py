import os

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Brings database and static files up to date, and makes the demo users where DEMO_PASSWORD is set."

    # They may be missing so far.
    requires_migrations_checks = False

    def handle(self, **_):
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        password = os.environ.get("DEMO_PASSWORD")
        if password:
            call_command("demo_users", password)
