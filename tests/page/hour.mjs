// A long use of the chat page: one person writes from two tabs and a phone, another program and the command line write to the
// same chats, answers are stopped, pages are reloaded and closed, and the gateway is killed again and again. Afterwards every
// message is there once, with one answer, in the gateway and on every page.
//
//   node hour.mjs [--seconds N] [--seed N]
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Gateway, run } from "./gateway.mjs";
import { program } from "./program.mjs";

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const seconds = option("seconds", 60);
const seed = option("seed", Date.now() % 1_000_000);

const CHATS = ["main", "garden", "kitchen"];
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
/** After so much time of use, everything is counted. */
const ROUND_MS = 60_000;
/** How long answers of a round may take when nobody writes any more. */
const QUIET_MS = 180_000;
const WORDS = Array.from({ length: 40 }, (_, n) => `word${n}`).join(" ");

const gateway = new Gateway();
const agent = [process.execPath, join(import.meta.dirname, "writing_agent.mjs")];
writeFileSync(join(gateway.home, "frontdesk.toml"), `
[gateway.limits]
per_token = { per_minute = 0, burst = 0 }

[limits.chat]
per_minute = 0

[limits.user]
per_minute = 0

[agents.main]
kind = "command"
mode = "lasting"
command = ${JSON.stringify(agent)}
`);

/** Mulberry32: the same seed gives the same story, as far as the clock lets it. */
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
}
const below = (limit) => Math.floor(random() * limit);
const chance = (share) => random() < share;
const one = (list) => list[below(list.length)];

/** What was written: the chat of each text, and who has written it when. */
const written = new Map();
const writers = new Map();
/** When answers were stopped, which also withdraws what waits in the chat. */
const stops = [];
/** A stop is done at most so much later than the key was pressed: what is pressed while the gateway is away counts afterwards. */
const STOP_MS = 15_000;
/** How often each thing was done. */
const done = {};
const did = (what) => { done[what] = (done[what] ?? 0) + 1; };

function nextText(chat, writer) {
  const text = `${chance(0.6) ? "slowly" : "quickly"} ${written.size} in ${chat}.`;
  written.set(text, chat);
  writers.set(text, `${writer} at ${new Date().toISOString()}`);
  return text;
}

const answerTo = (text) => `You wrote: ${text}${text.startsWith("slowly") ? ` ${WORDS}` : ""}`;

/** A tab of the person, or the phone. */
class Tab {
  chat = "main";

  constructor(context, name) {
    this.context = context;
    this.name = name;
  }

  async open(chat = this.chat) {
    this.chat = chat;
    this.page ??= await this.context.newPage();
    // Another address of the same page is no navigation of its own.
    await this.page.goto("about:blank");
    // The browser cannot load it while the gateway is down; a person tries again.
    while (!await this.page.goto(gateway.address(`#chat=${chat}`)).then(() => true, () => false)) await pause(300);
    await this.field().waitFor({ timeout: 30_000 }).catch(async (error) => {
      // Without its first script the page cannot even load itself again. A person sees that it is broken, and reloads it.
      const files = await this.page.evaluate(() => performance.getEntriesByType("resource").map((one) => [one.name, one.responseStatus]));
      const start = files.find(([name]) => name.endsWith("/start.js"));
      if (!start || start[1] === 200) throw new Error(`${this.name} shows nothing: ${JSON.stringify(files)}`, { cause: error });
      await this.open();
    });
  }

  field() { return this.page.getByLabel("Message", { exact: true }); }

  async write() {
    const text = nextText(this.chat, this.name);
    await this.field().fill(text);
    await this.field().press("Enter");
    did(`written on ${this.name}`);
  }

