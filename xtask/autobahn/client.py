"""The WebSocket client that Autobahn's cases drive.

It has the methods that the cases call, by the names that they call them. It lets every wrong frame out, as that is what most
cases send, and it holds the server to the protocol: a frame that a server must not send fails the connection.
"""

import asyncio
import base64
import hashlib
import os
import random
import struct
import zlib

from cases import WebSocketProtocol as P

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
ALLOWED = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013}


def raw(text):
    """The bytes that a Python 2 text stands for."""
    return text if isinstance(text, bytes) else text.encode("latin-1")


def masked(mask, data):
    if not data:
        return data
    whole = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(whole, "big")).to_bytes(len(data), "big")


class Deflate:
    """permessage-deflate as the server agreed to it."""

    def __init__(self, parameters):
        self.fresh_in = "server_no_context_takeover" in parameters
        self.fresh_out = "client_no_context_takeover" in parameters
        self.bits_in = int(parameters.get("server_max_window_bits") or 15)
        # zlib cannot write a window of 8 bits; a larger one would be a lie, and 9 is what others write too.
        self.bits_out = max(9, int(parameters.get("client_max_window_bits") or 15))
        self.inflater = self.deflater = None

    def compress(self, data):
        if self.deflater is None or self.fresh_out:
            self.deflater = zlib.compressobj(wbits=-self.bits_out)
        return (self.deflater.compress(data) + self.deflater.flush(zlib.Z_SYNC_FLUSH))[:-4]

    def decompress(self, data):
        if self.inflater is None or self.fresh_in:
            self.inflater = zlib.decompressobj(wbits=-self.bits_in)
        return self.inflater.decompress(data + b"\x00\x00\xff\xff")


class Factory:
    isServer = False


