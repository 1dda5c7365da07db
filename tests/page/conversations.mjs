// The list of conversations on the chat page in a real browser: begin, find, name, archive, and on a phone.
//
//   node conversations.mjs [--shots FOLDER]      screenshots go to FOLDER
import assert from "node:assert/strict";
import { join } from "node:path";
import { accessible } from "./axe.mjs";
import { Gateway, run } from "./gateway.mjs";

const shots = process.argv[2] === "--shots" ? process.argv[3] : null;
const gateway = new Gateway();

async function say(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
  await page.locator("li.theirs", { hasText: text }).waitFor();
}

const list = (page) => page.getByRole("navigation", { name: "List of conversations" });
const entry = (page, title) => list(page).getByRole("link", { name: title, exact: true });
const titles = (page) => list(page).getByRole("link").allInnerTexts();
const heading = (page, title) => page.getByRole("heading", { level: 1, name: title, exact: true });

async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
}

const tests = {
  async "a new conversation is named by its first message, and its address leads back to it"(page) {
    await page.goto(gateway.address(`#token=${gateway.token()}`));
    await page.getByText("Connected", { exact: true }).waitFor();
    await say(page, "to the main chat");
    await page.getByRole("button", { name: "New conversation" }).click();
    await heading(page, "New conversation").waitFor();
    assert.equal(await page.locator("#rows > li").count(), 0);
    await say(page, "Plan a journey to Prague");
    await heading(page, "Plan a journey to Prague").waitFor();
    assert.match(page.url(), /#chat=c-[0-9a-f]{12}$/);
    assert.match(await page.title(), /^Plan a journey to Prague · Frontdesk$/);
    await page.reload();
    await heading(page, "Plan a journey to Prague").waitFor();
    await page.locator("li.theirs", { hasText: "Plan a journey to Prague" }).waitFor();
    assert.equal(await page.locator("li.mine").count(), 1, "the other chat is elsewhere");
    assert.deepEqual(await titles(page), ["Main chat", "Plan a journey to Prague"]);
  },

  async "one moves between conversations, and each keeps its draft"(page) {
    await page.getByLabel("Message").fill("a draft for Prague");
    await entry(page, "Main chat").click();
    await heading(page, "Main chat").waitFor();
    await page.locator("li.mine", { hasText: "to the main chat" }).waitFor();
    assert.equal(page.url(), gateway.address());
    assert.equal(await page.getByLabel("Message").inputValue(), "");
    await page.goBack();
    await heading(page, "Plan a journey to Prague").waitFor();
    assert.equal(await page.getByLabel("Message").inputValue(), "a draft for Prague");
    await page.getByLabel("Message").fill("");
  },

  async "the focus stays on its entry when something happens in a conversation"(page) {
    const [, chat] = page.url().match(/chat=(c-[0-9a-f]+)/);
    await entry(page, "Plan a journey to Prague").focus();
    await page.keyboard.press("Tab");
    const focus = () => page.evaluate(() => document.activeElement.getAttribute("aria-label"));
    assert.equal(await focus(), "Rename Plan a journey to Prague");
    const read = page.waitForResponse(/api\/sessions/);
    await gateway.api("POST", "api/chat", { text: "from a program", chat });
    await (await read).finished();
    await page.locator("li.theirs", { hasText: "from a program" }).waitFor();
    assert.equal(await focus(), "Rename Plan a journey to Prague");
  },

  async "a conversation is renamed with the keyboard"(page) {
    await entry(page, "Plan a journey to Prague").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("Prague");
    await page.keyboard.press("Enter");
    await heading(page, "Prague").waitFor();
    await entry(page, "Prague").waitFor();
    await page.reload();
    await heading(page, "Prague").waitFor();
    await entry(page, "Prague").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.keyboard.type("No");
    await page.keyboard.press("Escape");
    await entry(page, "Prague").waitFor();
  },

  async "the search finds names and first messages"(page) {
    await page.getByRole("button", { name: "New conversation" }).click();
    await heading(page, "New conversation").waitFor();
    await say(page, "A recipe for bread");
    await entry(page, "A recipe for bread").waitFor();
    const field = page.getByLabel("Search conversations");
    await field.fill("JOURNEY");
    assert.deepEqual(await titles(page), ["Prague"]);
    await field.fill("bread");
    assert.deepEqual(await titles(page), ["A recipe for bread"]);
    await field.fill("nothing like it");
    await list(page).getByText("Nothing found").waitFor();
    await page.keyboard.press("Escape");
    assert.equal((await titles(page)).length, 3);
    await accessible(page, "list of conversations");
    await shot(page, "conversations");
  },

  async "an archived conversation is put away, and comes back when somebody writes to it"(page) {
    await entry(page, "Prague").hover();
    await page.getByRole("button", { name: "Archive Prague" }).click();
    await list(page).getByRole("button", { name: "Archived (1)" }).waitFor();
    assert.deepEqual(await titles(page), ["Main chat", "A recipe for bread"]);
    await list(page).getByRole("button", { name: "Archived (1)" }).click();
    await entry(page, "Prague").click();
    await heading(page, "Prague").waitFor();
    await say(page, "I am back");
    await list(page).getByRole("button", { name: /^Archived/ }).waitFor({ state: "detached" });
    assert.deepEqual(await titles(page), ["Main chat", "Prague", "A recipe for bread"]);
  },

  async "on a phone the list opens above the chat, and closes with a choice"(page) {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByLabel("Search conversations").waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Conversations" }).click();
    await entry(page, "A recipe for bread").waitFor();
    await page.waitForFunction(() => document.getElementById("side").getBoundingClientRect().left === 0);
    assert.ok(await page.getByLabel("Message").evaluate((node) => Boolean(node.closest("[inert]"))), "what is behind cannot be reached");
    await accessible(page, "list on a phone");
    await shot(page, "conversations-phone");
    await page.keyboard.press("Escape");
    await page.getByLabel("Search conversations").waitFor({ state: "hidden" });
    await page.getByRole("button", { name: "Conversations" }).click();
    await entry(page, "A recipe for bread").click();
    await heading(page, "A recipe for bread").waitFor();
    await page.getByLabel("Search conversations").waitFor({ state: "hidden" });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
  },
};

await run("conversations", gateway, shots, tests);
