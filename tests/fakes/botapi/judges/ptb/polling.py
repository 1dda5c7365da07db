"""Long polling: handlers, offsets, restarts, conflicts."""

import asyncio
import contextlib

from telegram import Bot, Update
from telegram.error import Conflict, InvalidToken
from telegram.ext import CommandHandler, MessageHandler, filters

from fake import TOKEN, URL, check, control, forget, journal, make, refusal, say, shows, someone, until


@contextlib.asynccontextmanager
async def running(app, **more):
    """The application polls meanwhile."""
    errors = []

    async def note(_, context):
        errors.append(context.error)

    app.add_error_handler(note)
    async with app:
        await app.start()
        await app.updater.start_polling(timeout=5, allowed_updates=Update.ALL_TYPES, **more)
        try:
            yield app
        finally:
            await app.updater.stop()
            await app.stop()
    assert not errors, errors


def texts(app):
    heard = []

    async def hear(update, _):
        heard.append(update.effective_message.text)

    app.add_handler(MessageHandler(filters.TEXT, hear))
    return heard


async def a_bot_knows_itself():
    async with make() as app:
        assert app.bot.username == "frontdesk_bot"
        me = await app.bot.get_me()
        assert me.is_bot and me.can_join_groups and me.can_read_all_group_messages is not None


async def a_command_reaches_its_handler():
    anna = await someone()
    app = make()
    heard = []

    async def new(update, context):
        heard.append(context.args)
        await update.message.reply_html(f"<b>{update.effective_user.first_name}</b>, {' '.join(context.args)}")

    app.add_handler(CommandHandler("new", new))
    async with running(app):
        await say(anna, "/new one two")
        await say(anna, "/new@frontdesk_bot three")
        await say(anna, "/new@other_bot four")
        await until("two answers", lambda: len(heard) == 2)
        await until("the last", shown_at_the_end(anna, "Anna, three"))
    assert heard == [["one", "two"], ["three"]]


def shown_at_the_end(chat, text):
    async def look():
        return (await shows(chat))[-1]["text"] == text

    return look


async def what_comes_while_the_bot_is_away_waits():
    anna = await someone()
    everything = []
    for batch in (["1"], ["2", "3", "4"], ["5", "6"]):
        app = make()
        heard = texts(app)
        for text in batch[:-1]:
            await say(anna, text)
        async with running(app):
            await say(anna, batch[-1])
            await until("the batch", lambda: len(heard) >= len(batch))
        everything += heard
    assert everything == ["1", "2", "3", "4", "5", "6"], everything
    assert (await journal())["unconfirmed"] == 0


async def an_update_comes_again_until_an_offset_confirms_it():
    anna = await someone()
    sent = await say(anna, "hello")
    async with make() as app:
        first, again = await app.bot.get_updates(), await app.bot.get_updates()
        assert [update.update_id for update in first] == [update.update_id for update in again] == [sent["update_id"]]
        assert await app.bot.get_updates(offset=sent["update_id"] + 1) == ()


async def a_second_poller_ends_the_first():
    await someone()
    await control("advance", seconds=5)
    async with make() as app, make() as other:
        first = asyncio.ensure_future(app.bot.get_updates(timeout=10))
        await asyncio.sleep(0.1)
        second = asyncio.ensure_future(other.bot.get_updates(timeout=1))
        error = await refusal(Conflict, first)
        assert "terminated by other getUpdates request" in error.message
        assert await second == ()


async def pending_updates_can_be_dropped_at_the_start():
    anna = await someone()
    await say(anna, "old")
    app = make()
    heard = texts(app)
    async with running(app, drop_pending_updates=True):
        await say(anna, "new")
        await until("the new one", lambda: heard)
    assert heard == ["new"]


async def an_update_that_is_malformed_does_not_stop_the_sdk():
    anna = await someone()
    app = make()
    heard = texts(app)
    async with running(app):
        await control("garbage", fields='"something_new":{"a":1}')
        await say(anna, "after it")
        await until("the message", lambda: heard)


async def a_wrong_token_is_no_bot():
    bot = Bot("999:wrong", base_url=f"{URL}/bot")
    await refusal(InvalidToken, bot.initialize())
    assert TOKEN != bot.token


async def judge():
    for test in (
        a_bot_knows_itself,
        a_command_reaches_its_handler,
        what_comes_while_the_bot_is_away_waits,
        an_update_comes_again_until_an_offset_confirms_it,
        a_second_poller_ends_the_first,
        pending_updates_can_be_dropped_at_the_start,
        an_update_that_is_malformed_does_not_stop_the_sdk,
        a_wrong_token_is_no_bot,
    ):
        await forget()
        await check(test)
