"""What the server refuses, as the SDK's exceptions."""

import time

from telegram.error import BadRequest, ChatMigrated, EndPointNotFound, Forbidden, NetworkError, RetryAfter, TimedOut

from fake import BOT, chat, check, control, journal, make, refusal, shows, someone


async def who_cannot_be_written_to():
    anna, stranger = await someone(), await someone("Stranger", starts=False)
    async with make() as app:
        send = app.bot.send_message
        assert (await refusal(BadRequest, send(123_456_789, "x"))).message == "Chat not found"
        error = await refusal(Forbidden, send(stranger, "x"))
        assert error.message == "Forbidden: bot can't initiate conversation with a user"
        await control("block", user=anna)
        assert (await refusal(Forbidden, send(anna, "x"))).message == "Forbidden: bot was blocked by the user"
        await control("unblock", user=anna)
        await send(anna, "x")
        await control("deactivate", user=anna)
        assert (await refusal(Forbidden, send(anna, "x"))).message == "Forbidden: user is deactivated"
        group = await chat("supergroup")
        await control("part", chat=group, user=BOT, by=stranger)
        error = await refusal(Forbidden, send(group, "x"))
        assert error.message == "Forbidden: bot was kicked from the supergroup chat"


async def a_group_that_has_moved():
    group = await chat("group")
    to = group - 1_000_000_400_000
    await control("migrate", chat=group, to=to)
    async with make() as app:
        error = await refusal(ChatMigrated, app.bot.send_message(group, "x"))
        assert error.new_chat_id == to
        await app.bot.send_message(to, "x")


async def topics_that_are_not_there():
    forum = await chat("forum")
    async with make() as app:
        error = await refusal(BadRequest, app.bot.send_message(forum, "x", message_thread_id=77))
        assert error.message == "Message thread not found"


async def too_many_requests():
    anna = await someone()
    await control("fault", kind={"too_many": 7}, times=1, chat=anna)
    async with make() as app:
        error = await refusal(RetryAfter, app.bot.send_message(anna, "x"))
        seconds = error.retry_after if isinstance(error.retry_after, int) else error.retry_after.total_seconds()
        assert seconds == 7
        await app.bot.send_message(anna, "x")


async def the_rate_limiter_waits_and_tries_again():
    anna = await someone()
    await control("fault", kind={"too_many": 1}, times=2, chat=anna)
    began = time.monotonic()
    async with make(rate_limiter=True) as app:
        await app.bot.send_message(anna, "patience")
    assert time.monotonic() - began >= 2
    assert [message["text"] for message in await shows(anna)][-1] == "patience"
    assert len((await journal(anna))["calls"]) == 3


async def the_proxy_and_the_network():
    anna = await someone()
    async with make() as app:
        for kind in ({"status": 502}, "hangup", "lost", {"refuse": [500, "Internal Server Error"]}):
            await control("fault", kind=kind, times=1, chat=anna)
            await refusal(NetworkError, app.bot.send_message(anna, f"{kind}"))
        await control("fault", kind={"slow": 3000}, times=1, chat=anna)
        await refusal(TimedOut, app.bot.send_message(anna, "slow", read_timeout=0.5))
        await app.bot.send_message(anna, "fine")
    said = [message["text"] for message in await shows(anna)]
    assert said[1:] == ["lost", "slow", "fine"], said


async def a_method_that_is_none():
    async with make() as app:
        await refusal(EndPointNotFound, app.bot.do_api_request("sendNonsense"))


async def judge():
    for test in (
        who_cannot_be_written_to,
        a_group_that_has_moved,
        topics_that_are_not_there,
        too_many_requests,
        the_rate_limiter_waits_and_tries_again,
        the_proxy_and_the_network,
        a_method_that_is_none,
    ):
        await check(test)
