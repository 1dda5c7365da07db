// The socket: login, sessions that are resumed, sessions that are not, and what intents cover.
import assert from "node:assert/strict";
import { Events, GatewayIntentBits } from "discord.js";
import { ANN, BOT, channel, check, connected, control, GUILD, journal, refusal, rest, say, someone, TOKEN, until } from "../fake.mjs";

const sessions = () => control("sessions");

/** A client that collects what it hears in a channel. */
const listening = (work, more) =>
  connected(async (client) => {
    const heard = [];
    const resumed = [];
    client.on(Events.MessageCreate, (message) => heard.push(message.content));
    client.on(Events.ShardResume, (_, replayed) => resumed.push(replayed));
    await work(client, heard, resumed);
  }, more);

/** Ends the connection in some way, speaks meanwhile, and expects everything once and in order. */
const survives = (name, end, { resumes }) =>
  check(name, async () => {
    const garden = await channel();
    await listening(async (client, heard, resumed) => {
      const before = (await sessions()).identified;
      await say(garden, "1");
      await until("the first", () => heard.includes("1"));
      await end();
      if (resumes) {
        await say(garden, "2");
        await say(garden, "3");
        await until("the rest", () => heard.includes("3"), 20_000);
        await until("a resumed session", () => resumed.length === 1);
        assert.deepEqual(heard, ["1", "2", "3"]);
        assert.equal((await sessions()).identified, before, "a resumed session costs no IDENTIFY");
      } else {
        await until("a new session", async () => (await sessions()).identified === before + 1, 20_000);
        await until("a client that is ready", () => client.isReady());
        await until("a connection", async () => (await sessions()).sessions.some((session) => session.connected));
        await say(garden, "4");
        await until("the last", () => heard.includes("4"));
      }
    });
  });

