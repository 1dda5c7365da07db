"""slack_sdk against the fake server: sdk.py http://127.0.0.1:8083"""

import logging
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "sdk"))

import addresses  # noqa: E402
import calls  # noqa: E402
import fake  # noqa: E402
import sockets  # noqa: E402


def give_up():
    print("the judge did not come to an end", file=sys.stderr, flush=True)
    fake.leave(2)


# The SDK logs each fault that it is meant to meet.
logging.disable(logging.CRITICAL)
# A judge that hangs has judged.
clock = threading.Timer(240, give_up)
clock.daemon = True
clock.start()
for part in (calls, sockets, addresses):
    part.judge()
# Threads of the SDK may still wait for a socket.
fake.leave(fake.verdict())
