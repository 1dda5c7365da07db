"""The SDK's own webhook server."""

import socket

from telegram import Update
from telegram.error import Conflict
from telegram.ext import MessageHandler, filters

from fake import check, control, forget, make, refusal, say, someone, until


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


async def updates_come_to_the_webhook_with_its_secret():
    anna = await someone()
    app, port, heard = make(), free_port(), []

    async def hear(update, _):
        heard.append(update.message.text)

    app.add_handler(MessageHandler(filters.TEXT, hear))
    await say(anna, "before")
    async with app:
        await app.start()
        await app.updater.start_webhook(
            listen="127.0.0.1", port=port, url_path="hook", webhook_url=f"http://127.0.0.1:{port}/hook",
            secret_token="a_secret-1", allowed_updates=Update.ALL_TYPES, max_connections=3,
        )
        await say(anna, "after")
        await until("both", lambda: len(heard) == 2)
        info = await app.bot.get_webhook_info()
        assert info.url.endswith("/hook") and info.max_connections == 3 and not info.has_custom_certificate
        assert set(info.allowed_updates) == set(Update.ALL_TYPES)
        await refusal(Conflict, app.bot.get_updates())
        await app.updater.stop()
        await app.bot.delete_webhook()
        await app.stop()
    assert heard == ["before", "after"]


async def a_webhook_that_is_down_is_tried_again():
    anna = await someone()
    app, port, heard = make(), free_port(), []

    async def hear(update, _):
        heard.append(update.message.text)

    app.add_handler(MessageHandler(filters.TEXT, hear))
    async with app:
        await app.bot.set_webhook(f"http://127.0.0.1:{port}/hook", secret_token="s")
        await say(anna, "waits")

        async def failed():
            return (await app.bot.get_webhook_info()).last_error_message

        await until("an error", failed)
        assert (await app.bot.get_webhook_info()).pending_update_count == 1
        await app.start()
        await app.updater.start_webhook(
            listen="127.0.0.1", port=port, url_path="hook", webhook_url=f"http://127.0.0.1:{port}/hook", secret_token="s"
        )

        async def arrived():
            await control("advance", seconds=1)
            return heard

        await until("the delivery", arrived)
        await app.updater.stop()
        await app.stop()
        assert await app.bot.delete_webhook()
        assert await app.bot.get_updates() == ()
    assert heard == ["waits"]


async def judge():
    for test in (updates_come_to_the_webhook_with_its_secret, a_webhook_that_is_down_is_tried_again):
        await forget()
        await check(test)
    await forget()