export async function gateway() {
  await check("a bot logs in and knows itself and its guilds", async () => {
    const garden = await channel();
    await connected(async (client) => {
      assert.equal(client.user.id, BOT);
      assert.equal(client.user.bot, true);
      assert.equal(client.application.id, BOT);
      assert.equal(client.guilds.cache.get(GUILD).name, "Garden");
      assert.equal(client.channels.cache.get(garden).guildId, GUILD);
      assert.equal((await client.application.fetch()).id, BOT);
      assert.equal((await client.guilds.fetch(GUILD)).ownerId, ANN);
      assert.equal((await client.users.fetch(ANN)).username, "ann");
      const member = await client.guilds.cache.get(GUILD).members.fetch({ user: ANN, force: true });
      assert.equal(member.user.globalName, "Ann");
    });
  });

  await check("messages in guilds and private ones are answered", async () => {
    const garden = await channel();
    await connected(async (client) => {
      client.on(Events.MessageCreate, (message) => {
        if (!message.author.bot) message.reply(`${message.content}, ${message.author.globalName}`);
      });
      const { message_id } = await say(garden, "hello");
      const answer = await until("the answer", async () => (await journal()).calls.find((call) => call.chat === garden));
      assert.equal(answer.params.content, "hello, Ann");
      assert.equal(answer.params.message_reference.message_id, message_id);
      const { channel_id } = await control("say", { user: ANN, content: "in private" });
      await until("the other", async () => (await journal()).calls.some((call) => call.chat === channel_id && call.posted));
    });
  });

  await survives("a connection that drops is taken up again", () => control("disconnect"), { resumes: true });
  await survives("a request to reconnect is followed", () => control("reconnect"), { resumes: true });
  await survives("an unknown error ends no session", () => control("disconnect", { code: 4000 }), { resumes: true });
  await survives("a session that can be resumed is", () => control("invalidate", { resumable: true }), { resumes: true });
  await survives("a session that is over is begun anew", () => control("invalidate", { resumable: false }), { resumes: false });

  await check("a session that nobody took up in time is gone", async () => {
    const garden = await channel();
    await listening(async (client, heard) => {
      const before = (await sessions()).identified;
      await control("window", { seconds: -1 });
      await control("disconnect");
      await until("a new session", async () => (await sessions()).identified === before + 1, 20_000);
      await control("window", { seconds: 180 });
      await until("a connection", async () => (await sessions()).sessions.some((session) => session.connected));
      await say(garden, "after it");
      await until("the message", () => heard.includes("after it"));
    });
  });

  await check("a connection that acknowledges nothing is left and taken up again", async () => {
    await control("heartbeat", { interval_ms: 400 });
    const garden = await channel();
    await listening(async (client, heard, resumed) => {
      await control("unacknowledged", { on: true });
      await until("a dead connection", async () => (await sessions()).connections === 0, 20_000);
      await control("unacknowledged", { on: false });
      await say(garden, "meanwhile");
      await until("the message", () => heard.includes("meanwhile"), 20_000);
      // It is told after the messages that were missed.
      await until("the session goes on", () => resumed.length >= 1);
    });
    await control("heartbeat", { interval_ms: 41_250 });
  });

  await check("a deaf connection delivers once it hears again", async () => {
    const garden = await channel();
    await listening(async (client, heard) => {
      await control("deaf", { on: true });
      await say(garden, "unheard");
      await new Promise((wake) => setTimeout(wake, 100));
      assert.deepEqual(heard, []);
      await control("deaf", { on: false });
      await until("the message", () => heard.includes("unheard"));
    });
  });

  await check("a dispatch that comes twice has the same id", async () => {
    const garden = await channel();
    await connected(async (client) => {
      const ids = [];
      client.ws.on("MESSAGE_CREATE", (data) => ids.push(data.id));
      await say(garden, "once");
      await until("the first", () => ids.length === 1);
      await control("again");
      await until("the second", () => ids.length === 2);
      assert.equal(ids[0], ids[1]);
    });
  });

  await check("without the intent texts are hidden, unless the bot is meant", async () => {
    const garden = await channel();
    const intents = [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.DirectMessages];
    await listening(async (client, heard) => {
      await say(garden, "hidden");
      await say(garden, `<@${BOT}> shown`);
      await control("say", { user: ANN, content: "private" });
      await until("three messages", () => heard.length === 3);
      assert.deepEqual(heard, ["", `<@${BOT}> shown`, "private"]);
    }, { intents });
  });

  await check("a bot hears nothing of channels that it cannot see", async () => {
    const [secret, garden] = [await channel(), await channel()];
    await control("permit", { channel: secret, target: GUILD, deny: String(1 << 10) });
    await listening(async (client, heard) => {
      await say(secret, "secret");
      await say(garden, "open");
      await until("the open one", () => heard.length > 0);
      assert.deepEqual(heard, ["open"]);
      assert.equal((await refusal(rest().get(`/channels/${secret}`))).code, 50001);
    });
  });

  await check("an intent that nobody granted is refused", async () => {
    await control("grant", { intents: 0 });
    const error = await refusal(connected(() => assert.fail("it connected")));
    await control("grant", { intents: 33_026 });
    assert.match(error.message, /disallowed intents/i);
  });

  await check("a wrong token is refused", async () => {
    await control("token", { token: "another" });
    const error = await refusal(connected(() => assert.fail("it connected")));
    await control("token", { token: TOKEN });
    assert.match(error.message, /token/i);
  });

  await check("a bot that has identified too often is told before", async () => {
    const { identified } = await sessions();
    await control("budget", { identifies: identified });
    const start = (await rest().get("/gateway/bot")).session_start_limit;
    assert.equal(start.remaining, 0);
    assert.ok(start.reset_after > 0);
    await refusal(connected(() => assert.fail("it connected")));
    await control("budget", { identifies: 1000 });
    assert.equal((await rest().get("/gateway/bot")).session_start_limit.remaining, 1000 - identified);
  });

  await check("people, bots and webhooks are told apart", async () => {
    const garden = await channel();
    const ben = await someone();
    await connected(async (client) => {
      const heard = [];
      client.on(Events.MessageCreate, (message) => heard.push([message.author.bot, message.webhookId !== null]));
      await control("say", { user: ben, channel: garden, content: "a person" });
      await control("say", { user: ben, channel: garden, content: "a webhook", webhook: true });
      await until("both", () => heard.length === 2);
      assert.deepEqual(heard, [[false, false], [false, true]]);
    });
  });

  await check("the end of a membership and an outage are different", async () => {
    const guild = "9001";
    await control("guild", { id: guild, name: "Other", owner: ANN });
    await connected(async (client) => {
      const told = [];
      client.on(Events.GuildUnavailable, () => told.push("outage"));
      client.on(Events.GuildAvailable, () => told.push("back"));
      client.on(Events.GuildDelete, () => told.push("gone"));
      await control("outage", { guild, on: true });
      await control("outage", { guild, on: false });
      await control("part", { guild, user: BOT });
      await until("three events", () => told.length === 3);
      assert.deepEqual(told, ["outage", "back", "gone"]);
    });
  });
}
