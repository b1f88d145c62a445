"""A site of Django's, ruled by a test.

Its options are the first argument, as JSON. It reads calls as JSON lines, {"id": 1, "do": "whoami", ...}, runs one after
the other, and writes what became of each as a JSON line: {"id": 1, "value": ...} or
{"id": 1, "error": {"class": ..., "text": ..., "traceback": ...}}.
"""

import io
import json
import logging
import socketserver
import sys
import threading
import traceback
from urllib.parse import unquote, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import django
from django.conf import settings

from values import object_from_json, to_json

OPTIONS = json.loads(sys.argv[1])


def database(url):
    """What stands in DATABASES for a URL such as Narrows takes."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = url.removeprefix("sqlite://").partition("?")[0]
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": {"timeout": 20}}
    engines = {"postgres": "postgresql", "postgresql": "postgresql", "mysql": "mysql", "mariadb": "mysql"}
    engine = engines[parts.scheme]
    if engine == "mysql":
        import pymysql

        pymysql.install_as_MySQLdb()
    return {
        "ENGINE": f"django.db.backends.{engine}",
        "NAME": parts.path.removeprefix("/"),
        "USER": unquote(parts.username),
        "PASSWORD": unquote(parts.password),
        "HOST": parts.hostname,
        "PORT": parts.port,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }


def cache(url):
    if url is None:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}


user_model = OPTIONS["user_model"]
settings.configure(**{
    "ALLOWED_HOSTS": ["*"],
    "AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend", "sesame.backends.ModelBackend"],
    "AUTH_USER_MODEL": user_model,
    "CACHES": {"default": cache(OPTIONS["cache"])},
    "CHANNEL_LAYERS": OPTIONS["channel_layers"],
    "DATABASES": {"default": database(OPTIONS["database"])},
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "INSTALLED_APPS": [
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        *([] if user_model == "auth.User" else [f"users.{user_model.partition('.')[0]}"]),
        *OPTIONS["apps"],
    ],
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    "ROOT_URLCONF": "views",
    "USE_TZ": True,
    **OPTIONS["settings"],
})
django.setup()

from django.contrib.auth import SESSION_KEY, authenticate as _authenticate, get_user_model, hashers  # noqa: E402
from django.core import management, signing  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import close_old_connections, connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.signals import setting_changed  # noqa: E402

User = get_user_model()


def change_setting(name, value):
    """As override_settings does, from now on; what is cached of a setting is made anew."""
    setattr(settings, name, value)
    setting_changed.send(sender=None, setting=name, value=value, enter=True)


def forget_setting(name):
    """Back to what Django has where a site says nothing."""
    delattr(settings, name)
    setting_changed.send(sender=None, setting=name, value=None, enter=False)


# --- The tables.


def migrate():
    out = io.StringIO()
    management.call_command("migrate", stdout=out, interactive=False)
    return out.getvalue()


def unapplied():
    """The migrations that are not applied yet."""
    out = io.StringIO()
    management.call_command("showmigrations", "--plan", stdout=out)
    return [line[3:].strip() for line in out.getvalue().splitlines() if line.startswith("[ ]")]


def schema():
    """Of each table its columns, with their types as the database has them, and its keys and indexes."""
    with connection.cursor() as cursor:
        tables = sorted(connection.introspection.table_names(cursor))
        return {table: {"columns": columns(cursor, table), "constraints": constraints(cursor, table)} for table in tables}


def columns(cursor, table):
    if connection.vendor == "sqlite":
        cursor.execute(f"SELECT name, lower(type), \"notnull\", dflt_value FROM pragma_table_info('{table}')")
    else:
        what = "column_type" if connection.vendor == "mysql" else (
            "data_type || coalesce('(' || character_maximum_length || ')', '') "
            "|| CASE is_identity WHEN 'YES' THEN ' identity ' || identity_generation ELSE '' END"
        )
        extra = ", extra, collation_name" if connection.vendor == "mysql" else ""
        where = "database()" if connection.vendor == "mysql" else "current_schema()"
        cursor.execute(
            f"SELECT column_name, {what}, is_nullable, column_default{extra} FROM information_schema.columns "
            f"WHERE table_schema = {where} AND table_name = %s ORDER BY ordinal_position",
            [table],
        )
    return [list(row) for row in cursor.fetchall()]


def constraints(cursor, table):
    found = connection.introspection.get_constraints(cursor, table)
    kept = ["columns", "primary_key", "unique", "foreign_key", "check", "index", "type", "orders"]
    if connection.vendor == "sqlite":
        # SQLite numbers those that it was given no name for.
        unnamed = [item for name, item in found.items() if name.startswith("__unnamed") or name.startswith("sqlite_")]
        found = {name: item for name, item in found.items() if item not in unnamed}
        found |= {json.dumps([item["columns"], item["foreign_key"], item["unique"]]): item for item in unnamed}
    return {name: {key: item.get(key) for key in kept} for name, item in sorted(found.items())}


# --- Users, by what they log in with.


def user(name):
    return User.objects.get_by_natural_key(name)


def create_user(name, password, fields):
    return str(User.objects.create_user(**{User.USERNAME_FIELD: name, "password": password, **fields}).pk)


def set_password(name, password):
    changed = user(name)
    changed.set_password(password)
    changed.save()


def set_fields(name, fields):
    """As a form of the admin's does: with `save()`, and so with its signals."""
    changed = user(name)
    for key, value in fields.items():
        setattr(changed, key, value)
    changed.save()


