// Long polling: offsets, restarts, conflicts, duplicates.
import assert from "node:assert/strict";
import { API_CONSTANTS, Bot } from "grammy";
import { check, control, journal, say, shows, someone, TOKEN, until, url } from "../fake.mjs";

export const makeBot = (more = {}) => new Bot(TOKEN, { client: { apiRoot: url, ...more } });

/** A bot that runs while `work` does. */
export async function running(bot, work) {
  const failed = [];
  bot.catch((error) => failed.push(error));
  let started;
  const ready = new Promise((resolve) => (started = resolve));
  const end = bot.start({ timeout: 5, allowed_updates: API_CONSTANTS.ALL_UPDATE_TYPES, onStart: started });
  await Promise.race([ready, end]);
  try {
    await work();
  } finally {
    await bot.stop();
    await end;
  }
  assert.deepEqual(failed.map((error) => error.message), []);
}

export async function polling() {
  await check("a bot knows itself", async () => {
    const bot = makeBot();
    await bot.init();
    assert.equal(bot.botInfo.username, "frontdesk_bot");
    assert.equal(bot.botInfo.is_bot, true);
    assert.equal(bot.botInfo.can_join_groups, true);
    assert.equal(typeof bot.botInfo.can_read_all_group_messages, "boolean");
    assert.equal(typeof bot.botInfo.has_topics_enabled, "boolean");
  });

  await check("a message is answered", async () => {
    const anna = await someone();
    const bot = makeBot();
    bot.on("message:text", (ctx) => ctx.reply(`${ctx.message.text}, ${ctx.from.first_name}`));
    await running(bot, async () => {
      await say(anna, "hello");
      await until("the answer", async () => (await shows(anna)).at(-1).text === "hello, Anna");
    });
  });

  await check("a command reaches its handler with its argument", async () => {
    const anna = await someone();
    const bot = makeBot();
    const heard = [];
    bot.command("new", (ctx) => heard.push(ctx.match));
    bot.on("message", () => heard.push("another handler"));
    await running(bot, async () => {
      await say(anna, "/new one two");
      await say(anna, "/new@frontdesk_bot three");
      await say(anna, "/new@other_bot four");
      await until("three messages", () => heard.length === 3);
    });
    assert.deepEqual(heard, ["one two", "three", "another handler"]);
  });

  await check("what comes while the bot is away waits, once each and in order", async () => {
    const anna = await someone();
    const heard = [];
    const listening = () => {
      const bot = makeBot();
      bot.on("message:text", (ctx) => heard.push(ctx.message.text));
      return bot;
    };
    await running(listening(), async () => {
      await say(anna, "1");
      await until("the first", () => heard.length === 1);
    });
    for (const text of ["2", "3", "4"]) await say(anna, text);
    await running(listening(), async () => {
      await until("the rest", () => heard.length >= 4);
      await say(anna, "5");
      await until("the last", () => heard.length >= 5);
    });
    assert.deepEqual(heard, ["1", "2", "3", "4", "5"]);
  });

  await check("an update that is not confirmed comes again, and no more after it is", async () => {
    const anna = await someone();
    const { update_id } = await say(anna, "hello");
    const { api } = makeBot();
    const first = await api.getUpdates();
    const again = await api.getUpdates();
    assert.deepEqual(first, again);
    assert.equal(first[0].update_id, update_id);
    assert.deepEqual(await api.getUpdates({ offset: update_id + 1 }), []);
    assert.deepEqual(await api.getUpdates(), []);
    assert.notEqual((await journal()).deliveries.at(-1).confirmed, null);
  });

  await check("limit, negative offset and a hundred at most", async () => {
    const anna = await someone();
    for (let n = 0; n < 105; n++) await say(anna, `${n}`);
    const { api } = makeBot();
    assert.equal((await api.getUpdates()).length, 100);
    assert.equal((await api.getUpdates({ limit: 3 })).length, 3);
    const last = await api.getUpdates({ offset: -2 });
    assert.deepEqual(last.map((update) => update.message.text), ["103", "104"]);
    assert.equal((await api.getUpdates()).length, 2);
  });

  await check("a long poll returns as soon as something comes", async () => {
    const anna = await someone();
    const { api } = makeBot();
    const waiting = api.getUpdates({ timeout: 20 });
    const began = Date.now();
    setTimeout(() => say(anna, "hello"), 100);
    assert.equal((await waiting)[0].message.text, "hello");
    assert.ok(Date.now() - began < 3000);
  });

  await check("a second poller ends the first with a conflict", async () => {
    await someone();
    const { api } = makeBot();
    const first = api.getUpdates({ timeout: 20 }).then(() => assert.fail("both poll"), (error) => error);
    await new Promise((wake) => setTimeout(wake, 100));
    const second = api.getUpdates({ timeout: 1 });
    const error = await first;
    assert.equal(error.error_code, 409);
    assert.match(error.description, /^Conflict: terminated by other getUpdates request; make sure that only one bot/);
    assert.deepEqual(await second, []);
  });

  await check("updates are kept for a day", async () => {
    const anna = await someone();
    await say(anna, "old");
    await control("advance", { seconds: 86_401 });
    await say(anna, "young");
    const updates = await makeBot().api.getUpdates();
    assert.deepEqual(updates.map((update) => update.message.text), ["young"]);
  });

  await check("allowed_updates is remembered, and rare kinds must be asked for", async () => {
    const anna = await someone();
    const { api } = makeBot();
    const { message_id } = await say(anna, "hello");
    const react = () => control("react", { chat: anna, user: anna, message_id, emoji: ["👍"] });
    await api.getUpdates({ offset: -1, allowed_updates: [] });
    assert.equal((await react()).update_id, 0);
    await api.getUpdates({ allowed_updates: ["message_reaction"] });
    await api.getUpdates();
    assert.notEqual((await react()).update_id, 0);
    assert.equal((await say(anna, "unheard")).update_id, 0);
    await api.getUpdates({ allowed_updates: [] });
  });

  await check("an update that comes twice has the same number", async () => {
    const anna = await someone();
    const { api } = makeBot();
    const { update_id } = await say(anna, "hello");
    await api.getUpdates({ offset: update_id + 1 });
    await control("again", { update_id });
    const [again] = await api.getUpdates({ offset: update_id + 1 });
    assert.equal(again.update_id, update_id);
  });

  await check("an update of an unknown kind passes through the SDK", async () => {
    const anna = await someone();
    const bot = makeBot();
    const heard = [];
    bot.on("message:text", (ctx) => heard.push(ctx.message.text));
    await running(bot, async () => {
      await control("garbage", { fields: `"something_new":{"a":[1,2]}` });
      await say(anna, "after it");
      await until("the message", () => heard.length === 1);
    });
  });
}
