"""Every kind of update, as the SDK reads it: a field that is missing or unknown shows here."""

from telegram import Message, Update
from telegram.ext import TypeHandler, filters

from fake import BOT, chat, check, control, data, forget, make, say, someone, until
from polling import running


def unknown(thing, path="update"):
    """Fields that the SDK put aside because its types do not have them."""
    found = [f"{path}.{name}" for name in getattr(thing, "api_kwargs", {})]
    for name in getattr(thing, "__slots__", ()) if hasattr(thing, "to_dict") else ():
        found += unknown(getattr(thing, name, None), f"{path}.{name}")
    if isinstance(thing, (list, tuple)):
        for part in thing:
            found += unknown(part, path)
    return found


# The server still sends these, and the SDK no longer has them; a small group says the last two of itself.
LEFT_OVER = (
    "new_chat_member",
    "new_chat_participant",
    "left_chat_participant",
    "all_members_are_administrators",
    "accepted_gift_types",
)


async def hear(filter_, act):
    """The update that an act makes, seen through a filter."""
    await forget()
    app = make()
    heard = []

    async def note(update, _):
        heard.append(update)

    app.add_handler(TypeHandler(Update, note))
    async with running(app):
        await act()
        await until("an update", lambda: heard)
    update = heard[0]
    strange = [name for name in unknown(update) if not name.endswith(LEFT_OVER)]
    assert not strange, strange
    if filter_ is not None:
        assert filter_.check_update(update), f"{filter_}: {update}"
    return update


async def attached(filter_, attachment, text=None):
    anna = await someone()
    return await hear(filter_, lambda: say(anna, text, attachment=attachment))


async def every_kind_of_attachment():
    file = data(b"bytes", name="a.bin")
    for filter_, attachment in (
        (filters.PHOTO, {"photo": file}),
        (filters.Document.ALL, {"document": file}),
        (filters.VOICE, {"voice": file}),
        (filters.AUDIO, {"audio": file}),
        (filters.VIDEO, {"video": file}),
        (filters.ANIMATION, {"animation": file}),
        (filters.Sticker.ALL, {"sticker": file}),
        (filters.VIDEO_NOTE, {"video_note": file}),
        (filters.LOCATION, {"location": {"latitude": 1.5, "longitude": 2.5}}),
        (filters.CONTACT, {"contact": {"phone_number": "+49", "first_name": "B"}}),
        (filters.POLL, {"poll": {"question": "Why?", "options": ["a", "b"]}}),
    ):
        update = await attached(filter_, attachment)
        assert update.message.effective_attachment


async def captions_commands_and_links():
    update = await attached(filters.CAPTION, {"photo": data(b"x")}, "see @user_1 and https://a.example/x")
    found = update.message.parse_caption_entities()
    assert sorted(found.values()) == ["@user_1", "https://a.example/x"]
    anna = await someone()
    update = await hear(filters.COMMAND, lambda: say(anna, "/new 👍"))
    assert list(update.message.parse_entities().values()) == ["/new"]


async def edits_replies_quotes_and_forwards():
    anna = await someone()
    first = (await say(anna, "the first words"))["message_id"]
    update = await hear(filters.UpdateType.EDITED_MESSAGE, lambda: control("edit", chat=anna, message_id=first, text="first"))
    assert update.edited_message.text == "first"
    update = await hear(filters.REPLY, lambda: say(anna, "re", reply_to=first, quote="first"))
    assert update.message.reply_to_message.text == "first" and update.message.quote.text == "first"
    update = await hear(filters.FORWARDED, lambda: say(anna, "fwd", forward={"user": anna}))
    assert update.message.forward_origin.sender_user.id == anna
    await hear(filters.FORWARDED, lambda: say(anna, "fwd", forward={"hidden": "B"}))


async def reactions():
    anna = await someone()
    message = (await say(anna, "hello"))["message_id"]
    update = await hear(None, lambda: control("react", chat=anna, user=anna, message_id=message, emoji=["👍"]))
    reaction = update.message_reaction
    assert [kind.emoji for kind in reaction.new_reaction] == ["👍"] and reaction.user.id == anna


async def pressed_buttons():
    anna = await someone()
    async with make() as app:
        keyboard = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
        sent = await app.bot.send_message(anna, "Well?", reply_markup=keyboard)
    press = lambda: control("press", chat=anna, user=anna, message_id=sent.message_id, button="Yes")  # noqa: E731
    update = await hear(None, press)
    query = update.callback_query
    assert query.data == "y" and isinstance(query.message, Message) and query.chat_instance


async def topics_of_a_forum():
    anna, forum = await someone(), await chat("forum", admin=True)
    update = await hear(
        filters.StatusUpdate.FORUM_TOPIC_CREATED, lambda: control("topic", chat=forum, user=anna, name="Plans")
    )
    thread = update.message.message_thread_id
    update = await hear(filters.IS_TOPIC_MESSAGE, lambda: say(anna, "hi", chat=forum, thread=thread))
    assert update.message.reply_to_message.forum_topic_created.name == "Plans"


async def channels_and_those_who_write_as_chats():
    anna, channel = await someone(), await chat("channel")
    group = await chat("supergroup", linked=channel)
    update = await hear(filters.UpdateType.CHANNEL_POST, lambda: control("say", chat=channel, text="news"))
    assert update.channel_post.from_user is None and update.effective_chat.type == "channel"
    post = update.channel_post.message_id
    await hear(filters.UpdateType.EDITED_CHANNEL_POST, lambda: control("edit", chat=channel, message_id=post, text="no"))
    carry = {"chat": group, "from": 777000, "as_chat": channel, "automatic": True, "forward": {"channel": [channel, post]}}
    await hear(filters.IS_AUTOMATIC_FORWARD, lambda: control("say", text="news", **carry))
    update = await hear(filters.SenderChat.SUPER_GROUP, lambda: say(anna, "hi", chat=group, as_chat=group))
    assert update.message.from_user.id == 1087968824


async def members_come_and_go():
    anna, bert = await someone(), await someone("Bert")
    update = await hear(None, lambda: control("block", user=anna))
    assert update.my_chat_member.new_chat_member.status == "kicked"
    group = await chat("group")
    update = await hear(filters.StatusUpdate.NEW_CHAT_MEMBERS, lambda: control("join", chat=group, user=bert))
    assert [user.id for user in update.message.new_chat_members] == [bert]
    await hear(filters.StatusUpdate.LEFT_CHAT_MEMBER, lambda: control("part", chat=group, user=bert))
    admin = await chat("supergroup", admin=True)
    update = await hear(None, lambda: control("stand", chat=admin, user=anna, standing="administrator"))
    assert update.chat_member.new_chat_member.can_delete_messages
    empty = await chat("supergroup", empty=True)
    update = await hear(None, lambda: control("join", chat=empty, user=BOT, by=anna))
    assert update.my_chat_member.new_chat_member.status == "member"


async def a_group_becomes_a_supergroup():
    group = await chat("group")
    move = lambda: control("migrate", chat=group, to=group - 1_000_000_300_000)  # noqa: E731
    update = await hear(filters.StatusUpdate.MIGRATE, move)
    assert update.message.migrate_to_chat_id == group - 1_000_000_300_000


async def judge():
    for test in (
        every_kind_of_attachment,
        captions_commands_and_links,
        edits_replies_quotes_and_forwards,
        reactions,
        pressed_buttons,
        topics_of_a_forum,
        channels_and_those_who_write_as_chats,
        members_come_and_go,
        a_group_becomes_a_supergroup,
    ):
        await check(test)