def fields(name):
    found = user(name)
    return {field.attname: plain(getattr(found, field.attname)) for field in User._meta.concrete_fields}


def plain(value):
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def delete_user(name):
    user(name).delete()


def make_password(password, hasher, salt):
    return hashers.make_password(password, salt=salt, hasher=hasher)


def check_password(password, encoded):
    return hashers.check_password(password, encoded)


def authenticate(name, password):
    """The primary key, where name and password are right and the user may log in."""
    found = _authenticate(None, **{User.USERNAME_FIELD: name, "password": password})
    return None if found is None else str(found.pk)


# --- Browsers, each known by its session's cookie.


def browse(method, path, cookie, body=None):
    """What a view answers, and the cookie that the browser has then."""
    client = Client(raise_request_exception=False)
    name = settings.SESSION_COOKIE_NAME
    if cookie is not None:
        client.cookies[name] = cookie
    response = client.generic(method, path, json.dumps(body), content_type="application/json")
    if response.status_code == 500:
        raise RuntimeError(f"{path}: {getattr(response, 'exc_info', None)}")
    morsel = response.cookies.get(name)
    if morsel is not None:
        cookie = None if morsel["max-age"] == 0 else morsel.value
    content = json.loads(response.content) if response.status_code == 200 else None
    header = None if morsel is None else morsel.OutputString()
    return {"status": response.status_code, "cookie": cookie, "set_cookie": header, "content": content}


# --- Tokens and signatures.


def sesame_token(name, scope):
    from sesame.utils import get_token

    return get_token(user(name), scope)


def sesame_user(token, scope, max_age):
    from sesame.utils import get_user

    found = get_user(token, scope=scope, max_age=max_age)
    return None if found is None else found.get_username()


def rest_token(name):
    from rest_framework.authtoken.models import Token

    return Token.objects.get_or_create(user=user(name))[0].key


def dumps(value, salt, compress):
    return signing.dumps(value, salt=salt, compress=compress)


def loads(text, salt, max_age):
    return signing.loads(text, salt=salt, max_age=max_age)


# --- Whatever else a test needs.


def run(code, arguments):
    """Runs statements, which see the arguments as names and leave their outcome in `result`."""
    names = {**globals(), "result": None, **arguments}
    exec(code, names)
    return names["result"]


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Handler(WSGIRequestHandler):
    def log_message(self, text, *values):
        logging.info(text, *values)


def serve():
    """Serves the site over HTTP from now on; gives its port."""
    server = Server(("127.0.0.1", 0), Handler)
    server.set_app(get_wsgi_application())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


# --- Calls.

CALLS = [
    change_setting, forget_setting, migrate, unapplied, schema, create_user, set_password, set_fields, fields, delete_user, make_password,
    check_password, authenticate, browse, sesame_token, sesame_user, rest_token, dumps, loads, run, serve,
]
CALLS = {function.__name__: function for function in CALLS}


def answer(line):
    call = json.loads(line, object_hook=object_from_json)
    number, function = call.pop("id"), CALLS[call.pop("do")]
    # As a request begins; a connection that is broken is made anew.
    close_old_connections()
    try:
        return {"id": number, "value": to_json(function(**call))}
    except Exception as error:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        return {"id": number, "error": {"class": type(error).__name__, "text": str(error), "traceback": text}}


if __name__ == "__main__":
    # Only answers go to standard output.
    answers, sys.stdout = sys.stdout, sys.stderr
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    for read in sys.stdin:
        answers.write(json.dumps(answer(read)) + "\n")
        answers.flush()
