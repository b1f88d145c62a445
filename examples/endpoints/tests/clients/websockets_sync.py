"""The checks of contract.md with the Python library websockets."""

import json
import sys

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

BASE = f"ws://{sys.argv[1]}"
SECONDS = 20


def open_socket(path, **options):
    return connect(BASE + path, max_size=None, open_timeout=SECONDS, close_timeout=SECONDS, **options)


def echoes(message, expected=None):
    with open_socket("/ws/echo/") as socket:
        socket.send(message)
        answer = socket.recv(timeout=SECONDS)
        expected = message if expected is None else expected
        assert type(answer) is type(expected) and answer == expected, repr(answer)[:100]


def text():
    echoes("Grüße, 世界")


def binary():
    echoes(bytes(range(256)))


def empty_text():
    echoes("")


def empty_binary():
    echoes(b"")


def large():
    echoes("a" * (1 << 20))
    echoes(b"\xff" * (1 << 20))


def fragments():
    echoes(["one ", "two ", "three"], "one two three")
    echoes([b"\x01", b"\x02", b"\x03"], b"\x01\x02\x03")


def ping():
    with open_socket("/ws/echo/") as socket:
        assert socket.ping(b"are you there").wait(SECONDS), "no pong"


def subprotocol():
    with open_socket("/ws/echo/", subprotocols=["other.v9", "chat.v1"]) as socket:
        assert socket.subprotocol == "chat.v1", socket.subprotocol
    with open_socket("/ws/echo/") as socket:
        assert socket.subprotocol is None, socket.subprotocol


def close():
    with open_socket("/ws/echo/") as socket:
        socket.close(4001, "kicked")
        try:
            socket.recv(timeout=SECONDS)
        except ConnectionClosed as end:
            assert end.rcvd is not None and end.rcvd.code == 4001, end.rcvd


def lobby():
    with open_socket("/ws/chat/lobby/") as one, open_socket("/ws/chat/lobby/") as other:
        one.send(json.dumps({"message": "hi"}))
        for socket in (one, other):
            assert json.loads(socket.recv(timeout=SECONDS)) == {"message": "hi"}


def headers():
    with open_socket("/ws/headers/?a=1&b=2", additional_headers={"Cookie": "theme=dark", "X-Test": "yes"}) as socket:
        facts = json.loads(socket.recv(timeout=SECONDS))
    assert {"client", "scheme", "path", "query", "cookies", "headers"} <= facts.keys(), facts
    assert facts["path"] == "/ws/headers/", facts["path"]
    assert "1" in json.dumps(facts["query"]), facts["query"]


def unknown():
    try:
        with open_socket("/ws/nothing/here/"):
            raise AssertionError("the handshake was accepted")
    except InvalidStatus as refusal:
        assert refusal.response.status_code == 404, refusal.response.status_code


for check in (text, binary, empty_text, empty_binary, large, fragments, ping, subprotocol, close, lobby, headers, unknown):
    check()
    print(f"holds: {check.__name__.replace('_', ' ')}", flush=True)
