"""What a bot sends, changes and takes back."""

from telegram import BotCommand, BotCommandScopeChat, InlineKeyboardButton, InlineKeyboardMarkup, InputMediaPhoto
from telegram import ReplyParameters
from telegram.error import BadRequest

from fake import BOT, chat, check, control, data, journal, make, refusal, say, shows, someone
from kinds import unknown


async def html_becomes_entities():
    anna = await someone()
    async with make() as app:
        text = '👍 <b>b <i>i</i></b> <pre><code class="language-py">x</code></pre><a href="https://a.example/">l</a>'
        message = await app.bot.send_message(anna, text, parse_mode="HTML")
    assert message.text == "👍 b i xl" and not unknown(message)
    found = [(entity.type, text) for entity, text in message.parse_entities().items()]
    assert found == [("bold", "b i"), ("italic", "i"), ("pre", "x"), ("text_link", "l")]
    # The SDK names a language without its prefix.
    assert message.text_html == text.replace("language-py", "py")


async def wrong_html_is_refused():
    anna = await someone()
    async with make() as app:
        error = await refusal(BadRequest, app.bot.send_message(anna, "<b>x", parse_mode="HTML"))
    assert error.message == "Can't parse entities: can't find end tag corresponding to start tag \"b\""


async def texts_have_a_limit():
    anna = await someone()
    async with make() as app:
        await app.bot.send_message(anna, "x" * 4096)
        assert (await refusal(BadRequest, app.bot.send_message(anna, "x" * 4097))).message == "Message is too long"
        await refusal(BadRequest, app.bot.send_message(anna, ""))
        error = await refusal(BadRequest, app.bot.send_photo(anna, b"x", caption="x" * 1025))
        assert error.message == "Message caption is too long"


async def edits_and_deletions():
    anna = await someone()
    async with make() as app:
        message = await app.bot.send_message(anna, "one")
        edited = await message.edit_text("two")
        assert edited.edit_date
        error = await refusal(BadRequest, message.edit_text("two"))
        assert error.message.startswith("Message is not modified: specified new message content")
        keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y")]])
        assert (await message.edit_reply_markup(keyboard)).reply_markup == keyboard
        await message.delete()
        assert (await refusal(BadRequest, message.edit_text("three"))).message == "Message to edit not found"
        assert (await refusal(BadRequest, message.delete())).message == "Message to delete not found"


async def buttons_are_answered():
    anna = await someone()
    async with make() as app:
        keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y")]])
        message = await app.bot.send_message(anna, "Well?", reply_markup=keyboard)
        pressed = await control("press", chat=anna, user=anna, message_id=message.message_id, button="y")
        assert await app.bot.answer_callback_query(pressed["query_id"], "Thanks", show_alert=True)
        error = await refusal(BadRequest, app.bot.answer_callback_query("7"))
        assert error.message == "Query is too old and response timeout expired or query id is invalid"


async def files_go_up_and_down():
    anna = await someone()
    content = bytes(range(256)) * 500
    async with make() as app:
        for send in ("photo", "document", "audio", "video", "voice", "animation", "sticker", "video_note"):
            message = await getattr(app.bot, f"send_{send}")(anna, content)
            assert not unknown(message), unknown(message)
            attachment = message.effective_attachment
            attachment = attachment[-1] if isinstance(attachment, tuple) else attachment
            file = await app.bot.get_file(attachment)
            assert bytes(await file.download_as_bytearray()) == content, send
            again = await getattr(app.bot, f"send_{send}")(anna, attachment.file_id)
            assert again.message_id == message.message_id + 1
        await say(anna, attachment={"document": data(b"x", size=21 << 20)})
        big = (await shows(anna))[-1]["message"]["document"]["file_id"]
        assert (await refusal(BadRequest, app.bot.get_file(big))).message == "File is too big"


async def albums():
    anna = await someone()
    async with make() as app:
        media = [InputMediaPhoto(b"one", caption="1"), InputMediaPhoto(b"two", caption="<b>2</b>", parse_mode="HTML")]
        messages = await app.bot.send_media_group(anna, media)
    assert len({message.media_group_id for message in messages}) == 1
    assert [message.caption for message in messages] == ["1", "2"]
    assert messages[1].caption_entities[0].type == "bold"


async def replies_and_reactions():
    anna = await someone()
    first = (await say(anna, "the first words"))["message_id"]
    async with make() as app:
        reply = await app.bot.send_message(anna, "re", reply_parameters=ReplyParameters(first, quote="words"))
        assert reply.reply_to_message.message_id == first and reply.quote.position == 10
        error = await refusal(BadRequest, app.bot.send_message(anna, "re", reply_to_message_id=9999))
        assert error.message == "Message to be replied not found"
        await app.bot.set_message_reaction(anna, first, "👍")
        assert (await shows(anna))[0]["reactions"] == [] and (await shows(anna))[1]["reactions"] == [[BOT, "👍"]]
        assert (await refusal(BadRequest, app.bot.set_message_reaction(anna, first, "x"))).message == "Reaction_invalid"


async def actions_and_drafts():
    anna = await someone()
    async with make() as app:
        assert await app.bot.send_chat_action(anna, "typing")
        assert await app.bot.send_message_draft(anna, 5, "<b>grow</b>", parse_mode="HTML")
        await refusal(BadRequest, app.bot.send_message_draft(anna, 0, "x"))
    methods = [call["method"] for call in (await journal(anna))["calls"]]
    assert methods.count("sendMessageDraft") == 2


async def commands_by_scope_and_language():
    anna = await someone()
    async with make() as app:
        await app.bot.set_my_commands([BotCommand("new", "Begin anew")])
        await app.bot.set_my_commands([BotCommand("neu", "Neu")], BotCommandScopeChat(anna), "de")
        assert [command.command for command in await app.bot.get_my_commands()] == ["new"]
        assert [command.command for command in await app.bot.get_my_commands(BotCommandScopeChat(anna), "de")] == ["neu"]
        await refusal(BadRequest, app.bot.set_my_commands([BotCommand("Not-good", "x")]))
        await app.bot.delete_my_commands()
        assert await app.bot.get_my_commands() == ()


async def chats_members_and_pins():
    anna, group = await someone(), await chat("supergroup", admin=True)
    await control("join", chat=group, user=anna)
    async with make() as app:
        full = await app.bot.get_chat(group)
        assert full.title == "The supergroup" and not unknown(full), unknown(full)
        assert (await app.bot.get_chat(anna)).first_name == "Anna"
        assert (await app.bot.get_chat_member(group, anna)).status == "member"
        admins = await app.bot.get_chat_administrators(group)
        assert [admin.user.id for admin in admins] == [BOT]
        message = await app.bot.send_message(group, "pin me")
        assert await message.pin()
        assert (await app.bot.get_chat(group)).pinned_message.message_id == message.message_id
        assert await message.unpin()
        topics = await chat("forum", admin=True)
        topic = await app.bot.create_forum_topic(topics, "Plans")
        said = await app.bot.send_message(topics, "hi", message_thread_id=topic.message_thread_id)
        assert said.is_topic_message
        assert await app.bot.leave_chat(group)


async def judge():
    for test in (
        html_becomes_entities,
        wrong_html_is_refused,
        texts_have_a_limit,
        edits_and_deletions,
        buttons_are_answered,
        files_go_up_and_down,
        albums,
        replies_and_reactions,
        actions_and_drafts,
        commands_by_scope_and_language,
        chats_members_and_pins,
    ):
        await check(test)
