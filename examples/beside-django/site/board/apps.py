from django.apps import AppConfig


class BoardConfig(AppConfig):
    name = "board"

    def ready(self):
        import narrows_ends  # noqa: F401

        from . import live  # noqa: F401
