"""Loads the cases of Autobahn's test suite, which are Python 2, into Python 3.

The package's own runner needs Python 2.7, which current systems no longer carry; its cases need only little. In Python 2 a
text is a string of bytes. So each module is read as Latin-1, where a character is a byte of the same number, and the few
words that Python 3 lacks are put in place. What talks to the server (client.py) takes such texts as the bytes that they are.
"""

import builtins
import codecs
import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import sys
import types

# What Python 3 cannot read, and what it would read otherwise.
REWRITES = [
    (re.compile(r"^from case9_9_1 import \*$", re.M), ""),  # not in the suite's list, and in need of Twisted
    (re.compile(r"^(\s*)print\b.*$", re.M), r"\1pass"),
    (re.compile(r"\(object, Case, \)"), "(Case, )"),
    (re.compile(r"binascii\.(b2a_hex|hexlify)\("), "hex_of("),
    (re.compile(r"len\(self\.payload\) / self\.p"), "len(self.payload) // self.p"),
]


class Utf8Validator:
    """As much of autobahn's validator as the cases use to build themselves."""

    def reset(self):
        self.decoder = codecs.getincrementaldecoder("utf-8")()

    def validate(self, text):
        try:
            self.decoder.decode(text.encode("latin-1"))
        except UnicodeDecodeError:
            return False, False
        return True, self.decoder.getstate()[0] == b""


class WebSocketProtocol:
    STATE_CLOSED, STATE_CONNECTING, STATE_CLOSING, STATE_OPEN = range(4)
    CLOSE_STATUS_CODE_NORMAL = 1000
    CLOSE_STATUS_CODE_PROTOCOL_ERROR = 1002
    CLOSE_STATUS_CODE_INVALID_PAYLOAD = 1007


class PerMessageDeflateOffer:
    def __init__(self, requestNoContextTakeover=False, requestMaxWindowBits=0):
        self.requestNoContextTakeover = requestNoContextTakeover
        self.requestMaxWindowBits = requestMaxWindowBits

    def header(self):
        text = "permessage-deflate; client_no_context_takeover; client_max_window_bits"
        if self.requestNoContextTakeover:
            text += "; server_no_context_takeover"
        if self.requestMaxWindowBits:
            text += f"; server_max_window_bits={self.requestMaxWindowBits}"
        return text


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of the cases' folder, which import one another by their bare names."""

    def __init__(self, folder):
        self.folder = folder

    def find_spec(self, name, path=None, target=None):
        file = os.path.join(self.folder, name + ".py")
        if not re.fullmatch(r"case\w*", name) or not os.path.exists(file):
            return None
        return importlib.util.spec_from_file_location(name, file, loader=self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        run(module.__spec__.origin, module.__dict__)


def run(file, names):
    with open(file, encoding="latin-1") as source:
        text = source.read()
    for pattern, replacement in REWRITES:
        text = pattern.sub(replacement, text)
    exec(compile(text, file, "exec"), names)


def hex_of(text):
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    return data.hex()


def stand_in(name, **members):
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module


def load(package):
    """The case classes in the package at this path, by their number, in the order of the suite."""
    builtins.xrange, builtins.unichr, builtins.hex_of = range, chr, hex_of
    stand_in("autobahn")
    stand_in("autobahn.websocket")
    stand_in("autobahn.websocket.protocol", WebSocketProtocol=WebSocketProtocol)
    stand_in("autobahn.websocket.utf8validator", Utf8Validator=Utf8Validator)
    stand_in("autobahn.websocket.compress", PerMessageDeflateOffer=PerMessageDeflateOffer)
    stand_in("pkg_resources", resource_filename=lambda _package, file: os.path.join(package, file))
    folder = os.path.join(package, "case")
    sys.meta_path.insert(0, Finder(folder))
    names = {"__name__": "cases"}
    run(os.path.join(folder, "__init__.py"), names)
    # The original compares pickles, whose bytes depend on which texts happen to be the same object.
    names["Case1_1_1"].__mro__[1].compare = lambda _self, one, other: one == other
    return {case.__name__[len("Case"):].replace("_", "."): case for case in names["Cases"]}
