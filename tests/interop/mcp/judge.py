"""The official MCP client from PyPI, run by a gateway as an agent's program: judge.py FRONTDESK FOLDER

The prompt `keep` leaves the session's token in FOLDER, and `judge` runs the tests with the tokens that are there. The answer
says which tests failed.
"""

import asyncio
import json
import os
import sys

import httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

program, folder = sys.argv[1], sys.argv[2]
url, token, session = (os.environ["FRONTDESK_" + name] for name in ("MCP_URL", "MCP_TOKEN", "SESSION"))
kept = os.path.join(folder, "token-of-another-session")
tests = []


def test(function):
    tests.append(function)
    return function


def over_http(with_token=None, mode="auto", statuses=None):
    async def note(response):
        if statuses is not None:
            statuses.append(response.status_code)

    headers = {"Authorization": f"Bearer {with_token or token}"}
    http = httpx2.AsyncClient(headers=headers, event_hooks={"response": [note]})
    return Client(streamable_http_client(url, http_client=http), mode=mode)


def over_stdio(mode="auto"):
    env = {name: value for name, value in os.environ.items() if name.startswith("FRONTDESK_MCP_")}
    return Client(stdio_client(StdioServerParameters(command=program, args=["mcp"], env=env)), mode=mode)


async def is_refused(with_token):
    statuses = []
    try:
        async with over_http(with_token, statuses=statuses) as client:
            await client.list_tools()
    except BaseException:  # the client does not tell the status
        return set(statuses) == {401}
    return False


async def judged(client, how):
    async with client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        names = {"send_message", "send_media", "message", "session_status", "gateway", "gateway_status", "cron"}
        assert names <= set(tools), tools.keys()
        assert all(tool.description and tool.input_schema["type"] == "object" for tool in tools.values())
        status = await client.call_tool("session_status")
        assert not status.is_error and json.loads(status.content[0].text)["session"] == session, status
        sent = await client.call_tool("send_message", {"text": f"by the tool, {how}"})
        assert not sent.is_error and "Its id is o" in sent.content[0].text, sent
        offered = await client.call_tool("send_message", {"text": f"choose, {how}", "choices": ["Red", "Blue"]})
        assert not offered.is_error, offered
        # The web channel changes no messages, and the owner is asked before the gateway restarts.
        reacted = await client.call_tool("message", {"action": "react", "emoji": "👍"})
        assert reacted.is_error and "no reactions" in reacted.content[0].text, reacted
        restarted = await client.call_tool("gateway", {"action": "restart"})
        assert not restarted.is_error and "asked to confirm" in restarted.content[0].text, restarted
        for name, wrong in (("send_message", {"text": "x", "to": "web:main"}), ("send_message", {}), ("no_such_tool", {})):
            result = await client.call_tool(name, wrong)
            assert result.is_error and result.content[0].text, result


@test
async def tools_over_http():
    await judged(over_http(), "over HTTP")


@test
async def tools_over_http_for_an_older_client():
    await judged(over_http(mode="legacy"), "over HTTP, older")


@test
async def tools_over_standard_input_and_output():
    await judged(over_stdio(), "over stdio")


@test
async def tools_over_standard_input_and_output_for_an_older_client():
    await judged(over_stdio(mode="legacy"), "over stdio, older")


@test
async def a_wrong_token_is_refused():
    assert await is_refused("wrong")
    assert await is_refused(token[:-2])


@test
async def the_token_of_one_session_is_no_token_of_another():
    other = open(kept).read()
    assert other.split(".")[0] != token.split(".")[0]
    assert await is_refused(other.split(".")[0] + "." + token.split(".")[1])


@test
async def a_token_works_only_while_its_session_is_answered():
    async with over_http(open(kept).read()) as client:
        result = await client.call_tool("send_message", {"text": "into another chat"})
    assert result.is_error and "no answer is under way" in result.content[0].text, result


async def main():
    if sys.stdin.read().strip() == "keep":
        with open(kept, "w") as file:
            file.write(token)
        return "kept"
    failed = []
    for function in tests:
        try:
            await asyncio.wait_for(function(), 30)
        except BaseException as error:  # a test that fails must not hide the others
            failed.append(f"{function.__name__}: {error!r}")
    return "\n".join(failed) or f"all {len(tests)} passed"


print(asyncio.run(main()))