  /** What one does in a tab while the gateway may be down. */
  async act() {
    const dice = random();
    if (dice < 0.7) return this.write();
    if (dice < 0.78 && gateway.isUp) {
      did("reloads");
      return this.open();
    }
    if (dice < 0.86 && gateway.isUp) {
      did("changes of the chat");
      return this.open(one(CHATS));
    }
    if (dice < 0.9 && gateway.isUp) {
      did("tabs closed");
      await this.page.close();
      this.page = null;
      return this.open();
    }
    if (dice < 0.95) {
      const stop = this.page.getByRole("button", { name: "Stop", exact: true });
      if (await stop.isVisible()) {
        did("stops");
        stops.push({ chat: this.chat, at: Date.now() });
        await this.page.keyboard.press("Escape");
      }
      return null;
    }
    did("scrolls");
    return this.page.locator("#log").evaluate((log) => { log.scrollTop = 0; });
  }

  /** The rows that the page shows, with their words. */
  rows() {
    return this.page.locator("#rows > li").evaluateAll((all) => all.map((row) => (
      `${row.classList[0]}: ${row.querySelector(".text").innerText.trim()}`)));
  }

  /** Waits until the page is connected, and the gateway has all that was written on it. */
  sent() {
    return this.waits("has not sent everything", () => (
      document.getElementById("state").textContent === "Connected"
        && ![...document.querySelectorAll("#rows .note")].some((note) => /Sen[dt]/.test(note.textContent))));
  }

  /** Waits until the page shows that nothing is being answered. The gateway has answered everything. */
  rests() {
    return this.waits("still waits for an answer", () => (
      !document.querySelector("#rows > li[aria-busy]") && document.getElementById("stop").hidden
        && ![...document.querySelectorAll("#rows .note")].some((note) => /number \d/.test(note.textContent))));
  }

  waits(problem, condition) {
    return this.page.waitForFunction(condition, null, { timeout: 60_000 }).catch(async (error) => {
      const { body } = await gateway.api("GET", "api/sessions?limit=100");
      const rows = await this.page.locator("#rows > li").evaluateAll((all) => all.slice(-20).map((row) => row.outerHTML).join("\n"));
      throw new Error(`${this.name} ${problem} in ${this.chat}: ${JSON.stringify(body)}\n${rows}`, { cause: error });
    });
  }
}

