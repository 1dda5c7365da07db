// Uses the operator's console in a real browser, as an admin would: with the fake Bot API, on a wide window and on a phone.
//
//   node console.mjs [--shots FOLDER]      screenshots go to FOLDER
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { accessible } from "./axe.mjs";
import { BotApi } from "./botapi.mjs";
import { Gateway, run } from "./gateway.mjs";

const shots = process.argv[2] === "--shots" ? process.argv[3] : null;
const [ANNA, BOB] = [1001, 1002];
const botapi = new BotApi();
await botapi.start();

const gateway = new Gateway();
writeFileSync(join(gateway.home, "frontdesk.toml"), `
[gateway.limits]
per_token = { per_minute = 0, burst = 0 }

[limits.user]
per_minute = 0

[channels.telegram]
token = "123456:TEST-token"
api_url = "${botapi.url}"

[channels.telegram.accounts.broken]
token = "654321:TEST-token"
api_url = "http://127.0.0.1:9"
`);
await botapi.control("user", { id: ANNA, name: "Anna" });
await botapi.control("user", { id: BOB, name: "Bob" });
const say = (who, text) => botapi.control("say", { chat: who, from: who, text });

const to = (view) => gateway.address(`console#/${view}`);
const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });
const confirm = (page, name) => page.getByRole("dialog").getByRole("button", { name, exact: true }).click();
const phone = { width: 390, height: 844 };
const wide = { width: 1280, height: 800 };

/** Checks a view for people who use a screen reader, and that nothing is cut off, in both sizes and colours. */
async function fits(page, name) {
  for (const [size, viewport] of Object.entries({ wide, phone })) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await accessible(page, `${name}, ${size}, ${colorScheme}`);
      if (shots) await page.screenshot({ path: join(shots, `console-${name}-${size}-${colorScheme}.png`) });
    }
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, `${name}, ${size}: it is too wide`);
  }
  await page.setViewportSize(wide);
}