class Client(asyncio.Protocol):
    factory = Factory
    CLOSE_STATUS_CODE_NORMAL = P.CLOSE_STATUS_CODE_NORMAL
    CLOSE_STATUS_CODE_PROTOCOL_ERROR = P.CLOSE_STATUS_CODE_PROTOCOL_ERROR
    CLOSE_STATUS_CODE_INVALID_PAYLOAD = P.CLOSE_STATUS_CODE_INVALID_PAYLOAD

    def __init__(self, case, host, path, wants_bytes):
        self.host, self.path, self.wants_bytes = host, path, wants_bytes
        self.loop = asyncio.get_running_loop()
        self.done = self.loop.create_future()
        self.state = P.STATE_CONNECTING
        self.data = bytearray()
        self.queue, self.writer, self.timers = [], None, []
        self.fragments, self.opcode, self.compressed = None, 0, False
        self.frame_left, self.frame_mask, self.frame_at, self.begun = 0, b"", 0, False
        self.autoFragmentSize = 0
        self.perMessageCompressionOffers, self._perMessageCompress = [], None
        self.connectionWasOpen = self.closedByMe = self.failedByMe = self.droppedByMe = self.wasClean = False
        self.remoteCloseCode = self.remoteCloseReason = self.localCloseReason = self.trafficStats = None
        self.txFrameStats, self.createWirelog = {}, False
        self.violation = None
        self.case = case(self)

    # The connection.

    def connection_made(self, transport):
        self.transport = transport
        self.key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {self.path} HTTP/1.1", f"Host: {self.host}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {self.key}", "Sec-WebSocket-Version: 13"]
        if self.perMessageCompressionOffers:
            offers = ", ".join(offer.header() for offer in self.perMessageCompressionOffers)
            lines.append(f"Sec-WebSocket-Extensions: {offers}")
        transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.later(5, self.handshake_is_late)

    def handshake_is_late(self):
        if self.state == P.STATE_CONNECTING:
            self.drop()

    def connection_lost(self, _error):
        self.state = P.STATE_CLOSED
        for timer in self.timers:
            timer.cancel()
        if self.writer:
            self.writer.cancel()
        self.case.onConnectionLost(self.failedByMe)
        self.done.set_result(None)

    def data_received(self, data):
        self.data += data
        if self.state == P.STATE_CONNECTING and not self.handshake():
            return
        while self.state != P.STATE_CONNECTING and self.frame():
            pass

    def handshake(self):
        end = self.data.find(b"\r\n\r\n")
        if end < 0:
            return False
        status, *lines = bytes(self.data[:end]).decode("latin-1").split("\r\n")
        del self.data[: end + 4]
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        accept = base64.b64encode(hashlib.sha1((self.key + GUID).encode()).digest()).decode()
        if status.split(" ")[1:2] != ["101"] or headers.get("sec-websocket-accept") != accept:
            self.violation = f"handshake refused: {status}"
            self.drop()
            return False
        extensions = headers.get("sec-websocket-extensions", "")
        if extensions.startswith("permessage-deflate") and self.perMessageCompressionOffers:
            pairs = (part.strip().partition("=") for part in extensions.split(";")[1:])
            self._perMessageCompress = Deflate({name: value.strip('"') for name, _, value in pairs})
        elif extensions:
            self.violation = f"extension that was not offered: {extensions}"
            self.drop()
            return False
        self.state, self.connectionWasOpen = P.STATE_OPEN, True
        self.case.onOpen()
        return True

    def drop(self):
        if self.state != P.STATE_CLOSED:
            self.droppedByMe, self.state = True, P.STATE_CLOSED
            self.transport.abort()

    # What comes from the server.

    def frame(self):
        data = self.data
        if len(data) < 2:
            return False
        fin, rsv, opcode = data[0] & 0x80, data[0] >> 4 & 7, data[0] & 15
        length, at = data[1] & 0x7F, 2
        if length >= 126:
            size = 2 if length == 126 else 8
            if len(data) < 2 + size:
                return False
            length, at = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
            if length < (126 if size == 2 else 65536):
                self.violate("a length that is not written in the shortest way")
        if len(data) < at + length:
            return False
        if data[1] & 0x80:
            self.violate("a masked frame from a server")
        payload = bytes(data[at : at + length])
        del data[: at + length]
        compressed = rsv == 4 and self._perMessageCompress is not None
        if rsv and not (compressed and opcode in (1, 2)):
            self.violate(f"reserved bits {rsv}")
        elif opcode > 7:
            self.control(fin, opcode, payload)
        elif opcode > 2 or (opcode == 0) != (self.fragments is not None):
            self.violate(f"a frame of opcode {opcode} out of place")
        else:
            self.message(fin, opcode, compressed, payload)
        return True

    def message(self, fin, opcode, compressed, payload):
        if opcode:
            self.fragments, self.opcode, self.compressed = [], opcode, compressed
        self.fragments.append(payload)
        if not fin:
            return
        message, self.fragments = b"".join(self.fragments), None
        if self.compressed:
            message = self._perMessageCompress.decompress(message)
        if self.opcode == 1:
            try:
                message.decode()
            except UnicodeDecodeError:
                self.violate("a text that is not UTF-8", P.CLOSE_STATUS_CODE_INVALID_PAYLOAD)
        # Also after our own close: a server must not send on once it has answered that, and some cases look.
        if not self.failedByMe:
            self.case.onMessage(message if self.wants_bytes else message.decode("latin-1"), self.opcode == 2)

    def control(self, fin, opcode, payload):
        if not fin or len(payload) > 125 or opcode > 10 or (opcode == 8 and len(payload) == 1):
            self.violate("a control frame of the wrong shape")
        elif opcode == 8:
            self.close_received(payload)
        elif opcode == 9 and self.state == P.STATE_OPEN:
            self.sendFrame(10, payload)
        elif opcode == 10:
            self.case.onPong(payload.decode("latin-1"))

    def close_received(self, payload):
        code = struct.unpack("!H", payload[:2])[0] if payload else None
        self.remoteCloseCode, self.remoteCloseReason = code, payload[2:].decode("utf-8", "replace")
        if code is not None and code not in ALLOWED and not 3000 <= code <= 4999:
            self.violate(f"close code {code}")
        self.wasClean = True
        if self.state == P.STATE_CLOSING:
            # The server should end TCP; where it does not, we do, and that counts against it.
            self.later(1, self.not_dropped)
        elif self.state == P.STATE_OPEN:
            self.sendCloseFrame(1000, isReply=True)
            self.later(1, self.not_dropped)

    def not_dropped(self):
        if self.state != P.STATE_CLOSED:
            self.wasClean = False
            self.drop()

    def not_answered(self):
        if self.state != P.STATE_CLOSED and not self.wasClean:
            self.drop()

    def violate(self, what, code=P.CLOSE_STATUS_CODE_PROTOCOL_ERROR):
        self.violation = self.violation or what
        self.fail(code)

    def fail(self, code):
        self.failedByMe = True
        if self.state == P.STATE_OPEN:
            self.sendCloseFrame(code)
        elif self.state == P.STATE_CLOSING:
            self.drop()

    # What the cases call.

    def later(self, delay, function, *arguments):
        self.timers.append(self.loop.call_later(delay, function, *arguments))

    def continueLater(self, delay, function, _tag=None):
        self.later(delay, lambda: self.state != P.STATE_CLOSED and function())

    def killAfter(self, delay):
        self.later(delay, self.fail, 1001)

    def closeAfter(self, delay):
        self.later(delay, lambda: self.state != P.STATE_CLOSED and self.sendClose())

    def enableWirelog(self, _enable):
        pass

    def sendClose(self, code=None, reason=None):
        self.sendCloseFrame(code, reason)

    def sendCloseFrame(self, code=None, reasonUtf8=None, isReply=False):
        if self.state != P.STATE_OPEN:
            return
        payload = b"" if code is None else struct.pack("!H", code)
        payload += b"" if reasonUtf8 is None else raw(reasonUtf8)
        self.sendFrame(8, payload)
        self.state, self.closedByMe, self.localCloseReason = P.STATE_CLOSING, not isReply, reasonUtf8
        if self.closedByMe:
            self.later(1, self.not_answered)

    def sendFrame(self, opcode, payload=b"", fin=True, rsv=0, mask=None, payload_len=None, chopsize=None, sync=False):
        payload = raw(payload)
        if payload_len is not None:
            payload = (payload * (payload_len // len(payload) + 1))[:payload_len]
        self.txFrameStats[opcode] = self.txFrameStats.get(opcode, 0) + 1
        mask = raw(mask) if mask else random.randbytes(4)
        first = (0x80 if fin else 0) | rsv << 4 | opcode
        self.send(self.header(first, len(payload)) + mask + masked(mask, payload), chopsize)

    def sendMessage(self, payload, isBinary=False, fragmentSize=None):
        payload, opcode, rsv = raw(payload), 2 if isBinary else 1, 0
        if self._perMessageCompress is not None:
            payload, rsv = self._perMessageCompress.compress(payload), 4
        size = fragmentSize or self.autoFragmentSize or max(1, len(payload))
        for at in range(0, max(1, len(payload)), size):
            last = at + size >= len(payload)
            self.sendFrame(opcode if at == 0 else 0, payload[at : at + size], last, rsv if at == 0 else 0)

    def beginMessage(self, isBinary=False):
        self.opcode_out, self.begun = 2 if isBinary else 1, False

    def beginMessageFrame(self, length):
        self.frame_left, self.frame_mask, self.frame_at = length, random.randbytes(4), 0
        self.send(self.header(0 if self.begun else self.opcode_out, length) + self.frame_mask)
        self.begun = True

    def sendMessageFrameData(self, payload, sync=False):
        if self.state != P.STATE_OPEN:
            return
        payload = raw(payload)[: self.frame_left]
        turn = self.frame_at % 4
        self.send(masked(self.frame_mask[turn:] + self.frame_mask[:turn], payload))
        self.frame_at += len(payload)
        self.frame_left -= len(payload)

    def endMessage(self):
        if self.state == P.STATE_OPEN:
            self.sendFrame(0)

    @staticmethod
    def header(first, length):
        if length < 126:
            return bytes([first, 0x80 | length])
        if length < 65536:
            return bytes([first, 0x80 | 126]) + struct.pack("!H", length)
        return bytes([first, 0x80 | 127]) + struct.pack("!Q", length)

    def send(self, data, chop=None):
        if not chop and not self.queue:
            self.transport.write(data)
            return
        self.queue += [data[at : at + chop] for at in range(0, len(data), chop)] if chop else [data]
        if self.writer is None or self.writer.done():
            self.writer = self.loop.create_task(self.write_chops())

    async def write_chops(self):
        while self.queue:
            self.transport.write(self.queue[0])
            # Let the piece go out by itself, and answers come in, before the next.
            await asyncio.sleep(0)
            self.queue.pop(0)