/** Writes as another program does: repeats a request until it is accepted. */
async function programWrites() {
  const chat = one(CHATS);
  const text = nextText(chat, "a program");
  const key = `story-${written.size}`;
  did("written by a program");
  for (;;) {
    try {
      const reply = await fetch(gateway.address("api/chat"), {
        method: "POST",
        headers: { Authorization: `Bearer ${gateway.token()}`, "Content-Type": "application/json", "Idempotency-Key": key },
        body: JSON.stringify({ text, chat, wait: false }),
      });
      if (reply.status === 202 || reply.status === 200) return;
      assert.ok(reply.status >= 500, `${reply.status}: ${await reply.text()}`);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
    await pause(200);
  }
}

/** Writes on the command line, once the gateway is up. A command that was cut off is not repeated: it says what to do. */
function commandWrites() {
  const chat = one(CHATS);
  const text = nextText(chat, "the command line");
  did("written on the command line");
  return new Promise((resolve) => {
    execFile(program, ["--home", gateway.home, "chat", "--chat", chat, text], { timeout: 60_000 }, (error) => {
      if (error) cutOff.add(text);
      resolve();
    });
  });
}
/** What a command line may or may not have handed over before the gateway was killed. */
const cutOff = new Set();

/** Everything that the gateway says a chat has shown, the oldest first. */
async function timeline(chat) {
  const all = [];
  for (let before = ""; before !== null;) {
    const { body } = await gateway.api("GET", `api/session/agent:main:web:dm:${chat}/timeline?limit=200${before}`);
    assert.ok(body.items, JSON.stringify(body));
    all.push(...body.items);
    before = body.next === null ? null : `&before=${encodeURIComponent(body.next)}`;
  }
  return all.reverse();
}

/** Compares what was written with what the gateway has stored. */
async function count() {
  let whole = 0;
  let stopped = 0;
  for (const chat of CHATS) {
    const items = await timeline(chat);
    const finals = new Map();
    for (const { type, frame } of items) {
      if (type === "frame" && frame.type === "done") {
        assert.ok(!finals.has(frame.message), `${frame.message} has two answers in ${chat}`);
        finals.set(frame.message, frame);
      }
    }
    const prompts = items.filter(({ type }) => type === "prompt");
    const known = new Map();
    for (const prompt of prompts) {
      assert.ok(!known.has(prompt.text), `${prompt.text}: twice`);
      known.set(prompt.text, prompt);
    }
    for (const [text, where] of written) {
      if (where !== chat) continue;
      const prompt = known.get(text);
      if (!prompt && cutOff.has(text)) continue;
      assert.ok(prompt, `lost: ${text}, written by ${writers.get(text)}`);
      const shown = finals.get(prompt.message)?.fullText ?? prompt.answer ?? "";
      if (shown === answerTo(text)) {
        whole += 1;
        continue;
      }
      const about = `${text}: ${JSON.stringify({ shown, ...prompt })}`;
      assert.ok(answerTo(text).startsWith(shown.replace(/\s*\(stopped\)$/, "")), about);
      const came = Date.parse(prompt.received);
      assert.ok(stops.some((stop) => stop.chat === chat && came < stop.at + STOP_MS), `nobody has stopped this: ${about}`);
      stopped += 1;
    }
  }
  return { whole, stopped };
}

/** Waits until no message waits for an answer. */
async function quiet() {
  for (const end = Date.now() + QUIET_MS; ;) {
    const { body } = await gateway.api("GET", "api/sessions?limit=100");
    if (body.sessions.every(({ running, waiting }) => !running && !waiting)) return;
    assert.ok(Date.now() < end, `not answered in time: ${JSON.stringify(body)}`);
    await pause(200);
  }
}

/** Runs the daemon, and kills it again and again until the end. */
async function killAgain(end) {
  while (Date.now() < end) {
    await pause(2_000 + below(9_000));
    if (Date.now() >= end) return;
    gateway.isUp = false;
    await gateway.kill();
    did("kills");
    await pause(chance(0.7) ? below(500) : below(6_000));
    await gateway.start();
    gateway.isUp = true;
  }
}

async function again(end, longest, act) {
  while (Date.now() < end) {
    await act();
    await pause(below(longest));
  }
}

async function story(page) {
  gateway.isUp = true;
  await page.goto(gateway.address(`#token=${gateway.token()}`));
  await page.getByText("Connected", { exact: true }).waitFor();
  const phone = await page.context().browser().newContext(PHONE);
  phone.setDefaultTimeout(30_000);
  const first = await phone.newPage();
  await first.goto(gateway.address(`#token=${gateway.token()}`));
  await first.getByText("Connected", { exact: true }).waitFor();
  await first.close();
  const tabs = [new Tab(page.context(), "the first tab"), new Tab(page.context(), "the second tab"), new Tab(phone, "the phone")];
  tabs[0].page = page;
  for (const tab of tabs) await tab.open();

  const last = Date.now() + seconds * 1000;
  while (Date.now() < last) {
    const end = Math.min(last, Date.now() + ROUND_MS);
    await Promise.all([
      killAgain(end),
      again(end, 4_000, programWrites),
      again(end, 12_000, commandWrites),
      ...tabs.map((tab) => again(end, 2_500, () => tab.act())),
    ]);
    // What waits on a page for the connection is sent by the page of its chat.
    for (const tab of tabs) await tab.sent();
    await quiet();
    for (const tab of tabs) await tab.rests();
    for (const chat of CHATS) {
      for (const tab of [tabs[0], tabs[2]]) {
        await tab.open(chat);
        await tab.sent();
      }
    }
    await quiet();
    const { whole, stopped } = await count();
    // What a page has collected while everything happened is what a new one shows.
    for (const tab of tabs) {
      await tab.open("main");
      await tab.rests();
    }
    const [shown, ...others] = await Promise.all(tabs.map((tab) => tab.rows()));
    for (const other of others) assert.deepEqual(other, shown);
    console.log(`${written.size} messages, ${whole} answered whole, ${stopped} stopped; ${JSON.stringify(done)}`);
  }
  await phone.close();
}

console.log(`seed ${seed}, ${seconds} s`);
await run("hour", gateway, null, { "a long use loses and doubles nothing": story });
