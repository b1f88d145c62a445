"""Runs Autobahn's cases against a WebSocket server that echoes, and writes what each came to as JSON.

    run.py PACKAGE URL OUTDIR GROUP...      a group is "7", "7.1" or "7.1.3"
"""

import asyncio
import json
import os
import sys
import time
from urllib.parse import urlsplit

import cases
from client import Client

# The long ones of groups 9, 12 and 13 set limits of their own of up to 480 s; this ends what even those do not.
LIMIT_SECONDS = 500


async def run_case(number, case, url):
    parts = urlsplit(url)
    path = parts.path or "/"
    wants_bytes = number.startswith(("12.", "13."))
    started = time.monotonic()
    _, client = await asyncio.get_running_loop().create_connection(
        lambda: Client(case, parts.netloc, path, wants_bytes), parts.hostname, parts.port or 80)
    try:
        await asyncio.wait_for(asyncio.shield(client.done), LIMIT_SECONDS)
    except asyncio.TimeoutError:
        client.violation = "the case did not end"
        client.drop()
        await client.done
    case = client.case
    return {
        "behavior": case.behavior,
        "behaviorClose": case.behaviorClose,
        "duration": round(1000 * (time.monotonic() - started)),
        "remoteCloseCode": client.remoteCloseCode,
        "violation": client.violation,
        "description": case.DESCRIPTION,
        "expectation": case.EXPECTATION,
        "result": case.result,
        "resultClose": case.resultClose,
        "received": [repr(event)[:200] for event in case.received],
    }


async def main(package, url, outdir, groups):
    # A mistake in a case or in the client must not pass for a finding about the server.
    broken = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: broken.append(context))
    reports = {}
    for number, case in cases.load(package).items():
        if any(number == group or number.startswith(group + ".") for group in groups):
            reports[number] = await run_case(number, case, url)
            for context in broken:
                raise RuntimeError(f"case {number} broke: {context['message']}") from context.get("exception")
    os.makedirs(outdir, exist_ok=True)
    with open(os.path.join(outdir, "index.json"), "w", encoding="utf-8") as file:
        json.dump({"server": reports}, file, indent=1)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))
