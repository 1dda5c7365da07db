// A whole gateway with the real pi behind it, whose model is aimock.
//
//   FRONTDESK_INTEROP=FOLDER node pi.mjs [PART OF A TEST'S NAME]
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Gateway } from "../../page/program.mjs";
import { check, eventually } from "../check.mjs";
import { agent, configured, startModel, version } from "./model.mjs";

const model = await startModel();
const gateway = new Gateway();
gateway.env = configured(gateway.home, model);
for (const role of ["mentor", "everybody", "child"]) {
  const folder = join(gateway.home, role, "greet");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "SKILL.md"), `---\nname: greet\ndescription: Greets.\n---\nGreet as ${role}.\n`);
}
writeFileSync(join(gateway.home, "everybody", "sum.md"), "---\ndescription: Adds.\n---\nAdd $1 and $2\n");
writeFileSync(join(gateway.home, "everybody.md"), "You work for everybody.");
writeFileSync(join(gateway.home, "child.md"), "You only talk with children.");
writeFileSync(join(gateway.home, "frontdesk.toml"), `
[agents.main]
${agent}
models = ["fake-1", "fake-2"]
approvals = { write = "ask", edit = "deny", gateway_status = "deny" }
pool = { min = 0, max = 2 }
skills = ["mentor", "everybody"]
prompt_templates = ["everybody/sum.md"]
append_system_prompt = ["You are a mentor.", "everybody.md"]

[agents.closed]
${agent}
run_with = "bubblewrap"
readable = ["${process.env.FRONTDESK_INTEROP}"]
pool = { min = 0, max = 1 }

[roles.child]
skills = ["child"]
append_system_prompt = "You talk with children."

[roles.only]
merge_mode = "replace"
skills = ["child"]
extensions = []
prompt_templates = []
append_system_prompt = { file = "child.md" }

[channels.web.chats]
child = { role = "child" }
only = { role = "only" }
closed = { agent = "closed" }
`);

/** Sends a text and returns the answer. */
async function say(text, chat = "main") {
  const { status, body } = await gateway.api("POST", "api/chat", { text, chat });
  assert.equal(status, 200, JSON.stringify(body));
  return body.text;
}

/** Sends a text and does not wait. */
async function send(text, chat = "main") {
  const { status, body } = await gateway.api("POST", "api/chat", { text, chat, wait: false });
  assert.equal(status, 202, JSON.stringify(body));
  return body;
}

const session = (chat) => `agent:main:web:dm:${chat}`;

async function messages(chat) {
  const key = encodeURIComponent(session(chat));
  const { body } = await gateway.api("GET", `api/session/${key}/messages`);
  return body.messages;
}

/** The processes whose command line contains this. */
function processes(part) {
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").includes(part);
    } catch {
      return false;
    }
  }).map(Number);
}

/** The processes of pi. It names itself, so its command line says nothing. */
const pis = () => readdirSync("/proc").filter((pid) => /^\d+$/.test(pid)).map(Number).filter((pid) => {
  try {
    const name = readFileSync(`/proc/${pid}/comm`, "utf8").trim();
    return ["pi", "node", "MainThread"].includes(name) && readFileSync(`/proc/${pid}/environ`, "utf8").includes(`FRONTDESK_MEDIA=${gateway.home}/`);
  } catch {
    return false;
  }
});
const openAsk = (chat) => eventually("a question is open", async () => {
  const { body } = await gateway.api("GET", `api/asks?session=${encodeURIComponent(session(chat))}`);
  return body.asks.find((ask) => ask.state === "open");
});
/** Waits until the newest answer of a chat is this. */
const answered = (chat, pattern) => eventually(`${chat} shows ${pattern}`, async () => {
  const shown = JSON.stringify((await messages(chat)).slice(0, 3)).replaceAll("\\n", "\n");
  return pattern.test(shown) && shown;
});
const stop = (chat) => gateway.api("POST", `api/session/${encodeURIComponent(session(chat))}/stop`);
const answerAsk = (ask, choice) => gateway.api("POST", `api/asks/${ask.id}`, { choice });

