// Chats of Telegram (the fake Bot API) with the real pi behind them, whose model is aimock.
//
//   FRONTDESK_INTEROP=FOLDER node telegram.mjs [PART OF A TEST'S NAME]
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Gateway } from "../../page/program.mjs";
import { check, eventually } from "../check.mjs";
import { agent, configured, startModel } from "./model.mjs";

const OLGA = 41; // The admin.
const ANNA = 42;
const BOB = 43;
const GROUP = -1001000000001;

const model = await startModel();
const botapi = spawn(process.env.FRONTDESK_BOTAPI || join(import.meta.dirname, "../../../target/debug/frontdesk-botapi"), ["--port", "0"],
  { stdio: ["ignore", "pipe", "inherit"] });
const url = await new Promise((resolve, reject) => {
  let said = "";
  botapi.stdout.on("data", (chunk) => {
    said += chunk;
    const found = said.match(/http:\/\/127\.0\.0\.1:\d+/);
    if (found) resolve(found[0]);
  });
  botapi.once("exit", (code) => reject(new Error(`the fake Bot API ended with ${code}`)));
});

async function control(action, body) {
  const reply = await fetch(`${url}/control/${action}`, { method: "POST", body: JSON.stringify(body) });
  assert.ok(reply.ok, `${action}: ${await reply.clone().text()}`);
  return reply.json();
}

const gateway = new Gateway();
gateway.env = configured(gateway.home, model);
writeFileSync(join(gateway.home, "frontdesk.toml"), `
[channels.telegram]
token = "123456:TEST-token"
api_url = "${url}"
dm_policy = "open"
admins = [${OLGA}]

[channels.telegram.groups."${GROUP}"]
require_mention = false

[agents.main]
${agent}
pool = { min = 0, max = 2 }
`);
for (const [id, name] of [[OLGA, "Olga"], [ANNA, "Anna"], [BOB, "Bob"]]) await control("user", { id, name });
await control("new_chat", { id: GROUP, kind: "supergroup", title: "Team", admin: true });
for (const user of [OLGA, ANNA]) await control("join", { chat: GROUP, user });

const say = (from, text, more = {}) => control("say", { chat: from, from, text, ...more });
async function messages(chat) {
  const reply = await fetch(`${url}/control/chat?chat=${chat}`);
  return reply.json();
}
/** The messages of a chat that match. */
const shown = async (chat, pattern) => (await messages(chat)).filter((message) => pattern.test(message.text));
const shows = (chat, pattern) => eventually(`${chat} shows ${pattern}`, async () => (await shown(chat, pattern)).at(-1));
/** Waits for the newest question of a chat that still has buttons. */
const question = (chat, pattern) => eventually(`a question in ${chat}`, async () =>
  (await shown(chat, pattern)).findLast((message) => message.buttons.length > 0));

const tests = {
  async "two chats have a memory each"() {
    await say(ANNA, "remember 7");
    await shows(ANNA, /^echo: remember 7$/);
    await say(BOB, "remember 8");
    await shows(BOB, /^echo: remember 8$/);
    for (const chat of [ANNA, BOB]) await say(chat, "what did I say?");
    await shows(ANNA, /^You said: remember 7$/);
    await shows(BOB, /^You said: remember 8$/);
  },

  async "a picture reaches the model"() {
    const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    await say(ANNA, "look", { attachment: { photo: { base64: png, name: "a.png" } } });
    await shows(ANNA, /^I see 1 image$/);
  },

  async "a tool waits for the button of the person who asked"() {
    await say(ANNA, "run echo one");
    const asked = await question(ANNA, /May the agent use bash\?/);
    assert.match(asked.text, /command: echo one|echo one/);
    assert.deepEqual(asked.buttons, ["Allow", "Deny"]);
    assert.deepEqual(await shown(ANNA, /The tool says/), []);
    await control("press", { chat: ANNA, message_id: asked.message_id, user: ANNA, button: "Allow" });
    await shows(ANNA, /The tool says: one$/);
    await say(ANNA, "run echo two");
    const second = await question(ANNA, /echo two/);
    await control("press", { chat: ANNA, message_id: second.message_id, user: ANNA, button: "Deny" });
    await shows(ANNA, /The tool says: A person denied this/);
    assert.deepEqual(await shown(ANNA, /The tool says: two/), []);
  },

  async "an admin's tool runs at once in private, and asks in a group"() {
    await say(OLGA, "run echo three");
    await shows(OLGA, /The tool says: three$/);
    await say(OLGA, "run echo four", { chat: GROUP });
    const asked = await question(GROUP, /echo four/);
    // Somebody else's press changes nothing.
    const { query_id: text } = await control("press", { chat: GROUP, message_id: asked.message_id, user: ANNA, button: "Allow" });
    await eventually("the press is answered", async () => (await control("pressed", { text })).answer);
    assert.deepEqual(await shown(GROUP, /The tool says/), []);
    await control("press", { chat: GROUP, message_id: asked.message_id, user: OLGA, button: "Allow" });
    await shows(GROUP, /The tool says: four$/);
  },

  async "a message steers a running answer"() {
    await say(OLGA, "run sleep 2");
    await shows(OLGA, /Let me see/);
    await say(OLGA, "/steer remember 9");
    await shows(OLGA, /echo: remember 9/);
    await say(OLGA, "what did I say?");
    await shows(OLGA, /^You said: remember 9$/);
  },

  async "/stop ends an answer, and the next one is whole"() {
    await say(OLGA, "count");
    await shows(OLGA, /number 3/);
    await say(OLGA, "/stop");
    await say(OLGA, "hello");
    await shows(OLGA, /^echo: hello$/);
    assert.deepEqual(await shown(OLGA, /number 59/), []);
  },

  async "a reset forgets, and a conversation that is resumed remembers"() {
    await say(BOB, "/new");
    await say(BOB, "what did I say?");
    await shows(BOB, /^You said: nothing$/);
    await say(BOB, "/resume 1");
    await say(BOB, "what did I say?");
    await eventually("it remembers", async () => (await shown(BOB, /^You said: remember 8$/)).length === 2);
  },

  async "a gateway that is killed in an answer takes it up once"() {
    await say(BOB, "count");
    await shows(BOB, /number 3/);
    await gateway.kill();
    await gateway.start();
    await shows(BOB, /number 59/);
    await say(BOB, "hello");
    await shows(BOB, /^echo: hello$/);
    assert.equal((await shown(BOB, /number 59/)).length, 1);
  },
};

await check(gateway, tests, async () => {
  botapi.removeAllListeners("exit");
  botapi.kill();
  await model.stop();
});
