// Every kind of update, as grammY's filters see it.
import assert from "node:assert/strict";
import { BOT, chat, check, control, forget, say, shows, someone, until } from "../fake.mjs";
import { makeBot, running } from "./polling.mjs";

const data = (text, more = {}) => ({ base64: Buffer.from(text).toString("base64"), ...more });

/** One update that `filter` lets through. */
async function hear(filter, act) {
  await forget();
  const bot = makeBot();
  const heard = [];
  bot.on(filter, (ctx) => void heard.push(ctx));
  bot.use((ctx) => void heard.push(new Error(`not ${filter}: ${JSON.stringify(ctx.update)}`)));
  let sent;
  await running(bot, async () => {
    sent = await act();
    await until(filter, () => heard.length > 0);
  });
  if (heard[0] instanceof Error) throw heard[0];
  return { ctx: heard[0], sent };
}

export async function updates() {
  const anna = await someone("Anna");
  const bert = await someone("Bert");
  const attach = (attachment, text) => control("say", { chat: anna, from: anna, attachment, text });

  await check("entities are found in what people write", async () => {
    const text = "👍 /new @user_1000 https://a.example/x #tag a@b.com";
    const { ctx } = await hear("message:entities", () => say(anna, text));
    const found = ctx.entities().map((entity) => [entity.type, entity.text]);
    assert.deepEqual(found, [
      ["bot_command", "/new"],
      ["mention", "@user_1000"],
      ["url", "https://a.example/x"],
      ["hashtag", "#tag"],
      ["email", "a@b.com"],
    ]);
  });

  const kinds = [
    [":photo", { photo: data("png") }],
    [":document", { document: data("text", { name: "a.txt", mime: "text/plain" }) }],
    [":voice", { voice: data("ogg") }],
    [":audio", { audio: data("mp3", { name: "a.mp3" }) }],
    [":video", { video: data("mp4") }],
    [":animation", { animation: data("gif") }],
    [":sticker", { sticker: data("webp") }],
    [":video_note", { video_note: data("mp4") }],
    [":location", { location: { latitude: 52.5, longitude: 13.4 } }],
    [":contact", { contact: { phone_number: "+49", first_name: "Bert" } }],
    [":poll", { poll: { question: "Why?", options: ["a", "b"] } }],
  ];
  for (const [filter, attachment] of kinds) {
    await check(`a message with${filter}`, async () => {
      await hear(`message${filter}`, () => attach(attachment));
    });
  }

  await check("a caption has entities of its own", async () => {
    const { ctx } = await hear("message:caption_entities", () => attach({ photo: data("png") }, "see @user_1000"));
    assert.equal(ctx.message.caption, "see @user_1000");
    assert.ok(ctx.message.photo.length >= 2, "several sizes");
  });

  await check("an album comes item by item", async () => {
    await forget();
    const bot = makeBot();
    const albums = [];
    bot.on("message:photo", (ctx) => albums.push(ctx.message.media_group_id));
    await running(bot, async () => {
      for (const n of [1, 2]) {
        await control("say", { chat: anna, from: anna, album: "77", attachment: { photo: data(`${n}`) } });
      }
      await until("both", () => albums.length === 2);
    });
    assert.deepEqual(albums, ["77", "77"]);
  });

  await check("an edit", async () => {
    const { message_id } = await say(anna, "helo");
    const act = () => control("edit", { chat: anna, message_id, text: "hello" });
    const { ctx } = await hear("edited_message:text", act);
    assert.equal(ctx.editedMessage.text, "hello");
    assert.ok(ctx.editedMessage.edit_date >= ctx.editedMessage.date);
  });

  await check("a reply, a quote and a forward", async () => {
    const { message_id } = await say(anna, "the first words");
    const reply = () => say(anna, "re", { reply_to: message_id, quote: "first" });
    const { ctx } = await hear("message:text", reply);
    assert.equal(ctx.message.reply_to_message.text, "the first words");
    assert.deepEqual([ctx.message.quote.text, ctx.message.quote.position], ["first", 4]);
    await hear("message:forward_origin:user", () => say(anna, "fwd", { forward: { user: bert } }));
    await hear("message:forward_origin:hidden_user", () => say(anna, "fwd", { forward: { hidden: "Bert" } }));
  });

  await check("a reaction, and its end", async () => {
    const { message_id } = await say(anna, "hello");
    const react = (emoji) => () => control("react", { chat: anna, user: anna, message_id, emoji });
    const { ctx } = await hear("message_reaction:new_reaction:emoji", react(["🔥"]));
    assert.deepEqual(ctx.reactions().emojiAdded, ["🔥"]);
    assert.equal(ctx.from.id, anna);
    const { ctx: end } = await hear("message_reaction:old_reaction:emoji", react([]));
    assert.deepEqual(end.reactions().emojiRemoved, ["🔥"]);
  });

  await check("a pressed button", async () => {
    const keyboard = { inline_keyboard: [[{ text: "Yes", callback_data: "yes:1" }]] };
    const { message_id } = await makeBot().api.sendMessage(anna, "Well?", { reply_markup: keyboard });
    const press = () => control("press", { chat: anna, user: anna, message_id, button: "Yes" });
    const { ctx } = await hear("callback_query:data", press);
    assert.equal(ctx.callbackQuery.data, "yes:1");
    assert.equal(ctx.callbackQuery.message.message_id, message_id);
    assert.equal(ctx.callbackQuery.from.id, anna);
  });

  await check("a topic of a forum", async () => {
    const forum = await chat("forum", { admin: true });
    const { ctx } = await hear("message:forum_topic_created", () =>
      control("topic", { chat: forum, user: anna, name: "Plans" }));
    const thread = ctx.message.message_thread_id;
    const said = await hear("message:is_topic_message", () =>
      control("say", { chat: forum, from: anna, thread, text: "hello" }));
    const message = said.ctx.message;
    assert.equal(message.message_thread_id, thread);
    assert.equal(message.chat.is_forum, true);
    assert.equal(message.reply_to_message.forum_topic_created.name, "Plans");
    const answer = await makeBot().api.sendMessage(forum, "hi", { message_thread_id: thread });
    assert.equal(answer.is_topic_message, true);
    const general = await hear("message:text", () => control("say", { chat: forum, from: anna, text: "hello" }));
    assert.equal(general.ctx.message.message_thread_id, undefined);
  });

  await check("anonymous administrators, channels and what they carry", async () => {
    const channel = await chat("channel");
    const group = await chat("supergroup", { linked: channel });
    const { ctx: anonymous } = await hear("message:text", () =>
      control("say", { chat: group, from: anna, as_chat: group, text: "as the group" }));
    assert.equal(anonymous.message.from.username, "GroupAnonymousBot");
    assert.equal(anonymous.message.sender_chat.id, group);
    const { ctx: post, sent } = await hear("channel_post:text", () => control("say", { chat: channel, text: "news" }));
    assert.equal(post.channelPost.from, undefined);
    assert.equal(post.channelPost.sender_chat.id, channel);
    await hear("edited_channel_post", () =>
      control("edit", { chat: channel, message_id: sent.message_id, text: "other news" }));
    const { ctx: carried } = await hear("message:is_automatic_forward", () =>
      control("say", {
        chat: group, from: 777000, as_chat: channel, automatic: true, text: "news",
        forward: { channel: [channel, sent.message_id] },
      }));
    assert.equal(carried.message.from.id, 777000);
    assert.equal(carried.message.forward_origin.type, "channel");
  });

  await check("another bot writes", async () => {
    const group = await chat("supergroup");
    await control("user", { id: 9001, name: "Other", username: "other_bot", is_bot: true });
    const { ctx } = await hear("message:text", () => control("say", { chat: group, from: 9001, text: "beep" }));
    assert.equal(ctx.from.is_bot, true);
  });

  await check("blocked, unblocked, added and thrown out", async () => {
    const block = await hear("my_chat_member", () => control("block", { user: bert }));
    assert.equal(block.ctx.myChatMember.new_chat_member.status, "kicked");
    assert.equal(block.ctx.myChatMember.chat.type, "private");
    const back = await hear("my_chat_member", () => control("unblock", { user: bert }));
    assert.equal(back.ctx.myChatMember.old_chat_member.status, "kicked");
    const group = await chat("supergroup", { empty: true });
    const added = await hear("my_chat_member", () => control("join", { chat: group, user: BOT, by: anna }));
    assert.equal(added.ctx.myChatMember.new_chat_member.status, "member");
    assert.equal(added.ctx.myChatMember.from.id, anna);
    const out = await hear("my_chat_member", () => control("part", { chat: group, user: BOT, by: anna }));
    assert.equal(out.ctx.myChatMember.new_chat_member.status, "kicked");
  });

  await check("people come and go", async () => {
    const group = await chat("supergroup", { admin: true });
    const join = () => control("join", { chat: group, user: bert, by: anna });
    const { ctx: come } = await hear("chat_member", join);
    assert.equal(come.chatMember.new_chat_member.status, "member");
    const plain = await chat("group");
    const { ctx } = await hear("message:new_chat_members", () => control("join", { chat: plain, user: bert }));
    assert.deepEqual(ctx.message.new_chat_members.map((user) => user.id), [bert]);
    await hear("message:left_chat_member", () => control("part", { chat: plain, user: bert }));
  });

  await check("a group becomes a supergroup", async () => {
    const group = await chat("group");
    const to = group - 1_000_000_100_000;
    await control("join", { chat: group, user: anna });
    const { ctx } = await hear("message:migrate_to_chat_id", () => control("migrate", { chat: group, to }));
    assert.equal(ctx.message.migrate_to_chat_id, to);
    const { ctx: said } = await hear("message:text", () => control("say", { chat: to, from: anna, text: "here" }));
    assert.equal(said.chat.type, "supergroup");
    assert.equal((await shows(to)).find((message) => message.kind === "migrate_from_chat_id") !== undefined, true);
  });

  await check("privacy mode", async () => {
    await forget();
    const group = await chat("supergroup");
    await control("privacy", { on: true });
    const tell = async (text, more = {}) =>
      (await control("say", { chat: group, from: anna, text, ...more })).update_id !== 0;
    try {
      const { message_id } = await makeBot().api.sendMessage(group, "I am here");
      assert.equal(await tell("just talking"), false);
      assert.equal(await tell("/help"), true);
      assert.equal(await tell("/help@frontdesk_bot"), true);
      assert.equal(await tell("/help@other_bot"), false);
      assert.equal(await tell("well, @frontdesk_bot?"), true);
      assert.equal(await tell("yes", { reply_to: message_id }), true);
    } finally {
      await control("privacy", { on: false });
    }
  });
}
