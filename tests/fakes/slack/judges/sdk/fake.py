"""The fake server's control plane, and a list of checks with a verdict at the end."""

import json
import os
import sys
import time
import traceback
import urllib.error
import urllib.request

# The SDK would ask a proxy for this machine.
for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
    os.environ.pop(name, None)

from slack_sdk import WebClient  # noqa: E402
from slack_sdk.errors import SlackApiError  # noqa: E402

URL = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8083"
APP = "A0000FRONT"
APP_TOKEN = "xapp-1-A0000FRONT-1-test"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TOKEN = "xoxb-1-first-test"
OTHER_TOKEN = "xoxb-2-other-test"
TEAM, OTHER_TEAM = "T0000FIRST", "T0000OTHER"
BOT = "U0000FRONT"

verdicts = {"passed": 0, "failed": 0}


def make(token=TOKEN):
    """A client that repeats nothing by itself."""
    return WebClient(token, base_url=f"{URL}/api/", retry_handlers=[])


def control(act, **body):
    request = urllib.request.Request(f"{URL}/control/{act}", data=json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{act}: {error.read().decode()}") from error


def look(path):
    with urllib.request.urlopen(f"{URL}/control/{path}") as answer:
        return json.load(answer)


def shows(channel):
    return look(f"chat?chat={channel}")["messages"]


def open_sockets():
    return look(f"chat?chat={APP}")["sockets"]


def delivery(number):
    return next(one for one in look("journal")["deliveries"] if one["update_id"] == number)


def say(user, text="", **more):
    return control("say", **{"channel": user, "user": user, "text": text, **more})


def someone(name="Anna", **more):
    return control("user", name=name, **more)["id"]


def channel(members, **more):
    return control("channel", **{"name": "garden", "members": members, **more})["id"]


def until(what, test, seconds=10):
    end = time.monotonic() + seconds
    while True:
        found = test()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen")
        time.sleep(0.01)


def refused(error, call, **arguments):
    """The response of a call that must be refused with this error."""
    try:
        call(**arguments)
    except SlackApiError as refusal:
        assert refusal.response["error"] == error, refusal.response
        return refusal.response
    raise AssertionError(f"no {error}")


def check(test):
    """Runs one check; its name is what it says."""
    try:
        control("clear_faults")
        control("forget")
        test()
        verdicts["passed"] += 1
    except Exception:  # noqa: BLE001 - whatever it is, the check has failed
        verdicts["failed"] += 1
        print(f"FAILED {test.__name__.replace('_', ' ')}\n{traceback.format_exc()}", file=sys.stderr)


def verdict():
    print(f"{verdicts['passed']} passed, {verdicts['failed']} failed")
    return 0 if verdicts["passed"] and not verdicts["failed"] else 1


def leave(code):
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
