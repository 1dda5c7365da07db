// The fake server's control port, a bot to judge it with, and a list of checks with a verdict at the end.
import assert from "node:assert/strict";
import { Client, GatewayIntentBits, Partials, REST } from "discord.js";

export const TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAwMQ.test.token";
export const BOT = "1000000000000000001";
export const url = process.argv[2] ?? "http://127.0.0.1:8082";
export const GUILD = "9000";
export const ANN = "7000";

export async function control(act, body = {}) {
  const answer = await fetch(`${url}/control/${act}`, { method: "POST", body: JSON.stringify(body) });
  const value = await answer.json();
  if (!answer.ok) throw new Error(`${act}: ${value.error}`);
  return value;
}

export const look = async (path) => (await fetch(`${url}/control/${path}`)).json();
export const shows = (channel) => look(`chat?chat=${channel}`);
export const journal = () => look("journal");
export const say = (channel, content, more = {}) => control("say", { user: ANN, channel, content, ...more });

/** A guild with Ann in it, made once. */
export async function setUp() {
  await control("user", { id: ANN, name: "Ann" });
  await control("guild", { id: GUILD, name: "Garden", owner: ANN });
}

let next = 100_000;
export const newId = () => String(next++);

export async function channel(kind = 0, more = {}) {
  const id = newId();
  await control("channel", { id, guild: GUILD, name: `channel-${id}`, kind, ...more });
  return id;
}

/** Somebody new, who is in the guild. */
export async function someone(name = "Ben") {
  const id = newId();
  await control("user", { id, name });
  await control("member", { guild: GUILD, user: id });
  return id;
}

const INTENTS = [
  GatewayIntentBits.Guilds,
  GatewayIntentBits.GuildMessages,
  GatewayIntentBits.GuildMessageReactions,
  GatewayIntentBits.DirectMessages,
  GatewayIntentBits.DirectMessageReactions,
  GatewayIntentBits.MessageContent,
];

/** A client that is logged in while `work` runs. */
export async function connected(work, { intents = INTENTS, rest = {} } = {}) {
  const client = new Client({
    intents,
    partials: [Partials.Channel, Partials.Message, Partials.Reaction, Partials.User, Partials.GuildMember],
    rest: { api: `${url}/api`, version: "10", ...rest },
  });
  const failed = [];
  client.on("error", (error) => failed.push(error));
  const ready = new Promise((resolve) => client.once("clientReady", resolve));
  await client.login(TOKEN);
  await ready;
  try {
    await work(client);
  } finally {
    await client.destroy();
  }
  assert.deepEqual(failed.map((error) => error.message), []);
}

/** REST without a socket. */
export const rest = (more = {}) => new REST({ api: `${url}/api`, version: "10", ...more }).setToken(TOKEN);

export async function until(what, test, ms = 10_000) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await test();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what} did not happen`);
    await new Promise((wake) => setTimeout(wake, 10));
  }
}

const verdicts = { passed: 0, failed: 0 };
export async function check(name, test) {
  if (process.argv[3] && !name.includes(process.argv[3])) return;
  try {
    await control("clear_faults");
    await test();
    verdicts.passed += 1;
  } catch (error) {
    verdicts.failed += 1;
    console.error(`FAILED ${name}\n  ${error.stack ?? error}`);
  }
}

export function verdict() {
  console.log(`${verdicts.passed} passed, ${verdicts.failed} failed`);
  process.exit(verdicts.failed === 0 && verdicts.passed > 0 ? 0 : 1);
}

/** The code of the error with which a request is refused. */
export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("nothing was refused");
}
