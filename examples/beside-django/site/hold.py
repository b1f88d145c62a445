"""Runs a program for as long as somebody holds this script's standard input open, and ends it then.

So no server is left behind, however the program that started it came to its end.
"""

import signal
import subprocess
import sys
import threading

program = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)


def end(*_):
    program.terminate()


def watch():
    sys.stdin.buffer.read()
    end()
    try:
        program.wait(timeout=5)
    except subprocess.TimeoutExpired:
        program.kill()


signal.signal(signal.SIGTERM, end)
threading.Thread(target=watch, daemon=True).start()
sys.exit(program.wait())
