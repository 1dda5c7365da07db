"""python-telegram-bot against the fake server: ptb.py http://127.0.0.1:8081"""

import asyncio
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "ptb"))

import fake  # noqa: E402
import kinds  # noqa: E402
import polling  # noqa: E402
import refusals  # noqa: E402
import sending  # noqa: E402
import webhooks  # noqa: E402


async def main() -> int:
    for part in (polling, kinds, sending, refusals, webhooks):
        await part.judge()
    return fake.verdict()


# The SDK logs each fault that it is meant to meet.
logging.disable(logging.CRITICAL)
# A judge that hangs has judged.
sys.exit(asyncio.run(asyncio.wait_for(main(), 240)))
