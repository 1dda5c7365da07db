// What a bot sends, changes and takes back.
import assert from "node:assert/strict";
import { InputFile, InputMediaBuilder } from "grammy";
import { BOT, chat, check, control, journal, refusal, say, shows, someone, TOKEN, url } from "../fake.mjs";
import { makeBot } from "./polling.mjs";

const { api } = makeBot();
const html = { parse_mode: "HTML" };
const download = async (id) => {
  const file = await api.getFile(id);
  const answer = await fetch(`${url}/file/bot${TOKEN}/${file.file_path}`);
  return Buffer.from(await answer.arrayBuffer());
};

export async function sending() {
  const anna = await someone();

  await check("HTML becomes entities in UTF-16 units", async () => {
    const message = await api.sendMessage(
      anna,
      `👍🏽 <b>bold <i>both</i></b> <code>a &lt; b</code>\n<pre><code class="language-rust">fn x</code></pre>` +
        `<a href="https://a.example/?x=1&amp;y=2">link</a> <tg-spoiler>s</tg-spoiler><blockquote>q</blockquote>`,
      html,
    );
    assert.equal(message.text, "👍🏽 bold both a < b\nfn xlink sq");
    const found = message.entities.map((entity) => [
      entity.type,
      message.text.slice(entity.offset, entity.offset + entity.length),
      entity.language ?? entity.url,
    ]);
    assert.deepEqual(found, [
      ["bold", "bold both", undefined],
      ["italic", "both", undefined],
      ["code", "a < b", undefined],
      ["pre", "fn x", "rust"],
      ["text_link", "link", "https://a.example/?x=1&y=2"],
      ["spoiler", "s", undefined],
      ["blockquote", "q", undefined],
    ]);
  });

  await check("HTML that is wrong is refused in the server's words", async () => {
    for (const [text, words] of [
      ["<b>open", `Can't find end tag corresponding to start tag "b"`],
      ["<p>x</p>", `Unsupported start tag "p" at byte offset 0`],
      ["<b><i>x</b></i>", `Unmatched end tag at byte offset 7, expected "</i>", found "</b>"`],
    ]) {
      const error = await refusal(api.sendMessage(anna, text, html));
      assert.equal(error.error_code, 400);
      assert.equal(error.description, `Bad Request: can't parse entities: ${words}`);
    }
  });

  await check("the limit counts what is left after the tags", async () => {
    const long = (many) => `<b>${"x".repeat(many)}</b>`;
    assert.equal((await api.sendMessage(anna, long(4096), html)).text.length, 4096);
    assert.equal((await refusal(api.sendMessage(anna, long(4097), html))).description, "Bad Request: message is too long");
    // Code points count, not UTF-16 units.
    assert.equal([...(await api.sendMessage(anna, "👍".repeat(4096))).text].length, 4096);
    assert.equal((await refusal(api.sendMessage(anna, "👍".repeat(4097)))).description, "Bad Request: message is too long");
    assert.equal((await refusal(api.sendMessage(anna, ""))).description, "Bad Request: message text is empty");
    const caption = { caption: "x".repeat(1025) };
    const error = await refusal(api.sendDocument(anna, new InputFile(Buffer.from("x"), "x"), caption));
    assert.equal(error.description, "Bad Request: message caption is too long");
  });

  await check("links are kept, found and dropped as by the server", async () => {
    const targets = ["https://a.example/", "http://localhost:3000/", "tel:+49123", "javascript:alert(1)"];
    const linked = await api.sendMessage(anna, targets.map((url) => `<a href="${url}">x</a>`).join(" "), html);
    assert.deepEqual(linked.entities.map((entity) => [entity.type, entity.url]), [["text_link", "https://a.example/"]]);
    const found = await api.sendMessage(anna, "README.md src/main.rs <code>x.sh</code> a.invalid", html);
    assert.deepEqual(found.entities.map((entity) => [entity.type, entity.offset]), [["url", 0], ["code", 22]]);
  });

  await check("white space and what is invisible are treated as by the server", async () => {
    assert.equal((await api.sendMessage(anna, "<pre>  a\tb</pre>\r\n ", html)).text, "  a b");
    assert.equal((await refusal(api.sendMessage(anna, "\u200b\u00a0"))).description, "Bad Request: text must be non-empty");
    assert.equal((await api.sendMessage(anna, "\u2060")).text, "\u2060");
  });

  await check("a picture that is too long is refused", async () => {
    const sides = Buffer.alloc(8);
    sides.writeUInt32BE(2100, 0);
    sides.writeUInt32BE(100, 4);
    const png = Buffer.concat([Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"), sides, Buffer.alloc(9)]);
    const error = await refusal(api.sendPhoto(anna, new InputFile(png, "a.png")));
    assert.equal(error.description, "Bad Request: PHOTO_INVALID_DIMENSIONS");
  });

  await check("a hundred entities and no more", async () => {
    const message = await api.sendMessage(anna, "<b>x</b> ".repeat(120), html);
    assert.equal(message.entities.length, 100);
    assert.equal(message.text.length, 239);
  });

  await check("Markdown of both kinds", async () => {
    const two = await api.sendMessage(anna, "*b* `c` a\\.", { parse_mode: "MarkdownV2" });
    assert.deepEqual([two.text, two.entities.map((entity) => entity.type)], ["b c a.", ["bold", "code"]]);
    const error = await refusal(api.sendMessage(anna, "a.", { parse_mode: "MarkdownV2" }));
    assert.match(error.description, /Character '\.' is reserved and must be escaped/);
    const one = await api.sendMessage(anna, "*b* a.", { parse_mode: "Markdown" });
    assert.deepEqual([one.text, one.entities.length], ["b a.", 1]);
  });

  await check("an edit shows, and the same again is refused", async () => {
    const { message_id } = await api.sendMessage(anna, "one");
    const edited = await api.editMessageText(anna, message_id, "<b>two</b>", html);
    assert.equal(edited.text, "two");
    assert.ok(edited.edit_date > 0);
    const error = await refusal(api.editMessageText(anna, message_id, "<b>two</b>", html));
    assert.equal(
      error.description,
      "Bad Request: message is not modified: specified new message content and reply markup are exactly the same " +
        "as a current content and reply markup of the message",
    );
    const shown = (await shows(anna)).find((message) => message.message_id === message_id);
    assert.deepEqual([shown.text, shown.edited], ["two", true]);
    const gone = await refusal(api.editMessageText(anna, 99_999, "x"));
    assert.equal(gone.description, "Bad Request: message to edit not found");
    const { message_id: hers } = await say(anna, "mine");
    assert.equal((await refusal(api.editMessageText(anna, hers, "x"))).description, "Bad Request: message can't be edited");
  });

  await check("a menu comes with a message and goes with an edit", async () => {
    const reply_markup = { inline_keyboard: [[{ text: "Yes", callback_data: "y" }]] };
    const { message_id } = await api.sendMessage(anna, "Well?", { reply_markup });
    await api.editMessageReplyMarkup(anna, message_id, { reply_markup: { inline_keyboard: [[{ text: "No", callback_data: "n" }]] } });
    assert.deepEqual((await shows(anna)).at(-1).buttons, ["No"]);
    await api.editMessageText(anna, message_id, "Done");
    assert.deepEqual((await shows(anna)).at(-1).buttons, []);
    const long = { inline_keyboard: [[{ text: "x", callback_data: "x".repeat(65) }]] };
    const error = await refusal(api.sendMessage(anna, "x", { reply_markup: long }));
    assert.equal(error.description, "Bad Request: BUTTON_DATA_INVALID");
  });

  await check("a pressed button is answered in time or not at all", async () => {
    const reply_markup = { inline_keyboard: [[{ text: "Yes", callback_data: "y" }]] };
    const { message_id } = await api.sendMessage(anna, "Well?", { reply_markup });
    const press = () => control("press", { chat: anna, user: anna, message_id, button: "Yes" });
    const { query_id } = await press();
    assert.equal(await api.answerCallbackQuery(query_id, { text: "Thanks" }), true);
    assert.equal((await control("pressed", { text: query_id })).answer.text, "Thanks");
    const late = await press();
    await control("advance", { seconds: 600 });
    for (const id of [late.query_id, "123"]) {
      const error = await refusal(api.answerCallbackQuery(id));
      const words = "query is too old and response timeout expired or query ID is invalid";
      assert.equal(error.description, `Bad Request: ${words}`);
    }
  });

  await check("a deleted message is gone", async () => {
    const { message_id } = await api.sendMessage(anna, "oops");
    assert.equal(await api.deleteMessage(anna, message_id), true);
    assert.ok(!(await shows(anna)).some((message) => message.message_id === message_id));
    const error = await refusal(api.deleteMessage(anna, message_id));
    assert.equal(error.description, "Bad Request: message to delete not found");
  });

  await check("replies, quotes and what they miss", async () => {
    const { message_id } = await say(anna, "the first words");
    const reply = await api.sendMessage(anna, "re", { reply_parameters: { message_id, quote: "first" } });
    assert.equal(reply.reply_to_message.message_id, message_id);
    assert.equal(reply.quote.text, "first");
    const error = await refusal(api.sendMessage(anna, "re", { reply_parameters: { message_id: 99_999 } }));
    assert.equal(error.description, "Bad Request: message to be replied not found");
    const lenient = { message_id: 99_999, allow_sending_without_reply: true };
    const sent = await api.sendMessage(anna, "re", { reply_parameters: lenient });
    assert.equal(sent.reply_to_message, undefined);
  });

  await check("reactions of the bot", async () => {
    const { message_id } = await say(anna, "hello");
    await api.setMessageReaction(anna, message_id, [{ type: "emoji", emoji: "👀" }]);
    assert.deepEqual((await shows(anna)).at(-1).reactions, [[BOT, "👀"]]);
    await api.setMessageReaction(anna, message_id, []);
    assert.deepEqual((await shows(anna)).at(-1).reactions, []);
    const error = await refusal(api.setMessageReaction(anna, message_id, [{ type: "emoji", emoji: "🧦" }]));
    assert.equal(error.description, "Bad Request: REACTION_INVALID");
  });

  await check("actions and drafts leave no message", async () => {
    const before = (await shows(anna)).length;
    assert.equal(await api.sendChatAction(anna, "typing"), true);
    assert.equal(await api.sendMessageDraft(anna, 7, "grow"), true);
    assert.equal(await api.sendMessageDraft(anna, 7, "growing", { parse_mode: "HTML" }), true);
    await refusal(api.sendMessageDraft(anna, 0, "x"));
    await refusal(api.raw.sendChatAction({ chat_id: anna, action: "dancing" }));
    assert.equal((await shows(anna)).length, before);
    const drafts = (await journal(anna)).calls.filter((call) => call.method === "sendMessageDraft" && call.outcome === "done");
    assert.deepEqual(drafts.map((call) => call.params.text), ["grow", "growing"]);
  });

  await check("files go up and down byte for byte", async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * 7919) % 256));
    const { document } = await api.sendDocument(anna, new InputFile(bytes, "näme.bin"), { caption: "<i>c</i>", ...html });
    assert.deepEqual(await download(document.file_id), bytes);
    assert.equal(document.file_size, bytes.length);
    const again = await api.sendDocument(anna, document.file_id);
    assert.equal(again.document.file_unique_id, document.file_unique_id);
    for (const [method, field] of [
      ["sendPhoto", "photo"], ["sendAudio", "audio"], ["sendVideo", "video"], ["sendVoice", "voice"],
      ["sendAnimation", "animation"], ["sendSticker", "sticker"],
    ]) {
      const sent = await api[method](anna, new InputFile(bytes, "x.bin"));
      const medium = Array.isArray(sent[field]) ? sent[field].at(-1) : sent[field];
      assert.deepEqual(await download(medium.file_id), bytes, method);
    }
    const missing = await refusal(api.sendPhoto(anna, "nothing"));
    assert.match(missing.description, /wrong file identifier/i);
  });

  await check("files of people come down, unless they are too big", async () => {
    const base64 = Buffer.from("hello").toString("base64");
    await say(anna, "look", { attachment: { document: { base64, name: "a.txt" } } });
    const { document } = (await shows(anna)).at(-1).message;
    assert.equal((await download(document.file_id)).toString(), "hello");
    await say(anna, "big", { attachment: { document: { base64, size: 21 * 1024 * 1024 } } });
    const big = (await shows(anna)).at(-1).message.document;
    assert.equal((await refusal(api.getFile(big.file_id))).description, "Bad Request: file is too big");
  });

  await check("an album", async () => {
    const photo = (text) => InputMediaBuilder.photo(new InputFile(Buffer.from(text), `${text}.png`), { caption: text });
    const sent = await api.sendMediaGroup(anna, [photo("one"), photo("two")]);
    assert.equal(sent.length, 2);
    assert.equal(new Set(sent.map((message) => message.media_group_id)).size, 1);
    assert.deepEqual(sent.map((message) => message.caption), ["one", "two"]);
    const video = InputMediaBuilder.video(new InputFile(Buffer.from("v"), "v.mp4"));
    assert.equal((await api.sendMediaGroup(anna, [photo("three"), video])).length, 2);
    const document = InputMediaBuilder.document(new InputFile(Buffer.from("d"), "d.txt"));
    const mixed = await refusal(api.sendMediaGroup(anna, [photo("four"), document]));
    assert.equal(mixed.description, "Bad Request: document can't be mixed with other media types");
    const animation = InputMediaBuilder.animation(new InputFile(Buffer.from("a"), "a.gif"));
    assert.match((await refusal(api.sendMediaGroup(anna, [photo("five"), animation]))).description, /animation/);
    const eleven = Array.from({ length: 11 }, (_, n) => photo(`p${n}`));
    assert.match((await refusal(api.sendMediaGroup(anna, eleven))).description, /too many messages/);
  });

  await check("the caption of a photo changes", async () => {
    const { message_id } = await api.sendPhoto(anna, new InputFile(Buffer.from("x"), "x.png"), { caption: "one" });
    assert.equal((await api.editMessageCaption(anna, message_id, { caption: "two" })).caption, "two");
    const error = await refusal(api.editMessageText(anna, message_id, "x"));
    assert.equal(error.description, "Bad Request: there is no text in the message to edit");
  });

  await check("the menu of commands, by scope and language", async () => {
    const commands = [{ command: "new", description: "Begin anew" }];
    const scope = { type: "chat", chat_id: anna };
    await api.setMyCommands(commands);
    await api.setMyCommands([{ command: "neu", description: "Neu" }], { scope, language_code: "de" });
    assert.deepEqual(await api.getMyCommands(), commands);
    assert.equal((await api.getMyCommands({ scope, language_code: "de" }))[0].command, "neu");
    assert.deepEqual(await api.getMyCommands({ scope }), []);
    await refusal(api.setMyCommands([{ command: "New", description: "x" }]));
    await refusal(api.setMyCommands(Array.from({ length: 101 }, (_, n) => ({ command: `c${n}`, description: "x" }))));
    await api.deleteMyCommands();
    assert.deepEqual(await api.getMyCommands(), []);
  });

  await check("chats, members and pins", async () => {
    const group = await chat("supergroup", { admin: true });
    await control("join", { chat: group, user: anna });
    assert.equal((await api.getChat(anna)).first_name, "Anna");
    assert.equal((await api.getChat(group)).title, "The supergroup");
    assert.equal((await api.getChatMember(group, anna)).status, "member");
    const admins = await api.getChatAdministrators(group);
    assert.deepEqual(admins.map((admin) => [admin.user.id, admin.status]), [[BOT, "administrator"]]);
    const { message_id } = await api.sendMessage(group, "pin me");
    await api.pinChatMessage(group, message_id);
    assert.equal((await api.getChat(group)).pinned_message.message_id, message_id);
    await api.unpinChatMessage(group, message_id);
    assert.equal((await api.getChat(group)).pinned_message, undefined);
    await api.leaveChat(group);
    assert.equal((await refusal(api.sendMessage(group, "x"))).error_code, 403);
  });
}
