// Messages: writing, changing, reading, reacting, files.
import assert from "node:assert/strict";
import { AttachmentBuilder, Events } from "discord.js";
import { ANN, BOT, channel, check, connected, control, GUILD, journal, refusal, rest, say, shows, someone, until } from "../fake.mjs";

const post = (garden, body, more = {}) => rest().post(`/channels/${garden}/messages`, { body, ...more });

export async function messages() {
  await check("a message is sent, edited and deleted", async () => {
    const garden = await channel();
    await connected(async (client) => {
      const told = [];
      client.on(Events.MessageCreate, (message) => told.push(`created ${message.content}`));
      client.on(Events.MessageUpdate, (_, message) => told.push(`edited ${message.content}`));
      client.on(Events.MessageDelete, () => told.push("deleted"));
      const sent = await client.channels.cache.get(garden).send("one");
      assert.equal((await shows(garden))[0].content, "one");
      const edited = await sent.edit("two");
      assert.ok(edited.editedTimestamp > 0);
      await sent.delete();
      await until("three events", () => told.length === 3);
      assert.deepEqual(told, ["created one", "edited two", "deleted"]);
      assert.deepEqual(await shows(garden), []);
      assert.equal((await refusal(sent.edit("three"))).code, 10008);
    });
  });

  await check("what people change and delete is told", async () => {
    const garden = await channel();
    await connected(async (client) => {
      const told = [];
      client.on(Events.MessageUpdate, (_, message) => told.push([message.content, message.editedTimestamp !== null]));
      client.on(Events.MessageDelete, (message) => told.push(message.id));
      client.on(Events.MessageBulkDelete, (several) => told.push(several.size));
      const first = (await say(garden, "frist")).message_id;
      await control("embed", { channel: garden, message: first, embeds: [{ type: "link", url: "http://a.example" }] });
      await control("edit", { channel: garden, message: first, content: "first" });
      await control("delete", { channel: garden, message: first });
      const more = [await say(garden, "1"), await say(garden, "2")].map((sent) => sent.message_id);
      await control("purge", { channel: garden, messages: more });
      await until("four events", () => told.length === 4);
      assert.deepEqual(told, [["frist", false], ["first", true], first, 2]);
    });
  });

  await check("the same nonce gives the same message", async () => {
    const garden = await channel();
    const body = { content: "once", nonce: "n-1", enforce_nonce: true };
    const first = await post(garden, body);
    const second = await post(garden, { ...body, content: "something else" });
    assert.equal(first.id, second.id);
    assert.equal(second.content, "once");
    assert.notEqual((await post(garden, { ...body, enforce_nonce: false })).id, first.id);
    await control("advance", { seconds: 600 });
    assert.notEqual((await post(garden, { ...body, nonce: "n-1" })).id, first.id);
    assert.equal((await refusal(post(garden, { ...body, nonce: "n".repeat(26) }))).code, 50035);
  });

  await check("what breaks the rules is refused with Discord's codes", async () => {
    const garden = await channel();
    const long = await refusal(post(garden, { content: "x".repeat(2001) }));
    assert.equal(long.code, 50035);
    assert.match(long.message, /BASE_TYPE_MAX_LENGTH/);
    assert.equal((await post(garden, { content: "🌱".repeat(2000) })).content.length, 4000);
    assert.equal((await refusal(post(garden, { content: "  " }))).code, 50006);
    assert.equal((await refusal(post("404", { content: "x" }))).code, 10003);
    const { message_id } = await say(garden, "hers");
    assert.equal((await refusal(rest().patch(`/channels/${garden}/messages/${message_id}`, { body: { content: "mine" } }))).code, 50005);
    assert.equal((await refusal(rest().delete(`/channels/${garden}/messages/${message_id}`))).code, 50013);
    const embeds = [{ title: "t", description: "d".repeat(6000) }];
    assert.equal((await refusal(post(garden, { embeds }))).code, 50035);
    const button = { type: 2, style: 1, label: "x", custom_id: "same" };
    assert.equal((await refusal(post(garden, { content: "x", components: [{ type: 1, components: [button, button] }] }))).code, 50035);
  });

  await check("an answer names its message, if that is still there", async () => {
    const garden = await channel();
    const { message_id } = await say(garden, "a question");
    await connected(async (client) => {
      const place = client.channels.cache.get(garden);
      const answer = await place.send({ content: "yes", reply: { messageReference: message_id } });
      assert.equal(answer.reference.messageId, message_id);
      assert.equal((await answer.fetchReference()).content, "a question");
      await control("delete", { channel: garden, message: message_id });
      const again = { content: "yes", reply: { messageReference: message_id, failIfNotExists: false } };
      assert.equal((await place.send(again)).reference, null);
      again.reply.failIfNotExists = true;
      const error = await refusal(place.send(again));
      assert.match(error.message, /REPLIES_UNKNOWN_MESSAGE/);
      const fetched = await rest().get(`/channels/${garden}/messages/${answer.id}`);
      assert.equal(fetched.referenced_message, null);
    });
  });

  await check("mentions are made only if they are allowed", async () => {
    const garden = await channel();
    const text = `<@${ANN}> and @everyone`;
    const loud = await post(garden, { content: text });
    assert.deepEqual([loud.mentions.length, loud.mention_everyone], [1, false]);
    const quiet = await post(garden, { content: text, allowed_mentions: { parse: [] } });
    assert.deepEqual([quiet.mentions.length, quiet.mention_everyone], [0, false]);
    await control("permit", { channel: garden, target: BOT, allow: String(1 << 17) });
    assert.equal((await post(garden, { content: text })).mention_everyone, true);
  });

  await check("history is read from both ends", async () => {
    const garden = await channel();
    const ids = [];
    for (let n = 0; n < 8; n++) ids.push((await say(garden, `${n}`)).message_id);
    const read = async (query) => {
      const found = await rest().get(`/channels/${garden}/messages`, { query: new URLSearchParams(query) });
      return found.map((message) => message.content).join("");
    };
    assert.equal(await read({}), "76543210");
    assert.equal(await read({ limit: 3 }), "765");
    assert.equal(await read({ limit: 3, before: ids[4] }), "321");
    assert.equal(await read({ limit: 3, after: ids[2] }), "543");
    assert.equal(await read({ limit: 4, around: ids[4] }), "65432");
    assert.equal((await refusal(read({ limit: 101 }))).code, 50035);
  });

  await check("who may not read the history gets an empty list and no error", async () => {
    const garden = await channel();
    const { message_id } = await say(garden, "old");
    await control("permit", { channel: garden, target: BOT, deny: String(1 << 16) });
    assert.deepEqual(await rest().get(`/channels/${garden}/messages`), []);
    assert.equal((await refusal(rest().get(`/channels/${garden}/messages/${message_id}`))).code, 50013);
    assert.equal((await refusal(post(garden, { content: "x", message_reference: { message_id } }))).code, 160002);
    await control("permit", { channel: garden, target: BOT, deny: String(1 << 11) });
    assert.equal((await refusal(post(garden, { content: "x" }))).code, 50013);
  });

  await check("reactions are set, taken back and told", async () => {
    const garden = await channel();
    const { message_id } = await say(garden, "look");
    await connected(async (client) => {
      const told = [];
      client.on(Events.MessageReactionAdd, (reaction, user) => told.push(`+${reaction.emoji.name} ${user.id}`));
      client.on(Events.MessageReactionRemove, (reaction, user) => told.push(`-${reaction.emoji.name} ${user.id}`));
      const message = await client.channels.cache.get(garden).messages.fetch(message_id);
      await message.react("👀");
      await control("react", { channel: garden, message: message_id, user: ANN, emoji: "👍" });
      await control("unreact", { channel: garden, message: message_id, user: ANN, emoji: "👍" });
      await message.reactions.cache.get("👀").users.remove(client.user.id);
      await until("four events", () => told.length === 4);
      assert.deepEqual(told, [`+👀 ${BOT}`, `+👍 ${ANN}`, `-👍 ${ANN}`, `-👀 ${BOT}`]);
      assert.equal((await refusal(message.react("nonsense"))).code, 10014);
    });
  });

  await check("typing is shown, and pins need a permission", async () => {
    const garden = await channel();
    const { message_id } = await say(garden, "keep this");
    await connected(async (client) => {
      await client.channels.cache.get(garden).sendTyping();
      assert.ok((await journal()).calls.some((call) => call.method === "trigger_typing_indicator" && call.chat === garden));
      const message = await client.channels.cache.get(garden).messages.fetch(message_id);
      assert.equal((await refusal(message.pin())).code, 50013);
      await control("permit", { channel: garden, target: BOT, allow: String(2n ** 51n) });
      await message.pin();
      assert.equal((await shows(garden)).at(-1).kind, 6);
    });
  });

  await check("files are sent and read, until their links end", async () => {
    const garden = await channel();
    await connected(async (client) => {
      const files = [
        new AttachmentBuilder(Buffer.from("first"), { name: "a.txt", description: "the first" }),
        new AttachmentBuilder(Buffer.from("second"), { name: "b.txt" }),
      ];
      const sent = await client.channels.cache.get(garden).send({ content: "two", files });
      const [first] = [...sent.attachments.values()];
      assert.deepEqual([sent.attachments.size, first.name, first.size, first.description], [2, "a.txt", 5, "the first"]);
      assert.equal(await (await fetch(first.url)).text(), "first");
      assert.equal((await fetch(first.url.replace("hm=", "hm=0"))).status, 404);
      await control("advance", { seconds: 90_000 });
      assert.equal((await fetch(first.url)).status, 404);
      const fresh = await rest().get(`/channels/${garden}/messages/${sent.id}`);
      assert.equal(await (await fetch(fresh.attachments[0].url)).text(), "first");
      const kept = await sent.edit({ attachments: [fresh.attachments[1]] });
      assert.deepEqual(kept.attachments.map((file) => file.name), ["b.txt"]);
      const large = new AttachmentBuilder(Buffer.alloc((10 << 20) + 1), { name: "large" });
      assert.equal((await refusal(client.channels.cache.get(garden).send({ files: [large] }))).code, 40005);
    });
  });

  await check("people send files, voice messages, stickers, polls and forwards", async () => {
    const garden = await channel();
    await connected(async (client) => {
      const heard = [];
      client.on(Events.MessageCreate, (message) => heard.push(message));
      const base64 = Buffer.from("words").toString("base64");
      const { message_id } = await say(garden, "", { files: [{ name: "n.ogg", base64, content_type: "audio/ogg", voice: true }] });
      await say(garden, "", { extra: { sticker_items: [{ id: "1", name: "wave", format_type: 1 }] } });
      const answers = [{ answer_id: 1, poll_media: { text: "yes" } }];
      await say(garden, "", { extra: { poll: { question: { text: "Well?" }, answers, expiry: null, allow_multiselect: false, layout_type: 1 } } });
      await say(garden, "", { forward: [garden, message_id] });
      await until("four messages", () => heard.length === 4);
      assert.equal(heard[0].attachments.first().waveform, "AAA=");
      assert.equal(await (await fetch(heard[0].attachments.first().url)).text(), "words");
      assert.equal(heard[1].stickers.first().name, "wave");
      assert.equal(heard[2].poll.question.text, "Well?");
      assert.equal(heard[3].messageSnapshots.first().attachments.size, 1);
    });
  });

  await check("a bot forwards, and writes to people in private until they object", async () => {
    const [garden, other] = [await channel(), await channel()];
    const ben = await someone();
    await connected(async (client) => {
      const sent = await client.channels.cache.get(garden).send("pass it on");
      const forwarded = await sent.forward(other);
      assert.equal(forwarded.messageSnapshots.first().content, "pass it on");
      const user = await client.users.fetch(ben);
      const { channelId } = await user.send("hello");
      assert.equal((await shows(channelId))[0].content, "hello");
      await control("block", { user: ben, on: true });
      assert.equal((await refusal(user.send("hello again"))).code, 50007);
    });
  });

  await check("a guild that the bot has left is out of its reach", async () => {
    assert.equal((await refusal(rest().get("/guilds/404"))).code, 10004);
    assert.equal((await refusal(rest().get(`/guilds/${GUILD}/members/404`))).code, 10007);
    assert.equal((await refusal(rest().get("/users/404"))).code, 10013);
    assert.equal((await refusal(rest().get("/nothing"))).status, 404);
  });
}
