"""The views of the site that a test rules: who is logged in, and what changes that."""

import json

from django.contrib.auth import authenticate, get_user_model, login, logout, update_session_auth_hash
from django.http import HttpResponse, HttpResponseForbidden, JsonResponse
from django.urls import path

FORM = """<!doctype html><title>Log in</title>
<form method="post"><input name="username"><input name="password" type="password"><button>Log in</button></form>"""


def sent(request):
    if request.content_type == "application/json":
        return json.loads(request.body)
    return request.POST.dict()


def whoami(request):
    known = request.user.is_authenticated
    return JsonResponse({
        "user": request.user.get_username() if known else None,
        "id": str(request.user.pk) if known else None,
        "session": dict(request.session.items()),
        "key": request.session.session_key,
    })


def log_in(request):
    if request.method == "GET":
        return HttpResponse(FORM)
    fields = sent(request)
    name = {get_user_model().USERNAME_FIELD: fields["username"]}
    user = authenticate(request, password=fields["password"], **name)
    if user is None:
        return HttpResponseForbidden()
    login(request, user)
    return whoami(request)


def log_out(request):
    logout(request)
    return whoami(request)


def change_password(request):
    """What the user does alone: other browsers are logged out, this one is not."""
    request.user.set_password(sent(request)["password"])
    request.user.save()
    update_session_auth_hash(request, request.user)
    return whoami(request)


def change_session(request):
    """Sets values in the session, and for how many seconds it lives; the session is cycled, or emptied, before."""
    fields = sent(request)
    if fields.get("flush"):
        request.session.flush()
    if fields.get("cycle"):
        request.session.cycle_key()
    for key, value in fields.get("set", {}).items():
        request.session[key] = value
    if "expiry" in fields:
        request.session.set_expiry(fields["expiry"])
    return whoami(request)


urlpatterns = [
    path("whoami/", whoami),
    path("login/", log_in),
    path("logout/", log_out),
    path("password/", change_password),
    path("session/", change_session),
]
