"""The checks of contract.md with the Python library websocket-client."""

import json
import struct
import sys

from websocket import ABNF, WebSocketBadStatusException, create_connection

BASE = f"ws://{sys.argv[1]}"
SECONDS = 20
TEXT, BINARY = ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY


def open_socket(path, **options):
    return create_connection(BASE + path, timeout=SECONDS, **options)


def echoes(opcode, payload):
    socket = open_socket("/ws/echo/")
    socket.send(payload, opcode)
    assert socket.recv_data() == (opcode, payload)
    socket.close()


def text():
    echoes(TEXT, "Grüße, 世界".encode())


def binary():
    echoes(BINARY, bytes(range(256)))


def empty_text():
    echoes(TEXT, b"")


def empty_binary():
    echoes(BINARY, b"")


def large():
    echoes(TEXT, b"a" * (1 << 20))
    echoes(BINARY, b"\xff" * (1 << 20))


def fragments():
    socket = open_socket("/ws/echo/")
    for opcode, part, last in ((TEXT, "one ", 0), (ABNF.OPCODE_CONT, "two ", 0), (ABNF.OPCODE_CONT, "three", 1)):
        socket.send_frame(ABNF.create_frame(part, opcode, last))
    assert socket.recv_data() == (TEXT, b"one two three")
    socket.close()


def ping():
    socket = open_socket("/ws/echo/")
    socket.ping("are you there")
    opcode, frame = socket.recv_data_frame(control_frame=True)
    assert (opcode, frame.data) == (ABNF.OPCODE_PONG, b"are you there"), (opcode, frame.data)
    socket.close()


def subprotocol():
    socket = open_socket("/ws/echo/", subprotocols=["other.v9", "chat.v1"])
    assert socket.getsubprotocol() == "chat.v1", socket.getsubprotocol()
    socket.close()
    socket = open_socket("/ws/echo/")
    assert socket.getsubprotocol() is None, socket.getsubprotocol()
    socket.close()


def close():
    socket = open_socket("/ws/echo/")
    socket.send_close(4001, b"kicked")
    opcode, payload = socket.recv_data(control_frame=True)
    assert opcode == ABNF.OPCODE_CLOSE and struct.unpack("!H", payload[:2]) == (4001,), (opcode, payload)
    socket.shutdown()


def lobby():
    one, other = open_socket("/ws/chat/lobby/"), open_socket("/ws/chat/lobby/")
    one.send(json.dumps({"message": "hi"}))
    for socket in (one, other):
        assert json.loads(socket.recv()) == {"message": "hi"}
        socket.close()


def headers():
    socket = open_socket("/ws/headers/?a=1&b=2", cookie="theme=dark", header={"X-Test": "yes"})
    facts = json.loads(socket.recv())
    assert {"client", "scheme", "path", "query", "cookies", "headers"} <= facts.keys(), facts
    # This library names its origin, which is the server's own, so its cookie is to be seen.
    assert facts["cookies"] == {"theme": "dark"}, facts["cookies"]
    socket.close()


def unknown():
    try:
        open_socket("/ws/nothing/here/")
        raise AssertionError("the handshake was accepted")
    except WebSocketBadStatusException as refusal:
        assert refusal.status_code == 404, refusal.status_code


for check in (text, binary, empty_text, empty_binary, large, fragments, ping, subprotocol, close, lobby, headers, unknown):
    check()
    print(f"holds: {check.__name__.replace('_', ' ')}", flush=True)
