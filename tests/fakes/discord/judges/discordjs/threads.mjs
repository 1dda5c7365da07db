// Threads and posts in forums.
import assert from "node:assert/strict";
import { ChannelType, Events } from "discord.js";
import { ANN, BOT, channel, check, connected, control, GUILD, refusal, rest, say, shows, until } from "../fake.mjs";

export async function threads() {
  await check("a thread on a message has its id, once", async () => {
    const garden = await channel();
    const { message_id } = await say(garden, "let us talk");
    await connected(async (client) => {
      const told = [];
      client.ws.on("THREAD_CREATE", (thread) => told.push([thread.id, thread.parent_id, thread.newly_created]));
      const message = await client.channels.cache.get(garden).messages.fetch(message_id);
      const thread = await message.startThread({ name: "Talk" });
      assert.equal(thread.id, message_id);
      assert.equal(thread.type, ChannelType.PublicThread);
      await until("the event", () => told.length === 1);
      assert.deepEqual(told, [[message_id, garden, true]]);
      await thread.send("inside");
      assert.deepEqual((await shows(thread.id)).map((message) => [message.kind, message.content]), [[21, ""], [0, "inside"]]);
      const again = rest().post(`/channels/${garden}/messages/${message_id}/threads`, { body: { name: "Again" } });
      assert.equal((await refusal(again)).code, 160004);
      const wrong = { name: "x", auto_archive_duration: 5 };
      const { message_id: other } = await say(garden, "another");
      assert.equal((await refusal(rest().post(`/channels/${garden}/messages/${other}/threads`, { body: wrong }))).code, 50035);
    });
  });

  await check("what people write in a thread names no parent", async () => {
    const garden = await channel();
    await connected(async (client) => {
      const raw = [];
      client.ws.on("MESSAGE_CREATE", (data) => raw.push(data));
      const { channel_id } = await control("thread", { channel: garden, user: ANN, name: "Hers" });
      await say(channel_id, "in it");
      await until("the message", () => raw.some((data) => data.content === "in it"));
      const data = raw.find((data) => data.content === "in it");
      assert.deepEqual([data.channel_id, data.parent_id, data.guild_id], [channel_id, undefined, GUILD]);
      assert.equal((await rest().get(`/channels/${channel_id}`)).parent_id, garden);
      const { threads } = await rest().get(`/guilds/${GUILD}/threads/active`);
      assert.ok(threads.some((thread) => thread.id === channel_id));
    });
  });

  await check("an archived thread refuses changes and opens for a message", async () => {
    const garden = await channel();
    await connected(async (client) => {
      const thread = await client.channels.cache.get(garden).threads.create({ name: "Short" });
      const sent = await thread.send("before");
      await control("archive", { channel: thread.id, archived: true });
      const { threads } = await rest().get(`/channels/${garden}/threads/archived/public`);
      assert.deepEqual(threads.map((thread) => thread.id), [thread.id]);
      assert.equal((await refusal(sent.edit("after"))).code, 50083);
      assert.equal((await refusal(sent.react("👍"))).code, 50083);
      await rest().post(`/channels/${thread.id}/messages`, { body: { content: "opened" } });
      await until("an open thread", () => thread.archived === false);
      await sent.edit("after");
      await control("archive", { channel: thread.id, archived: true });
      await rest().patch(`/channels/${thread.id}`, { body: { archived: false } });
      await control("archive", { channel: thread.id, archived: true, locked: true });
      const locked = rest().post(`/channels/${thread.id}/messages`, { body: { content: "x" } });
      assert.equal((await refusal(locked)).code, 160005);
    });
  });

  await check("in threads another permission counts", async () => {
    const garden = await channel();
    const { channel_id } = await control("thread", { channel: garden, user: ANN, name: "Hers" });
    const post = (place) => rest().post(`/channels/${place}/messages`, { body: { content: "x" } });
    await control("permit", { channel: garden, target: BOT, deny: String(1 << 11) });
    await post(channel_id);
    await control("permit", { channel: garden, target: BOT, deny: String(2n ** 38n) });
    assert.equal((await refusal(post(channel_id))).code, 50013);
    await post(garden);
  });

  await check("a post in a forum has the id of its first message", async () => {
    const forum = await channel(15);
    await connected(async (client) => {
      const place = client.channels.cache.get(forum);
      const post = await place.threads.create({ name: "A question", message: { content: "How?" } });
      const first = await post.fetchStarterMessage();
      assert.deepEqual([first.id, first.content], [post.id, "How?"]);
      const told = [];
      client.on(Events.MessageCreate, (message) => message.author.bot || told.push(message));
      const { channel_id } = await control("thread", { channel: forum, user: ANN, name: "Hers", content: "Why?" });
      await until("the message", () => told.length === 1);
      assert.deepEqual([told[0].id, told[0].channel.parentId], [channel_id, forum]);
      const plain = rest().post(`/channels/${forum}/messages`, { body: { content: "x" } });
      assert.equal((await refusal(plain)).code, 40058);
    });
    const tagged = await channel(15, { needs_tag: true });
    const body = { name: "n", message: { content: "x" } };
    assert.equal((await refusal(rest().post(`/channels/${tagged}/threads`, { body }))).code, 40067);
    await rest().post(`/channels/${tagged}/threads`, { body: { ...body, applied_tags: ["1"] } });
  });

  await check("a deleted thread is gone", async () => {
    const garden = await channel();
    await connected(async (client) => {
      const thread = await client.channels.cache.get(garden).threads.create({ name: "Gone" });
      const gone = new Promise((resolve) => client.once(Events.ThreadDelete, resolve));
      await control("delete_channel", { channel: thread.id });
      assert.equal((await gone).id, thread.id);
      assert.equal((await refusal(rest().post(`/channels/${thread.id}/messages`, { body: { content: "x" } }))).code, 10003);
    });
  });
}
