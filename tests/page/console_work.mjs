// The console's lists in a real browser: sessions with their transcripts, tasks, jobs, the outbox, budgets, tokens, the audit,
// events, and a reload of the configuration. With the fake Bot API.
//
//   node console_work.mjs [--shots FOLDER]      screenshots go to FOLDER
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accessible } from "./axe.mjs";
import { BotApi } from "./botapi.mjs";
import { Gateway, run } from "./gateway.mjs";

const shots = process.argv[2] === "--shots" ? process.argv[3] : null;
const ANNA = 1001;
const botapi = new BotApi();
await botapi.start();

const gateway = new Gateway();
const file = join(gateway.home, "frontdesk.toml");
writeFileSync(file, `
[gateway.limits]
per_token = { per_minute = 0, burst = 0 }

[limits.user]
per_minute = 0

[agents.main]
kind = "echo"

[agents.asking]
kind = "command"
mode = "lasting"
command = ${JSON.stringify([process.execPath, join(import.meta.dirname, "asking_agent.mjs")])}

[channels.telegram]
token = "123456:TEST-token"
api_url = "${botapi.url}"
dm_policy = "open"

[[jobs]]
id = "news"
schedule = { kind = "cron", expr = "0 8 * * *" }
delivery = "silent"
task = "Tell me the news"
`);
await botapi.control("user", { id: ANNA, name: "Anna" });

const to = (view) => gateway.address(`console#/${view}`);
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });
const row = (page, text) => page.getByRole("row").filter({ hasText: text });
const ask = (page, name) => page.getByRole("dialog").getByRole("button", { name, exact: true });
const phone = { width: 390, height: 844 };
const wide = { width: 1280, height: 800 };

async function fits(page, name) {
  for (const [size, viewport] of Object.entries({ wide, phone })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await accessible(page, `${name}, ${size}, ${colorScheme}`);
      if (shots) await page.screenshot({ path: join(shots, `console-${name}-${size}-${colorScheme}.png`) });
    }
    const overflows = () => { const view = document.getElementById("view"); return document.documentElement.scrollWidth > innerWidth || view.scrollWidth > view.clientWidth; };
    assert.equal(await page.evaluate(overflows), false, `${name}, ${size}: it is too wide`);
  }
  await page.setViewportSize(wide);
}

/** Opens a view that has nothing yet. */
async function empty(page, view, name, text) {
  await page.goto(to(view));
  await heading(page, name).waitFor();
  await page.getByText(text).first().waitFor();
  await fits(page, `${view}-empty`);
}

