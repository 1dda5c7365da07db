// Uses the chat page in a real browser, as a person would: against the built program, with a folder of its own.
//
//   node page.mjs [--shots FOLDER]      screenshots go to FOLDER
import assert from "node:assert/strict";
import { join } from "node:path";
import { Gateway, run } from "./gateway.mjs";

const gateway = new Gateway();
const address = (rest) => gateway.address(rest);
const token = () => gateway.token();
const start = () => gateway.start();
const kill = () => gateway.kill();
const shots = process.argv[2] === "--shots" ? process.argv[3] : null;

const tests = {
  async "a login link logs in and leaves no token in the address bar"(page) {
    await page.goto(address(`#token=${token()}`));
    await page.getByText("Connected").waitFor();
    assert.equal(page.url(), address());
  },

  async "a page of which a part could not be loaded loads again by itself"(page) {
    for (const [missing, path] of [["page/tasks.js", ""], ["page/text.css", ""], ["console/list.js", "console"]]) {
      await page.route(`**/${missing}`, (route) => route.abort(), { times: 1 });
      await page.goto(address(path));
      const there = path === "" ? page.getByText("Connected", { exact: true }) : page.getByRole("heading", { name: "Overview" });
      await there.waitFor();
      await page.waitForFunction(() => performance.getEntriesByType("navigation")[0].type === "reload");
    }
    await page.goto(address());
    await page.getByText("Connected", { exact: true }).waitFor();
  },

  async "a message is answered, and markup is text"(page) {
    const text = 'hello <img src=x onerror="document.title=1"> **there**';
    await page.getByLabel("Message").fill(text);
    await page.keyboard.press("Enter");
    await page.locator("li.mine", { hasText: text }).waitFor();
    const answer = page.locator("li.theirs", { hasText: text.replaceAll("**", "") });
    await answer.waitFor();
    assert.deepEqual(await answer.locator("strong").allInnerTexts(), ["there"]);
    assert.equal(await page.locator("#log img").count(), 0);
    assert.equal(await page.title(), "Frontdesk");
    if (shots) await page.screenshot({ path: join(shots, "chat.png") });
  },

  async "each paragraph has a direction of its own, and code runs from left to right"(page) {
    const text = "این یک پاسخ است: `npm i` و https://example.com/a?b=1\n\nEnglish (paragraph).\n```\nשלום = x;\n```";
    await page.getByLabel("Message").fill("שלום");
    const typed = await page.getByLabel("Message").evaluate((field) => getComputedStyle(field).direction);
    assert.equal(typed, "rtl");
    await page.getByLabel("Message").fill(text);
    await page.keyboard.press("Enter");
    const answer = page.locator("li.theirs .text", { hasText: "English (paragraph)." });
    await answer.waitFor();
    const seen = await answer.evaluate((node) => {
      const box = node.getBoundingClientRect();
      const at = (word, length) => {
        const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
        let content = texts.nextNode();
        while (!content.data.includes(word)) content = texts.nextNode();
        const range = document.createRange();
        range.setStart(content, content.data.indexOf(word));
        range.setEnd(content, content.data.indexOf(word) + length);
        return range.getBoundingClientRect();
      };
      const pre = node.querySelector("pre");
      const code = document.createRange();
      code.setStart(pre.firstChild, 0);
      code.setEnd(pre.firstChild, 1);
      return {
        persian: box.right - at("این", 3).right, english: at("English", 7).left - box.left,
        stop: at(").", 2).left - at("paragraph", 9).right, pre: getComputedStyle(pre).direction,
        code: code.getBoundingClientRect().left - pre.getBoundingClientRect().left,
      };
    });
    assert.ok(seen.persian < 30, `the Persian paragraph begins at the right: ${JSON.stringify(seen)}`);
    assert.ok(seen.english < 30, `the English paragraph begins at the left: ${JSON.stringify(seen)}`);
    assert.ok(seen.stop >= -1, `the English full stop is at its end: ${JSON.stringify(seen)}`);
    assert.ok(seen.code < 80, `code begins at the left: ${JSON.stringify(seen)}`);
    assert.equal(seen.pre, "ltr");
  },

  async "Shift and Enter begin a new line, Enter sends both"(page) {
    await page.getByLabel("Message").focus();
    await page.keyboard.type("first");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("second");
    await page.keyboard.press("Enter");
    await page.locator("li.theirs .text").getByText("first\nsecond", { exact: true }).waitFor();
  },

  async "an answer that streams while the process is killed is seen once, and whole"(page) {
    const words = Array.from({ length: 12 }, (_, n) => `word${n}`).join(" ");
    await page.getByLabel("Message").fill(`!slow 150 ${words}`);
    await page.keyboard.press("Enter");
    await page.locator("li.theirs", { hasText: "word1" }).waitFor();
    await kill();
    await page.getByText("Not connected").waitFor();
    await start();
    await page.locator("li.theirs", { hasText: "word11" }).waitFor({ timeout: 30_000 });
    await page.locator("li[aria-busy]").waitFor({ state: "detached" });
    const seen = await page.locator("li.theirs", { hasText: "word" }).allInnerTexts();
    assert.deepEqual(seen.map((text) => text.trim()), [words]);
  },

  async "what is written while the gateway is away is sent when it is back, once"(page) {
    await kill();
    await page.getByText("Not connected").waitFor();
    await page.getByLabel("Message").fill("are you there?");
    await page.keyboard.press("Enter");
    await start();
    await page.locator("li.theirs", { hasText: "are you there?" }).waitFor({ timeout: 30_000 });
    assert.equal(await page.locator("li.mine", { hasText: "are you there?" }).count(), 1);
  },

  async "after a reload the history is there"(page) {
    const before = await page.locator("li.mine").count();
    await page.reload();
    await page.locator("li.theirs", { hasText: "are you there?" }).waitFor();
    assert.equal(await page.locator("li.mine").count(), before);
  },

  async "the stop button cancels"(page) {
    await page.getByLabel("Message").fill("!wait 60000 never");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Stop" }).click();
    await page.locator("#stop[hidden]").waitFor({ state: "attached" });
    assert.equal(await page.locator("li.theirs", { hasText: "never" }).count(), 0);
  },

  async "a stopped answer keeps what was shown, also after a reload"(page) {
    const words = Array.from({ length: 40 }, (_, n) => `piece${n}`).join(" ");
    await page.getByLabel("Message").fill(`!slow 150 ${words}`);
    await page.keyboard.press("Enter");
    const answer = page.locator("li.theirs", { hasText: "piece1" });
    await page.locator("li.theirs", { hasText: "piece3" }).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await answer.getByText("(stopped)").waitFor();
    const shown = await answer.locator(".text").innerText();
    assert.match(shown, /piece0 piece1 piece2 piece3/);
    await page.reload();
    await answer.getByText("(stopped)").waitFor();
    assert.ok((await answer.locator(".text").innerText()).startsWith(shown.trim()), shown);
  },

  async "it fits a phone"(page) {
    await page.setViewportSize({ width: 360, height: 640 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false);
    assert.ok(await page.getByRole("button", { name: "Send" }).isVisible());
    if (shots) await page.screenshot({ path: join(shots, "phone.png") });
  },

  async "a log-out forgets the token"(page) {
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Token").waitFor();
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    if (shots) await page.screenshot({ path: join(shots, "login.png") });
  },

  async "a token in the query is refused, and another gateway's address is ignored"(page) {
    const refused = await page.goto(address(`?token=${token()}&gatewayUrl=ws://127.0.0.1:9`));
    assert.equal(refused.status(), 400);
    assert.equal((await page.content()).includes(token()), false);
    await page.goto(address("?gatewayUrl=ws://127.0.0.1:9"));
    await page.getByLabel("Token").waitFor();
    assert.equal(await page.evaluate(() => localStorage.length), 0);
  },

  async "a wrong token is reported as not valid"(page) {
    await page.getByLabel("Token").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("not valid").waitFor();
  },
};

await run("page", gateway, shots, tests);
