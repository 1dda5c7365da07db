"""The official OpenAI client from PyPI against a running gateway with the agents `main` (echo) and `model` (model.mjs):
judge.py ADDRESS TOKEN"""

import asyncio
import base64
import json
import sys
import time
import urllib.request

import openai
from openai import AsyncOpenAI, OpenAI

base, token = sys.argv[1] + "/v1", sys.argv[2]
client = OpenAI(base_url=base, api_key=token)
results = []


def judged(test):
    """Runs a test and notes what came of it."""
    try:
        outcome = test()
        if asyncio.iscoroutine(outcome):
            asyncio.run(outcome)
        results.append(True)
        print(f"ok      {test.__name__}")
    except Exception as error:  # a test that fails must not hide the others
        results.append(False)
        print(f"FAILED  {test.__name__}: {error!r}")
    return test


def user(text):
    return [{"role": "user", "content": text}]


def get(path):
    """Reads from the gateway's own API."""
    request = urllib.request.Request(sys.argv[1] + path, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def states():
    """The states of all messages, by their text."""
    found = {}
    for session in get("/api/sessions")["sessions"]:
        key = session["key"].replace("%", "%25").replace(":", "%3A")
        for message in get(f"/api/session/{key}/messages")["messages"]:
            found[message["text"]] = message["state"]
    return found


@judged
def the_models_are_listed():
    assert [model.id for model in client.models.list()] == ["main", "model"]
    assert client.models.retrieve("main").owned_by == "frontdesk"


@judged
def an_answer_arrives_whole():
    answer = client.chat.completions.create(model="main", messages=user("!usage hello"))
    assert answer.choices[0].message.content == "hello"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens > 0
    assert answer._request_id.startswith("m"), "the message's id"


@judged
def an_answer_arrives_in_pieces_with_its_usage():
    words = "one two three four " * 10
    stream = client.chat.completions.create(
        model="main", messages=user(f"!slow 10 {words}"), stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert "".join(pieces) == words and len(pieces) > 2, pieces
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"


@judged
def the_helper_for_streams_accepts_the_answer():
    with client.chat.completions.stream(model="main", messages=user("hello")) as stream:
        for _ in stream:
            pass
        assert stream.get_final_completion().choices[0].message.content == "hello"


@judged
def a_failure_of_the_agent_raises_and_is_not_repeated():
    before = len(states())
    try:
        client.chat.completions.create(model="main", messages=user("!fail whole"))
        raise AssertionError("no error")
    except openai.InternalServerError as error:
        assert error.status_code == 502 and error.code == "agent_failed", error
    assert len(states()) == before + 1, "one turn, though the client repeats other errors"


@judged
def a_failure_in_a_stream_raises():
    for text, code in [("!fail in a stream", "agent_failed"), ("!restart other words", "answer_restarted")]:
        try:
            for _ in client.chat.completions.create(model="main", messages=user(text), stream=True):
                pass
            raise AssertionError("no error")
        except openai.APIError as error:
            assert error.code == code, error


@judged
def an_answer_that_is_cut_short_says_why():
    for reason in ["length", "content_filter"]:
        messages = user(f"ends {reason}: so far")
        choice = client.chat.completions.create(model="model", messages=messages).choices[0]
        assert (choice.message.content, choice.finish_reason) == ("so far", reason), choice
        stream = list(client.chat.completions.create(model="model", messages=messages, stream=True))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        assert (text, stream[-1].choices[0].finish_reason) == ("so far", reason), stream


@judged
def an_answer_that_breaks_off_raises_and_is_not_repeated():
    for ends in ["cut", "error"]:
        messages, before = user(f"ends {ends}: so far"), get("/api/status")["totals"]["sessions"]
        try:
            client.chat.completions.create(model="model", messages=messages)
            raise AssertionError("no error")
        except openai.InternalServerError as error:
            assert error.status_code == 502 and error.code == "agent_failed", error
        pieces = []
        try:
            for chunk in client.chat.completions.create(model="model", messages=messages, stream=True):
                pieces.append(chunk.choices[0].delta.content or "")
            raise AssertionError("no error")
        except openai.APIError as error:
            assert error.code == "agent_failed", error
        assert "".join(pieces) == "so far", pieces
        assert get("/api/status")["totals"]["sessions"] == before + 2, "one turn for each request"


@judged
def wrong_requests_raise_what_they_should():
    for error, change in [
        (openai.NotFoundError, {"model": "gpt-4"}),
        (openai.BadRequestError, {"n": 2}),
        (openai.BadRequestError, {"tools": [{"type": "function", "function": {"name": "f"}}]}),
    ]:
        try:
            client.chat.completions.create(**{"model": "main", "messages": user("a"), **change})
            raise AssertionError(f"no error: {change}")
        except error:
            pass
    try:
        OpenAI(base_url=base, api_key="wrong").models.list()
        raise AssertionError("no error")
    except openai.AuthenticationError:
        pass


@judged
def a_chat_is_named_by_a_header():
    chat = {"X-Frontdesk-Chat": "from-python"}
    conversation = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "1"}, *user("two")]
    answer = client.chat.completions.create(model="main", messages=conversation, extra_headers=chat)
    assert answer.choices[0].message.content == "two"


@judged
def a_clients_tool_is_called_and_its_result_goes_back():
    weather = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    messages = user("the weather?")
    first = client.chat.completions.create(model="model", messages=messages, tools=[weather])
    choice = first.choices[0]
    assert choice.finish_reason == "tool_calls" and choice.message.content == "Let me look.", choice
    [call] = choice.message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Oslo"}
    messages += [choice.message, {"role": "tool", "tool_call_id": call.id, "content": "snow"}]
    second = client.chat.completions.create(model="model", messages=messages, tools=[weather])
    assert (second.choices[0].finish_reason, second.choices[0].message.content) == ("stop", "It is snow.")


@judged
def an_image_reaches_the_model():
    image = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(100)).decode()
    content = [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}", "detail": "low"}}]
    answer = client.chat.completions.create(model="model", messages=[{"role": "user", "content": content}])
    assert answer.choices[0].message.content == "I see 1 image"


@judged
async def a_client_that_leaves_cancels_its_turn():
    async with AsyncOpenAI(base_url=base, api_key=token, max_retries=0) as leaving:
        whole = asyncio.create_task(
            leaving.chat.completions.create(model="main", messages=user("!wait 60000 whole")))
        stream = await leaving.chat.completions.create(
            model="main", messages=user("!wait 60000 stream"), stream=True)
        await asyncio.sleep(0.3)
        whole.cancel()
        await stream.close()
    until = time.monotonic() + 10
    while True:
        cancelled = [text for text, state in states().items() if state == "cancelled"]
        if sorted(cancelled) == ["!wait 60000 stream", "!wait 60000 whole"]:
            return
        assert time.monotonic() < until, states()
        await asyncio.sleep(0.1)


print(f"openai {openai.__version__}: {sum(results)} passed, {len(results) - sum(results)} failed")
sys.exit(not all(results))