const tests = {
  async "lists with nothing in them say what to do next"(page) {
    await page.setViewportSize(wide);
    await page.goto(gateway.address(`console#token=${gateway.token()}`));
    await heading(page, "Overview").waitFor();
    await empty(page, "sessions", "Sessions", "Open the chat and say hello");
    await empty(page, "tasks", "Tasks", "Send /background and a text");
    await empty(page, "outbox", "Outbox", "Nothing was sent yet");
    await empty(page, "dead-letters", "Dead letters", "Every event could be read");
  },

  async "sessions are found, and come in pages with the latest first"(page) {
    for (let n = 0; n < 60; n += 1) await gateway.api("POST", "api/chat", { text: `question ${n}`, chat: `chat-${n}` });
    await gateway.api("POST", "api/chat", { text: "once more", chat: "chat-3" });
    await page.goto(to("overview"));
    await page.goto(to("sessions"));
    await page.locator("tbody tr").nth(49).waitFor();
    assert.equal(await page.locator("tbody tr").count(), 50);
    assert.match(await page.locator("tbody tr").first().innerText(), /question 3[\s\S]*chat-3/);
    await page.getByRole("button", { name: "Show more" }).click();
    await page.locator("tbody tr").nth(59).waitFor();
    const keys = await page.locator("tbody code").allInnerTexts();
    assert.equal(new Set(keys).size, 60, "each once");
    await page.getByLabel("Find a session").fill("CHAT-17");
    await page.getByText("1 shown").waitFor();
    await page.reload();
    await row(page, "chat-17").waitFor();
    assert.equal(await page.locator("tbody tr").count(), 1, "the address keeps what was looked for");
    await page.getByLabel("Find a session").fill("nothing like it");
    await page.getByText("No session fits").waitFor();
    await page.getByLabel("Find a session").fill("");
    await page.getByLabel("Order").selectOption("key");
    await page.locator("tbody tr").nth(49).waitFor();
    const sorted = await page.locator("tbody code").allInnerTexts();
    assert.deepEqual(sorted, [...sorted].sort());
    await fits(page, "sessions");
  },

  async "a session shows its transcript, and is stopped, reset and erased"(page) {
    await gateway.api("POST", "api/chat", { text: "!wait 600000 never", chat: "chat-5", wait: false });
    await page.goto(to("sessions?find=chat-5"));
    await row(page, "web:dm:chat-5").filter({ hasText: "runs" }).first().getByRole("link").click();
    await page.locator("#rows li.theirs", { hasText: "question 5" }).waitFor();
    await page.locator("#rows li.mine", { hasText: "never" }).waitFor();
    await page.getByRole("button", { name: /^Stop/ }).click();
    await ask(page, "Stop").click();
    await page.locator("#rows li.mine", { hasText: "never" }).getByText("(stopped)").waitFor();
    await page.getByRole("button", { name: /^Reset/ }).click();
    await ask(page, "Reset").click();
    await page.locator("#rows li.divider", { hasText: "begun by an operator" }).waitFor();
    await fits(page, "session");
    await page.getByRole("button", { name: /^Erase/ }).click();
    await page.getByText("This cannot be undone").waitFor();
    await ask(page, "Erase").click();
    await heading(page, "Sessions").waitFor();
    const left = await gateway.api("GET", "api/session/agent:main:web:dm:chat-5/messages");
    assert.deepEqual(left.body.messages.map(({ text, answer }) => [text, answer]).filter(([text, answer]) => text || answer), []);
  },

  async "a question of an agent is answered"(page) {
    await gateway.api("POST", "api/tasks", { text: "name", title: "Find a name", agent: "asking", session: "agent:main:web:dm:chat-8" });
    await gateway.api("POST", "api/tasks", { text: "permission", title: "Clean up", agent: "asking", session: "agent:main:web:dm:chat-9" });
    await page.goto(to("questions"));
    await row(page, "May I delete").getByRole("button", { name: /^Allow/ }).waitFor({ timeout: 20_000 });
    await row(page, "How should it be called").getByLabel(/^Answer to/).waitFor({ timeout: 20_000 });
    await fits(page, "questions");
    await row(page, "May I delete").getByRole("button", { name: /^Allow/ }).click();
    await row(page, "May I delete").waitFor({ state: "detached" });
    await row(page, "How should it be called").getByLabel(/^Answer to/).fill("Rex");
    await page.keyboard.press("Enter");
    await page.getByText("No agent asks anything").waitFor();
    await page.getByLabel("State").selectOption("answered");
    await row(page, "May I delete").filter({ hasText: "Allow" }).waitFor();
    await row(page, "How should it be called").filter({ hasText: "Rex" }).waitFor();
  },

  async "tasks are looked at, cancelled and run again"(page) {
    await gateway.api("POST", "api/tasks", { text: "!wait 600000 a report", title: "The long report" });
    await gateway.api("POST", "api/tasks", { text: "short", title: "The short one" });
    await page.goto(to("tasks"));
    await row(page, "The long report").filter({ hasText: "running" }).waitFor();
    await row(page, "The short one").filter({ hasText: "succeeded" }).waitFor({ timeout: 20_000 });
    await fits(page, "tasks");
    await row(page, "The long report").getByRole("button", { name: /^Cancel/ }).click();
    await ask(page, "Cancel").last().click();
    await row(page, "The long report").filter({ hasText: "cancelled" }).waitFor();
    await page.getByLabel("State").selectOption("cancelled");
    await row(page, "The short one").waitFor({ state: "detached" });
    await row(page, "The long report").getByRole("button", { name: /^Run again/ }).click();
    await page.getByLabel("State").selectOption("open");
    await row(page, "The long report").getByRole("link").click();
    await heading(page, "Task b5").waitFor();
    await page.getByText("!wait 600000 a report").waitFor();
    await fits(page, "task");
    await gateway.api("POST", "api/tasks/b5/cancel", {});
  },

  async "a job is run, paused and resumed, and shows its runs and next times"(page) {
    await page.goto(to("jobs"));
    await row(page, "news").getByRole("button", { name: /^Run now/ }).click();
    await row(page, "news").filter({ hasText: "succeeded" }).or(row(page, "news").filter({ hasText: "running" })).first().waitFor({ timeout: 20_000 });
    await row(page, "news").getByRole("button", { name: /^Pause/ }).click();
    await row(page, "news").filter({ hasText: "paused" }).waitFor();
    await fits(page, "jobs");
    await row(page, "news").getByRole("button", { name: /^Resume/ }).click();
    await row(page, "news").filter({ hasText: "active" }).waitFor();
    await row(page, "news").getByRole("link").click();
    await heading(page, "news").waitFor();
    await page.getByRole("table", { name: "Runs" }).getByText("run by hand").waitFor();
    assert.match(await page.locator("dl.facts").innerText(), /Next runs[\s\S]*8:00/);
    await fits(page, "job");
  },

  async "what did not arrive is sent again or dropped"(page) {
    await gateway.api("POST", "api/send", { to: "telegram:4711", text: "Your order is ready" });
    await page.goto(to("outbox?state=dead"));
    await row(page, "Your order is ready").filter({ hasText: "not delivered" }).waitFor({ timeout: 20_000 });
    await fits(page, "outbox");
    await row(page, "Your order is ready").getByRole("button", { name: /^Retry/ }).click();
    await row(page, "Your order is ready").waitFor({ timeout: 20_000 });
    await page.getByRole("link", { name: /^Outbox/ }).locator(".badge").waitFor({ timeout: 30_000 });
    await row(page, "Your order is ready").getByRole("button", { name: /^Drop/ }).click();
    await ask(page, "Drop").click();
    await page.getByText("Everything was delivered").waitFor();
    await page.getByLabel("State").selectOption("dropped");
    await row(page, "Your order is ready").waitFor();
  },

  async "limits are set for one agent, and as configured again"(page) {
    await page.goto(to("budgets"));
    await row(page, "main").getByRole("button", { name: "Change main" }).click();
    await page.getByLabel("Turns a day").fill("500");
    await page.keyboard.press("Enter");
    await row(page, "main").filter({ hasText: "of 500" }).waitFor();
    await fits(page, "budgets");
    await page.getByLabel("Name").fill("nobody");
    await page.getByRole("button", { name: "Set", exact: true }).click();
    await page.getByRole("alert").getByText(/there is no agent/).waitFor();
    await row(page, "main").getByRole("button", { name: /^As configured/ }).click();
    await ask(page, "As configured").click();
    await row(page, "main").filter({ hasText: "of 500" }).waitFor({ state: "detached" });
  },

  async "a token is made, replaced and revoked, and its secret is shown once"(page) {
    await page.goto(to("tokens"));
    await page.getByLabel("Name").fill("grafana");
    await page.getByLabel("May", { exact: true }).selectOption("read");
    await page.getByRole("button", { name: "Make" }).click();
    const secret = page.locator("#secret code");
    await secret.waitFor();
    const first = await secret.innerText();
    assert.match(first, /^[\w-]{43}$/);
    const asReader = (token) => fetch(gateway.address("api/status"), { headers: { Authorization: `Bearer ${token}` } });
    assert.equal((await asReader(first)).status, 200);
    await fits(page, "tokens");
    await row(page, "grafana").getByRole("button", { name: /^Replace/ }).click();
    await ask(page, "Replace").click();
    await page.waitForFunction((old) => document.querySelector("#secret code").textContent !== old, first);
    assert.equal((await asReader(first)).status, 401);
    await row(page, "grafana").getByRole("button", { name: /^Revoke/ }).click();
    await ask(page, "Revoke").click();
    await row(page, "grafana").filter({ hasText: "revoked" }).waitFor();
    await page.reload();
    await row(page, "grafana").waitFor();
    assert.ok(await page.locator("#secret").isHidden());
  },

  async "the audit has what was done, and is searched"(page) {
    await page.goto(to("audit"));
    await row(page, "revoke token").or(row(page, "revoke_token")).first().waitFor();
    await page.getByLabel("Find an entry").fill("SESSION ERASE");
    await page.getByText("1 shown").waitFor();
    await row(page, "session erase").waitFor();
    await fits(page, "audit");
  },

  async "events appear as they happen"(page) {
    await page.goto(to("events"));
    const log = page.getByRole("log", { name: "Events" });
    await log.getByText("session erase").first().waitFor();
    await gateway.api("POST", "api/chat", { text: "a new one", chat: "chat-9" });
    await log.getByText(/Message m\d+ on Web accepted in Web, private chat chat-9/).waitFor({ timeout: 20_000 });
    await log.getByText(/Turn t\d+ ended in Web, private chat chat-9 after/).waitFor({ timeout: 20_000 });
    await gateway.kill();
    await page.getByRole("alert").getByText("cannot be reached").waitFor({ timeout: 20_000 });
    await gateway.start();
    await page.getByRole("alert").waitFor({ state: "detached", timeout: 20_000 });
    await gateway.api("POST", "api/chat", { text: "and another", chat: "chat-10" });
    await log.getByText(/Turn t\d+ ended in Web, private chat chat-10 after/).waitFor({ timeout: 20_000 });
    await page.getByRole("button", { name: "Changes" }).click();
    await log.getByText("session erase").first().waitFor({ state: "detached" });
    await fits(page, "events");
  },

  async "a reload shows first what it would change"(page) {
    await page.goto(to("configuration"));
    const source = page.getByLabel("The configuration in use");
    await source.waitFor();
    assert.equal((await source.innerText()).includes("TEST-token"), false, "no secret is shown");
    const before = readFileSync(file, "utf8");
    writeFileSync(file, before + "\n[queue]\nmode = \"colect\"\n");
    const look = page.getByRole("button", { name: "Show what would change" });
    await look.click();
    await page.getByRole("alert").getByText(/frontdesk\.toml:\d+/).waitFor();
    await fits(page, "configuration-wrong");
    writeFileSync(file, before + "\n[queue]\nmode = \"collect\"\n");
    await look.click();
    await page.getByText("queue.mode").first().waitFor();
    await fits(page, "configuration-plan");
    await page.getByRole("button", { name: "Apply these changes" }).click();
    await page.getByRole("heading", { name: "The configuration is in use" }).waitFor();
    await page.waitForFunction(() => document.querySelector("pre.source").textContent.includes("\"mode\": \"collect\""));
    await look.click();
    await page.getByText("Nothing: the file says what is in use already").waitFor();
  },
};

await run("console_work", gateway, shots, tests);
botapi.stop();
