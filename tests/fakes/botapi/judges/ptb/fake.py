"""The fake server's control plane, and a list of checks with a verdict at the end."""

import asyncio
import base64
import itertools
import sys
import time
import traceback

import httpx
from telegram.ext import AIORateLimiter, Application

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8081"
TOKEN = "123456:TEST-token"
BOT = 123456

client = httpx.AsyncClient(trust_env=False)
numbers = itertools.count(20_000)
verdicts = {"passed": 0, "failed": 0}


def make(rate_limiter=False):
    """An application that talks to the fake server."""
    builder = Application.builder().token(TOKEN)
    builder = builder.base_url(f"{URL}/bot").base_file_url(f"{URL}/file/bot")
    if rate_limiter:
        builder = builder.rate_limiter(AIORateLimiter(max_retries=3))
    return builder.build()


async def control(act, **body):
    answer = await client.post(f"{URL}/control/{act}", json=body)
    if answer.status_code != 200:
        raise AssertionError(f"{act}: {answer.json()['error']}")
    return answer.json()


async def shows(chat):
    return (await client.get(f"{URL}/control/chat", params={"chat": chat})).json()


async def journal(chat=None):
    return (await client.get(f"{URL}/control/journal", params={"chat": chat} if chat else {})).json()


async def say(user, text=None, **more):
    return await control("say", **{"chat": user, "from": user, "text": text, **more})


async def forget():
    await client.get(f"{URL}/bot{TOKEN}/deleteWebhook", params={"drop_pending_updates": "true"})


async def someone(name="Anna", starts=True):
    """Somebody new, with a private chat."""
    number = next(numbers)
    await control("user", id=number, name=name, username=f"user_{number}")
    if starts:
        await say(number, "/hello")
        await forget()
    return number


async def chat(kind, **more):
    number = -next(numbers) if kind == "group" else -1_000_000_000_000 - next(numbers)
    await control("new_chat", id=number, kind=kind, title=f"The {kind}", **more)
    return number


def data(content, **more):
    return {"base64": base64.b64encode(content).decode(), **more}


async def until(what, test, seconds=8):
    end = time.monotonic() + seconds
    while True:
        found = test()
        found = await found if asyncio.iscoroutine(found) else found
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen")
        await asyncio.sleep(0.01)


async def check(test):
    """Runs one check; its name is what it says."""
    try:
        await control("clear_faults")
        await asyncio.wait_for(test(), 40)
        verdicts["passed"] += 1
    except Exception:  # noqa: BLE001 - whatever it is, the check has failed
        verdicts["failed"] += 1
        print(f"FAILED {test.__name__.replace('_', ' ')}\n{traceback.format_exc()}", file=sys.stderr)


async def refusal(kind, awaitable):
    """The exception that the SDK makes of a refusal."""
    try:
        await awaitable
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def verdict():
    print(f"{verdicts['passed']} passed, {verdicts['failed']} failed")
    return 0 if verdicts["passed"] and not verdicts["failed"] else 1