const tests = {
  async "a prompt is answered, and each chat has a memory of its own"() {
    assert.equal(await say("hello", "a"), "echo: hello");
    await say("remember 7", "a");
    await say("remember 8", "b");
    assert.equal(await say("what did I say?", "a"), "You said: remember 7");
    assert.equal(await say("what did I say?", "b"), "You said: remember 8");
  },

  async "a third chat gets the place of the one that is idle longest, and that one remembers"() {
    assert.equal(await say("hello", "c"), "echo: hello");
    await eventually("two processes", () => pis().length <= 2);
    await eventually("the metrics count them", async () => {
      const headers = { Authorization: `Bearer ${gateway.token()}` };
      const text = await (await fetch(gateway.address("metrics"), { headers })).text();
      const count = (state) => Number(text.match(new RegExp(`^frontdesk_agent_processes\\{agent="main",state="${state}"\\} (\\d+)`, "m"))?.[1]);
      return count("idle") === 2 && count("busy") === 0 && count("waiting") === 0;
    });
    assert.equal(await say("what did I say?", "a"), "You said: remember 7");
  },

  async "a tool runs, and the usage is reported"() {
    const { body } = await gateway.api("POST", "api/chat", { text: "run echo one two", chat: "tool" });
    assert.equal(body.text, "Let me see.\n\nThe tool says: one two");
    assert.equal(body.usage.model, "fake-1");
    assert.ok(body.usage.input > 0 && body.usage.cost_micro > 0 && body.usage.context_window === 32000, JSON.stringify(body));
  },

  async "a tool that needs permission waits for a person, who may refuse it"() {
    const file = join(gateway.home, "agents", "main", "hello.txt");
    for (const [choice, shown] of [["deny", /A person denied this/], ["allow", /The tool says: Successfully wrote/]]) {
      const sent = send("write hello.txt", "ask");
      const ask = await openAsk("ask");
      assert.match(ask.text, /May the agent use `write`\?[^]*content: hello[^]*path: hello.txt/);
      assert.equal(existsSync(file), false);
      await answerAsk(ask, choice);
      await sent;
      const last = await answered("ask", shown);
      if (choice === "deny") assert.equal(existsSync(file), false, last);
    }
    assert.equal(readFileSync(file, "utf8"), "hello");
  },

  async "a question is withdrawn when the turn is stopped, and pi goes on with the next prompt"() {
    await send("write other.txt", "ask");
    const ask = await openAsk("ask");
    const before = pis();
    await stop("ask");
    await eventually("the question is withdrawn", async () => {
      const { body } = await gateway.api("GET", "api/asks?state=open");
      return !body.asks.some((open) => open.id === ask.id);
    });
    assert.equal(await say("hello again", "ask"), "echo: hello again");
    assert.deepEqual(pis(), before, "the same process");
    assert.equal(existsSync(join(gateway.home, "agents", "main", "other.txt")), false);
  },

  async "a tool that the configuration denies does not run"() {
    assert.match(await say("edit hello.txt", "tool"), /not allowed by the gateway's configuration/);
  },

  async "pi uses the gateway's tools, each call once and in its own chat, and the configuration decides about them"() {
    const sent = async () => {
      const { body } = await gateway.api("GET", "api/outbox");
      return body.parts.filter((part) => part.text.includes("by the tool")).map((part) => part.session);
    };
    assert.match(await say('call send_message {"text":"by the tool"}', "gateway"), /The tool says: It is on its way/);
    assert.deepEqual(await sent(), [session("gateway")]);
    const status = await say("call session_status {}", "gateway");
    assert.ok(status.includes(session("gateway")) && status.includes('"conversation":1'), status);
    assert.match(await say('call send_message {"text":"x","chat":"other"}', "gateway"), /unknown field|additional properties/);
    assert.match(await say('call gateway_status {}', "gateway"), /not allowed by the gateway's configuration/);
    assert.equal((await sent()).length, 1);
    // A process that was taken over from another conversation knows that it serves another session now.
    assert.ok((await say("call session_status {}", "gateway-2")).includes(session("gateway-2")));
  },

  async "the first of two skills counts, templates are filled in, and the system prompt grows in order"() {
    const greeting = await say("/skill:greet", "role");
    assert.ok(/Greet as mentor/.test(greeting) && !/everybody/.test(greeting), greeting);
    assert.equal(await say("//sum 2 3", "role"), "echo: Add 2 and 3");
    const { role, content } = model.requests().at(-1).messages[0];
    assert.ok(role === "system" && /You are a mentor\.[^]*You work for everybody\./.test(JSON.stringify(content)), role);
  },

  async "what a role gives comes before what the agent has, or in its place"() {
    const system = () => JSON.stringify(model.requests().at(-1).messages[0].content);
    assert.match(await say("/skill:greet", "child"), /Greet as child/);
    assert.equal(await say("//sum 2 3", "child"), "echo: Add 2 and 3");
    assert.match(system(), /You are a mentor\.[^]*You work for everybody\.[^]*You talk with children\./);
    assert.match(await say("/skill:greet", "only"), /Greet as child/);
    assert.equal(await say("//sum 2 3", "only"), "echo: /sum 2 3");
    assert.match(system(), /You only talk with children\./);
    assert.doesNotMatch(system(), /mentor|everybody/);
  },

  async "pi in a sandbox answers, remembers and runs tools, and sees nothing of the gateway"() {
    const probe = spawnSync("bwrap", ["--ro-bind", "/", "/", "--unshare-pid", "true"], { encoding: "utf8" });
    assert.ok(!probe.error, "this test needs the package bubblewrap");
    if (probe.status !== 0) {
      console.error(`WARNING: NOT TESTED, BECAUSE THIS KERNEL FORBIDS NAMESPACES: ${probe.stderr}`);
      return;
    }
    assert.equal(await say("remember 3", "closed"), "echo: remember 3");
    assert.equal(await say("what did I say?", "closed"), "You said: remember 3");
    const seen = await say(`run cat ${gateway.home}/token ${gateway.home}/frontdesk.db; id -u; ls ${gateway.home}`, "closed");
    assert.ok(!seen.includes(gateway.token()) && /token: No such file/.test(seen) && /frontdesk.db: No such file/.test(seen), seen);
    assert.match(await say("call session_status {}", "closed"), /agent:closed:web:dm:closed/);
  },

  async "a message steers a running answer"() {
    await send("run sleep 3", "steer");
    await eventually("the tool runs", () => processes("sleep 3").length);
    await send("/steer remember 9", "steer");
    await answered("steer", /echo: remember 9/);
    assert.equal(await say("what did I say?", "steer"), "You said: remember 9");
  },

  async "a steer that comes too late is answered next"() {
    for (const wait of [0, 40, 80, 120, 160]) {
      await send("quick", "late");
      await pause(wait);
      await send(`/steer late ${wait}`, "late");
      await answered("late", new RegExp(`echo: late ${wait}\\b`));
    }
  },

  async "a stopped answer ends at once and its process goes on"() {
    const asked = model.requests().length;
    await send("count", "stop");
    await eventually("the model is asked", () => model.requests().length > asked);
    const before = pis();
    await stop("stop");
    assert.equal(await say("hello", "stop"), "echo: hello");
    assert.deepEqual(pis(), before, "the same process");
  },

  async "a model's error is an error, and the next prompt is answered"() {
    const { status, body } = await gateway.api("POST", "api/chat", { text: "fail", chat: "error" });
    assert.ok(status >= 500 && /no such thing/.test(body.error.detail), JSON.stringify(body));
    assert.equal(await say("hello", "error"), "echo: hello");
  },

  async "a chat chooses its model"() {
    const { body } = await gateway.api("POST", "api/chat", { text: "/model fake-2", chat: "model" });
    assert.ok(body.text, JSON.stringify(body));
    await say("which model?", "model");
    assert.equal(model.requests().at(-1).model, "fake-2");
    await say("which model?", "tool");
    assert.equal(model.requests().at(-1).model, "fake-1");
  },

  async "a killed pi is replaced, and the turn runs again if no tool has run"() {
    await say("remember 5", "kill");
    await send("count", "kill");
    await pause(700);
    assert.ok(pis().length > 0);
    for (const pid of pis()) process.kill(pid, "SIGKILL");
    await answered("kill", /number 59/);
    assert.equal(await say("what did I say?", "kill"), "You said: remember 5");
  },

  async "a pi that is killed while a tool runs takes the tool along, and the turn does not run again"() {
    await send("run sleep 31", "kill");
    await eventually("the tool runs", () => processes("sleep 31").length);
    for (const pid of pis()) process.kill(pid, "SIGKILL");
    await eventually("the tool has ended", () => processes("sleep 31").length === 0);
    await answered("kill", /interrupted|retry/i);
    assert.equal(await say("hello", "kill"), "echo: hello");
  },

  async "a gateway that is killed answers the turn after its start, and leaves no process"() {
    await send("count", "crash");
    await pause(1500);
    await gateway.kill();
    await gateway.start();
    await answered("crash", /number 59/);
    assert.equal((await messages("crash")).filter((message) => /number 59/.test(JSON.stringify(message))).length, 1);
    assert.equal(await say("what did I say?", "kill"), "You said: remember 5", "after a restart");
    assert.ok(pis().length <= 2, `${pis()}`);
  },

  async "a reset forgets, and a conversation that is resumed remembers"() {
    await say("remember 3", "reset");
    await say("/new", "reset");
    assert.equal(await say("what did I say?", "reset"), "You said: nothing");
    await say("/resume 1", "reset");
    assert.equal(await say("what did I say?", "reset"), "You said: remember 3");
  },

  async "a compaction that pi refuses fails alone"() {
    const { status, body } = await gateway.api("POST", "api/chat", { text: "/compact", chat: "reset" });
    // Old versions summarize even the smallest session.
    if (version.startsWith("0.7")) return assert.match(body.text, /compacted this conversation/);
    // The session is so small that pi refuses; that is an answer, and pi goes on.
    assert.ok(status === 502 && /Nothing to compact/.test(body.error.detail), JSON.stringify(body));
    assert.equal(await say("hello", "reset"), "echo: hello");
  },

  async "a gateway that ends leaves no process"() {
    await say("hello", "a");
    gateway.daemon.removeAllListeners("exit");
    const exit = new Promise((resolve) => gateway.daemon.once("exit", resolve));
    gateway.daemon.kill("SIGTERM");
    await exit;
    assert.deepEqual(pis(), []);
    await gateway.start();
  },
};

await check(gateway, tests, () => model.stop());
