// Answers an agent's questions on the chat page in a real browser: with the keyboard, over a kill of the gateway and a
// reload, and in two tabs.
//
//   node asks.mjs [--shots FOLDER]      screenshots go to FOLDER
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { accessible } from "./axe.mjs";
import { Gateway, run } from "./gateway.mjs";

const shots = process.argv[2] === "--shots" ? process.argv[3] : null;
const gateway = new Gateway();
const agent = [process.execPath, join(import.meta.dirname, "asking_agent.mjs")];
writeFileSync(
  join(gateway.home, "frontdesk.toml"),
  `[agents.main]\nkind = "command"\nmode = "lasting"\ncommand = ${JSON.stringify(agent)}\n`,
);

async function say(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
}

/** The card of the newest question. */
const card = (page) => page.locator("li.ask").last();

async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
}

const tests = {
  async "a question has buttons for the keyboard, and its answer reaches the agent"(page) {
    await page.goto(gateway.address(`#token=${gateway.token()}`));
    await page.getByText("Connected").waitFor();
    await say(page, "permission");
    const buttons = card(page).getByRole("group", { name: "May I delete" }).getByRole("button");
    await buttons.first().waitFor();
    assert.deepEqual(await buttons.allInnerTexts(), ["Allow", "Deny"]);
    assert.match(await card(page).innerText(), /Please answer until \d/);
    await page.getByLabel("Message").focus();
    for (let tabs = 0; tabs < 3; tabs += 1) await page.keyboard.press("Shift+Tab");
    const focused = () => page.evaluate(() => document.activeElement.textContent);
    while (await focused() !== "Allow") await page.keyboard.press("Shift+Tab");
    await shot(page, "question-light");
    await accessible(page, "question");
    await page.emulateMedia({ colorScheme: "dark" });
    await accessible(page, "question, dark");
    await shot(page, "question-dark");
    await page.emulateMedia({ colorScheme: "light" });
    await page.keyboard.press("Enter");
    await card(page).getByText("Answer: Allow").waitFor();
    assert.equal(await card(page).getByRole("button").count(), 0);
    assert.match(await focused(), /May I delete/, "the keyboard stays at the question");
    await page.locator("li.theirs", { hasText: "the answer is allow" }).waitFor();
    await shot(page, "question-answered");
  },

  async "a question is open after a kill of the gateway and a reload, and is answered once"(page) {
    await say(page, "permission");
    await card(page).getByRole("button", { name: "Deny" }).waitFor();
    await gateway.kill();
    await page.getByText("Not connected").waitFor();
    await gateway.start();
    await page.getByText("Connected", { exact: true }).waitFor({ timeout: 30_000 });
    await page.reload();
    await card(page).getByRole("button", { name: "Deny" }).waitFor();
    assert.equal(await page.locator("li.ask").count(), 2, "the same question, not one more");
    await card(page).getByRole("button", { name: "Deny" }).click();
    await page.locator("li.theirs", { hasText: "the answer is deny" }).waitFor();
    assert.equal(await page.locator("li.theirs", { hasText: "the answer is deny" }).count(), 1);
  },

  async "an answer that is given while the gateway is away is sent when it is back"(page) {
    await say(page, "permission");
    await card(page).getByRole("button", { name: "Allow" }).waitFor();
    await gateway.kill();
    await page.getByText("Not connected").waitFor();
    await card(page).getByRole("button", { name: "Allow" }).click();
    await card(page).getByText("sending").waitFor();
    await gateway.start();
    await card(page).getByText("Answer: Allow").waitFor({ timeout: 30_000 });
  },

  async "a second tab sees a question and its end"(page) {
    const other = await page.context().newPage();
    await other.goto(gateway.address());
    await other.getByText("Connected").waitFor();
    await say(page, "permission");
    await card(other).getByRole("button", { name: "Allow" }).waitFor();
    await card(other).getByRole("button", { name: "Allow" }).click();
    await card(page).getByText("Answer: Allow").waitFor();
    assert.equal(await card(page).getByRole("button").count(), 0);
    await other.close();
  },

  async "a question for free text has a field"(page) {
    await say(page, "name");
    await card(page).getByLabel("Your answer").fill("Amsel <b>");
    await accessible(page, "question for free text");
    await shot(page, "question-text");
    await page.keyboard.press("Enter");
    await page.locator("li.theirs", { hasText: "the answer is Amsel <b>" }).waitFor();
    assert.match(await card(page).innerText(), /Answer: Amsel <b>/);
  },

  async "a question that is stopped is withdrawn"(page) {
    await say(page, "permission");
    await card(page).getByRole("button", { name: "Allow" }).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await card(page).getByText("withdrawn").waitFor();
  },

  async "after a reload every question shows what came of it"(page) {
    const before = await page.locator("li.ask").allInnerTexts();
    await page.reload();
    await page.locator("li.ask", { hasText: "withdrawn" }).waitFor();
    assert.deepEqual(await page.locator("li.ask").allInnerTexts(), before);
  },

  async "many choices fit a phone"(page) {
    await page.setViewportSize({ width: 360, height: 640 });
    await say(page, "choices");
    await card(page).getByRole("button").nth(4).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false);
    for (const button of await card(page).getByRole("button").all()) {
      const box = await button.boundingBox();
      assert.ok(box.height >= 40 && box.x + box.width <= 360, JSON.stringify(box));
    }
    await page.waitForFunction(() => {
      const log = document.getElementById("log");
      return log.scrollHeight - log.scrollTop - log.clientHeight < 2;
    });
    await shot(page, "question-phone");
    await card(page).getByRole("button").nth(2).click();
    await page.locator("li.theirs", { hasText: "the answer is c" }).waitFor();
  },
};

await run("asks", gateway, shots, tests);