const tests = {
  async "a login link opens the console, and leaves no token in the address bar"(page) {
    await page.setViewportSize(wide);
    await page.goto(gateway.address("console"));
    await page.getByRole("heading", { name: "Log in to the console" }).waitFor();
    await fits(page, "login");
    await page.getByLabel("Token or link").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("This token is not valid").waitFor();
    await page.goto(gateway.address(`console#token=${gateway.token()}`));
    await heading(page, "Overview").waitFor();
    assert.equal(page.url(), gateway.address("console"));
  },

  async "the overview says what is wrong first, with the reason"(page) {
    const health = page.getByRole("region", { name: "Health" });
    await health.getByText("telegram@broken is not connected").waitFor({ timeout: 30_000 });
    const first = page.getByRole("list", { name: "Accounts" }).getByRole("listitem").first();
    await first.getByText("Telegram (broken)").waitFor();
    assert.match(await first.innerText(), /not ready[\s\S]*Nothing heard yet, not connected for/);
    await fits(page, "overview");
  },

  async "charts show what has happened, also with the keyboard, as a table and after a restart"(page) {
    for (let n = 0; n < 3; n += 1) await gateway.api("POST", "api/chat", { text: `hello ${n}` });
    await gateway.kill();
    await gateway.start();
    for (let n = 0; n < 2; n += 1) await gateway.api("POST", "api/chat", { text: `again ${n}` });
    await page.reload();
    const chart = page.getByRole("region", { name: "Messages and turns", exact: true });
    const slider = chart.getByRole("slider", { name: "Messages and turns" });
    await slider.focus();
    await page.keyboard.press("End");
    const readout = chart.locator(".readout");
    assert.match(await readout.innerText(), /^\d.*: messages \d+, turns \d+$/);
    assert.equal(await slider.getAttribute("aria-valuetext"), await readout.innerText());
    const before = await slider.getAttribute("aria-valuenow");
    await page.keyboard.press("ArrowLeft");
    assert.equal(Number(await slider.getAttribute("aria-valuenow")), Number(before) - 1);
    await chart.getByText("As a table").click();
    const cells = await chart.locator("tbody td:first-of-type").allInnerTexts();
    const sum = cells.reduce((all, cell) => all + Number(cell), 0);
    // A kill may lose what was counted in its last minute, and nothing before.
    assert.ok(sum >= 2 && sum <= 5, `${sum}`);
    await accessible(page, "chart as a table");
    await page.getByRole("button", { name: "Day" }).click();
    await page.getByText("per 15 minutes").waitFor();
    await chart.locator("tbody tr").nth(95).waitFor();
    assert.equal(await chart.locator("tbody tr").count(), 96);
  },

  async "an account is disconnected after a question, and connected again"(page) {
    const card = page.getByRole("list", { name: "Accounts" }).getByRole("listitem").filter({ hasText: "Telegram (broken)" });
    await card.getByRole("button", { name: /^Disconnect/ }).click();
    await confirm(page, "Cancel");
    await card.getByRole("button", { name: /^Disconnect/ }).click();
    await accessible(page, "a question");
    await confirm(page, "Disconnect");
    await card.getByText(/stopped by/).waitFor();
    await page.getByRole("heading", { name: "Everything works" }).waitFor();
    await card.getByRole("button", { name: /^Connect/ }).click();
    await card.getByRole("button", { name: /^Disconnect/ }).waitFor();
  },

  async "somebody is let in by two taps on a phone"(page) {
    await page.setViewportSize(phone);
    await say(ANNA, "may I?");
    const waiting = page.getByRole("region", { name: "Waiting to be let in" });
    await waiting.getByText("telegram:1001").waitFor({ timeout: 20_000 });
    await accessible(page, "somebody waits");
    await waiting.getByRole("button", { name: "Let in Anna" }).click();
    await confirm(page, "Let in");
    await waiting.waitFor({ state: "hidden" });
    const access = await gateway.api("GET", "api/access");
    assert.ok(access.body.access.some((row) => row.principal === "telegram:1001" && row.scope === "dm"));
    await page.setViewportSize(wide);
  },

  async "somebody is refused, and a wrong code says so where it was entered"(page) {
    await say(BOB, "me too");
    await page.goto(to("pairing"));
    await heading(page, "Pairing").waitFor();
    await page.getByRole("button", { name: "Refuse Bob" }).waitFor({ timeout: 20_000 });
    await page.getByLabel("Code").fill("ABCD2345");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("No open request has this code").waitFor();
    await fits(page, "pairing");
    await page.getByRole("button", { name: "Refuse Bob" }).click();
    await confirm(page, "Refuse");
    await page.getByText("Nobody waits to be let in").waitFor();
    await fits(page, "pairing-empty");
  },

  async "people are found, let in by their id, blocked and let in again"(page) {
    await page.goto(to("people"));
    await page.getByRole("rowheader", { name: "Anna" }).waitFor();
    await page.getByText("Let somebody in by their id").click();
    await page.getByLabel("Id of the person").fill("no id");
    await page.getByRole("button", { name: "Let in", exact: true }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Id of the person").fill("4711");
    await page.keyboard.press("Enter");
    await page.getByRole("rowheader", { name: "4711" }).waitFor();
    await page.getByLabel("Find a person").fill("anna");
    await page.getByRole("rowheader", { name: "4711" }).waitFor({ state: "detached" });
    assert.match(page.url(), /find=anna/);
    const anna = page.getByRole("row").filter({ hasText: "telegram:1001" });
    await anna.getByRole("button", { name: /^Block/ }).click();
    await confirm(page, "Block");
    const blocked = page.getByRole("listitem").filter({ hasText: "telegram:1001" });
    await page.getByLabel("Find a person").fill("");
    await blocked.waitFor();
    await fits(page, "people");
    await blocked.getByRole("button", { name: /^Unblock/ }).click();
    await blocked.waitFor({ state: "detached" });
  },

  async "groups are listed for each account"(page) {
    await page.goto(to("groups"));
    await page.getByLabel("Account").waitFor();
    await page.locator(".note-card, table.list").first().waitFor();
    await fits(page, "groups");
  },

  async "a reader sees everything and can change nothing"(page) {
    const made = await gateway.api("POST", "api/tokens", { name: "reader", scope: "read" });
    const chat = await gateway.api("POST", "api/tokens", { name: "chatter", scope: "chat" });
    await page.goto(gateway.address(`console#token=${made.body.token}`));
    await page.getByText("Read only").waitFor();
    for (const view of ["people", "sessions", "tokens", "configuration"]) {
      await page.goto(to(view));
      await page.locator("table.list, pre.source").first().waitFor();
      assert.deepEqual(await page.locator("#view .controls button, #view form button").allInnerTexts(), [], view);
    }
    await page.goto(gateway.address(`console#token=${chat.body.token}`));
    await page.getByText("This token is for chats").waitFor();
    await accessible(page, "a token for chats");
    await page.goto(gateway.address(`console#token=${gateway.token()}`));
    await heading(page, "Overview").waitFor();
  },

  async "everything can be reached with the keyboard alone"(page) {
    await page.getByRole("link", { name: "Overview" }).focus();
    for (let n = 0; n < 3; n += 1) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await heading(page, "Groups").waitFor();
    assert.ok(await heading(page, "Groups").evaluate((node) => node === document.activeElement), "a screen reader reads the new view's name");
    await page.setViewportSize(phone);
    await page.getByRole("button", { name: "Views" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.getElementById("side").getBoundingClientRect().left === 0);
    await accessible(page, "navigation on a phone");
    await page.keyboard.press("Escape");
    assert.ok(await page.getByRole("button", { name: "Views" }).evaluate((node) => node === document.activeElement));
    await page.setViewportSize(wide);
  },

  async "a gateway that is away is said, and found again"(page) {
    await page.goto(to("overview"));
    await page.getByRole("region", { name: "Health" }).waitFor();
    await gateway.kill();
    await page.getByRole("heading", { name: "The state is not known" }).waitFor({ timeout: 20_000 });
    await page.goto(to("people"));
    await page.getByRole("button", { name: "Try again" }).waitFor();
    await fits(page, "failed");
    await gateway.start();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("rowheader", { name: "Anna" }).waitFor();
  },

  async "the chat and the console lead to each other"(page) {
    await page.getByRole("link", { name: "Open the chat" }).click();
    await page.getByText("Connected", { exact: true }).waitFor();
    await page.getByRole("link", { name: "Console" }).click();
    await heading(page, "Overview").waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in to the console" }).waitFor();
    assert.equal(await page.evaluate(() => localStorage.length), 0);
  },
};

await run("console", gateway, shots, tests);
botapi.stop();
