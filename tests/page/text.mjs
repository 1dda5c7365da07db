// Answers in Markdown on the chat page in a real browser: while they are written, when they are stored, and after a reload.
//
//   node text.mjs [--shots FOLDER]      screenshots go to FOLDER
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { accessible } from "./axe.mjs";
import { Gateway, run } from "./gateway.mjs";

const shots = process.argv[2] === "--shots" ? process.argv[3] : null;
const gateway = new Gateway();
const agent = [process.execPath, join(import.meta.dirname, "writing_agent.mjs")];
writeFileSync(
  join(gateway.home, "frontdesk.toml"),
  `[agents.main]\nkind = "command"\nmode = "lasting"\ncommand = ${JSON.stringify(agent)}\n`,
);

async function say(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
}

/** The text of the newest answer. */
const answer = (page) => page.locator("li.theirs").last().locator(".text");
const file = (name) => join(gateway.home, name);

async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
}

const tests = {
  async "an answer grows as elements, and neither its growth nor its end takes a selection away"(page) {
    await page.goto(gateway.address(`#token=${gateway.token()}`));
    await page.getByText("Connected").waitFor();
    await say(page, `document at ${file("a")}`);
    await answer(page).locator("li.todo").last().waitFor();
    assert.equal(await answer(page).locator("h2").innerText(), "First");
    const words = answer(page).locator("p").first();
    await words.evaluate((node) => {
      const range = document.createRange();
      const bold = node.querySelector("strong").firstChild;
      range.setStart(bold, 0);
      range.setEnd(node.querySelector("code").firstChild, 4);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
    });
    const selected = () => page.evaluate(() => String(getSelection()));
    assert.equal(await selected(), "bold, italic, struck and code");
    writeFileSync(file("a"), "");
    await answer(page).getByText("The end of the document.").waitFor();
    assert.equal(await selected(), "bold, italic, struck and code", "while the rest was written");
    const grown = await answer(page).innerHTML();
    writeFileSync(file("a.end"), "");
    await page.locator("li[aria-busy]").waitFor({ state: "detached" });
    assert.equal(await selected(), "bold, italic, struck and code", "when the whole answer arrived");
    assert.equal(await answer(page).innerHTML(), grown, "the page's parser agrees with the gateway's");
    await shot(page, "text");
  },

  async "every kind of Markdown is an element of its own, and nothing of it runs"(page) {
    const text = answer(page);
    assert.deepEqual(await text.locator("h2, h3").allInnerTexts(), ["First", "Second"]);
    assert.equal(await text.locator("strong").first().innerText(), "bold");
    assert.equal(await text.locator("em").first().innerText(), "italic");
    assert.equal(await text.locator("s").innerText(), "struck");
    assert.equal(await text.locator("ol > li").count(), 2);
    assert.deepEqual(await text.locator("ol ul > li").allInnerTexts(), ["nested", "nested too"]);
    assert.equal(await text.locator("li.todo").count(), 2);
    assert.equal(await text.getByRole("img", { name: "done" }).count(), 1);
    assert.match(await text.locator("blockquote").innerText(), /A quote\s+of two lines\./);
    assert.equal(await text.locator("hr").count(), 1);
    assert.deepEqual(await text.locator("th").allInnerTexts(), ["Left", "Right"]);
    assert.equal(await text.locator("td.right").first().evaluate((cell) => getComputedStyle(cell).textAlign), "right");
    const links = await text.locator("a").evaluateAll((all) => all.map((link) => [link.href, link.rel, link.target]));
    const safe = ["noopener noreferrer", "_blank"];
    assert.deepEqual(links, [["https://example.org/a", ...safe], ["https://example.org/b_(c)", ...safe]]);
    assert.match(await text.innerText(), /<b onclick="alert\(1\)">HTML<\/b> is text/);
    assert.equal(await text.locator("b, script, [onclick]").count(), 0);
    assert.match(await text.innerText(), /this \(javascript:alert\(1\)\) opens nothing/);
    assert.equal(await text.locator("p", { hasText: "این" }).evaluate((node) => getComputedStyle(node).direction), "rtl");
    assert.equal(await text.locator("p", { hasText: "این" }).locator("code").evaluate((node) => getComputedStyle(node).direction), "ltr");
  },

  async "code has its language, colours and a button that copies it"(page) {
    const code = answer(page).locator("figure.code");
    assert.equal(await code.locator("figcaption").innerText(), "rust");
    const colours = await code.locator(".hl-keyword, .hl-comment, .hl-number").evaluateAll((all) => all.map((one) => [one.textContent, getComputedStyle(one).color]));
    assert.deepEqual(colours.map(([text]) => text), ["fn", "let", "42", "// a comment"]);
    assert.equal(new Set(colours.map(([, colour]) => colour)).size, 3);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await code.getByRole("button", { name: "Copy code" }).click();
    const copied = () => page.evaluate(() => navigator.clipboard.readText());
    assert.equal(await copied(), "fn main() {\n    let number = 42; // a comment\n}");
    await page.locator("li.theirs").last().locator("> .actions").getByRole("button", { name: "Copy" }).click();
    assert.match(await copied(), /^# First\n\nSome \*\*bold\*\*/, "a whole answer is copied as it was written");
  },

  async "after a reload the same answer is shown in the same way"(page) {
    await page.waitForFunction(() => !document.querySelector("button.copy.done"));
    const before = await answer(page).innerHTML();
    await page.reload();
    await answer(page).getByText("The end of the document.").waitFor();
    assert.equal(await answer(page).innerHTML(), before);
    await accessible(page, "an answer in Markdown");
    await page.emulateMedia({ colorScheme: "dark" });
    await accessible(page, "an answer in Markdown, dark");
    await shot(page, "text-dark");
    await page.emulateMedia({ colorScheme: "light" });
  },

  async "tables, code and long words stay within a phone"(page) {
    await page.setViewportSize({ width: 390, height: 844 });
    await say(page, `${"x".repeat(300)} and\n\`\`\`\n${"y".repeat(300)}\n\`\`\`\n| ${"z".repeat(80)} | b |\n|--|--|\n| 1 | 2 |`);
    await answer(page).locator("table").waitFor();
    await page.locator("li[aria-busy]").waitFor({ state: "detached" });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
    assert.ok(await answer(page).evaluate((node) => node.scrollWidth <= node.clientWidth), "the long word is broken");
    for (const box of [answer(page).locator("pre"), answer(page).locator(".table")]) {
      const { scrolls, fits } = await box.evaluate((node) => ({
        scrolls: node.scrollWidth > node.clientWidth, fits: node.getBoundingClientRect().right <= innerWidth,
      }));
      assert.ok(scrolls && fits, "it scrolls by itself");
    }
    await accessible(page, "wide things on a phone");
    await shot(page, "text-phone");
    await page.setViewportSize({ width: 1280, height: 720 });
  },
};

await run("text", gateway, shots, tests);
