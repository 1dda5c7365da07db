// Conversations that are not open: earlier ones of a chat, those of other channels, messages that a search finds, and a list
// beyond its first part. In a real browser, with the fake Bot API.
//
//   node channels.mjs [--shots FOLDER]      screenshots go to FOLDER
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { accessible } from "./axe.mjs";
import { BotApi } from "./botapi.mjs";
import { Gateway, run } from "./gateway.mjs";

const shots = process.argv[2] === "--shots" ? process.argv[3] : null;
const ANNA = 1001;
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
dm_policy = "open"
`);
await botapi.control("user", { id: ANNA, name: "Anna" });
const say = (text) => botapi.control("say", { chat: ANNA, from: ANNA, text });

const list = (page) => page.getByRole("navigation", { name: "List of conversations" });
const mine = (page, part) => page.locator("li.mine", { hasText: part });
const theirs = (page, part) => page.locator("li.theirs", { hasText: part });
const heading = (page, title) => page.getByRole("heading", { level: 1, name: title });
const opener = (page) => page.getByRole("button", { name: "Earlier chats" });

async function write(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
}

async function shot(page, name) {
  if (!shots) return;
  for (const [size, width, height] of [["wide", 1280, 800], ["phone", 390, 844]]) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(150);
      await page.screenshot({ path: join(shots, `${name}-${size}-${colorScheme}.png`) });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 800 });
}

const tests = {
  async "earlier conversations of a chat are listed, and one is returned to with the keyboard"(page) {
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(gateway.address(`#token=${gateway.token()}`));
    await page.getByText("Connected", { exact: true }).waitFor();
    await write(page, "About blue paint");
    await theirs(page, "About blue paint").waitFor();
    await write(page, "/new");
    await page.locator("li.divider").waitFor();
    await write(page, "About red paint");
    await theirs(page, "About red paint").waitFor();
    await opener(page).focus();
    await page.keyboard.press("Enter");
    const entry = page.getByRole("button", { name: /About blue paint/ });
    await entry.waitFor();
    assert.ok(await entry.evaluate((one) => one === document.activeElement));
    await accessible(page, "earlier conversations");
    await shot(page, "epochs");
    await page.keyboard.press("Escape");
    await entry.waitFor({ state: "hidden" });
    assert.ok(await opener(page).evaluate((one) => one === document.activeElement));
    await page.keyboard.press("Enter");
    await entry.waitFor();
    await page.keyboard.press("Enter");
    await mine(page, "/resume 1").waitFor();
    const now = await gateway.api("GET", "api/session/agent:main:web:dm:main");
    assert.equal(now.body.epoch, 1, JSON.stringify(now.body));
  },

  async "a conversation of another channel can be read, and not answered"(page) {
    await say("Hello from the phone");
    await page.reload();
    const channel = page.getByLabel("Channel");
    await channel.waitFor();
    await channel.selectOption("telegram");
    const entry = list(page).getByRole("link", { name: /Hello from the phone/ });
    await entry.waitFor({ timeout: 20_000 });
    await entry.click();
    await theirs(page, "Hello from the phone").waitFor();
    await page.getByText("This conversation is on Telegram.").waitFor();
    assert.ok(await page.locator("#composer").isHidden());
    await accessible(page, "another channel");
    await shot(page, "another-channel");
    await say("And once more");
    await theirs(page, "And once more").waitFor({ timeout: 20_000 });
    await page.reload();
    await theirs(page, "And once more").waitFor();
    assert.ok(await page.locator("#composer").isHidden(), "the address leads back to it");
    await page.goto(gateway.address("#chat=main"));
    await mine(page, "About blue paint").waitFor();
    assert.ok(await page.getByLabel("Message").isVisible());
  },

  async "a search finds words in messages, and opens the message in its conversation"(page) {
    await page.getByRole("button", { name: "New conversation" }).click();
    await heading(page, "New conversation").waitFor();
    await write(page, "Something else");
    await theirs(page, "Something else").waitFor();
    for (let n = 0; n < 60; n += 1) await gateway.api("POST", "api/chat", { text: `line ${n}`, chat: "main" });
    await page.getByLabel("Search conversations").fill("BLUE paint");
    const found = page.getByRole("list", { name: "Found by the search" }).getByRole("button", { name: /About blue paint/ });
    await found.waitFor();
    await accessible(page, "messages that were found");
    await shot(page, "search");
    await found.click();
    const row = mine(page, "About blue paint");
    await row.waitFor();
    await heading(page, "Main chat").waitFor();
    await page.locator("li.revealed").waitFor();
    assert.ok(await row.evaluate((one) => { const { top, bottom } = one.getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; }), "it is in view");
    await page.getByLabel("Search conversations").fill("");
    await found.waitFor({ state: "detached" });
  },

  async "a list beyond its first part goes on when somebody scrolls to its end"(page) {
    const names = Array.from({ length: 1040 }, (_, n) => `chat-${String(n).padStart(4, "0")}`);
    for (let n = 0; n < names.length; n += 40) {
      await Promise.all(names.slice(n, n + 40).map((chat) => gateway.api("POST", "api/chat", { text: "hello", chat, wait: false })));
    }
    await page.reload();
    await page.waitForFunction(() => document.querySelectorAll("#chats a").length >= 1000);
    const before = await page.locator("#chats a").count();
    assert.ok(before < 1040, `${before}`);
    await list(page).evaluate((one) => { one.scrollTop = one.scrollHeight; });
    await page.waitForFunction(() => document.querySelectorAll("#chats a").length >= 1042);
    await page.getByLabel("Search conversations").fill("chat-1039");
    await list(page).getByRole("link", { name: "chat-1039" }).waitFor();
  },
};

await run("channels", gateway, shots, tests);
botapi.stop();
