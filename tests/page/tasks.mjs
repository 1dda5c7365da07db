// Background tasks on the chat page in a real browser: their progress, a reload, a cancelled and a failed one.
//
//   node tasks.mjs [--shots FOLDER]      screenshots go to FOLDER
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { accessible } from "./axe.mjs";
import { Gateway, run } from "./gateway.mjs";

const shots = process.argv[2] === "--shots" ? process.argv[3] : null;
const gateway = new Gateway();
const agent = [process.execPath, join(import.meta.dirname, "working_agent.mjs")];
writeFileSync(
  join(gateway.home, "frontdesk.toml"),
  `[tasks]\nprogress_seconds = 1\n\n[agents.main]\nkind = "command"\nmode = "lasting"\ncommand = ${JSON.stringify(agent)}\n`,
);

async function say(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
}

/** The card of a task. */
const card = (page, id) => page.locator("li.task", { hasText: `Background task ${id} ` });
const file = (name) => join(gateway.home, name);

async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
}

const tests = {
  async "a task has a bar that moves, also after a reload, and its result comes once"(page) {
    await page.goto(gateway.address(`#token=${gateway.token()}`));
    await page.getByText("Connected").waitFor();
    await say(page, `/bg Read the papers at ${file("a")}`);
    const task = card(page, "b1");
    await task.getByText("Background task b1 is running.").waitFor();
    const bar = task.getByRole("progressbar", { name: "Progress of background task b1" });
    await task.getByText("30 % · reading <b>the papers</b>").waitFor();
    assert.equal(await bar.getAttribute("value"), "30");
    await accessible(page, "task");
    const order = () => page.locator("#rows > li").evaluateAll((rows) => rows.map((row) => row.classList[0]));
    const before = await order();
    assert.deepEqual([...before].sort(), ["mine", "task", "theirs"]);
    await shot(page, "task-light");
    await page.reload();
    await task.getByText("30 % · reading <b>the papers</b>").waitFor();
    assert.deepEqual(await order(), before, "the card stands where it stood");
    writeFileSync(file("a.1"), "");
    await task.getByText("30 % · writing").waitFor();
    await page.setViewportSize({ width: 360, height: 640 });
    await page.emulateMedia({ colorScheme: "dark" });
    await accessible(page, "task on a phone, dark");
    await shot(page, "task-phone-dark");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
    assert.equal(wide, false);
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1280, height: 720 });
    writeFileSync(file("a.2"), "");
    await task.getByText("Background task b1 is done.").waitFor();
    assert.equal(await bar.count(), 0);
    await page.locator("li.theirs", { hasText: "done: Read the papers" }).waitFor();
    assert.equal(await page.locator("li.theirs", { hasText: "done: Read the papers" }).count(), 1);
    assert.equal(await page.locator("li.task").count(), 1, "one card in all states");
    await shot(page, "task-done");
  },

  async "an answer under way moves to the background, and is cancelled there"(page) {
    await say(page, `A long question at ${file("b")}`);
    await page.getByRole("button", { name: "Stop" }).waitFor();
    const moved = card(page, "b2");
    for (let tries = 0; (await moved.count()) === 0 && tries < 50; tries += 1) {
      await say(page, "/bg");
      await page.waitForTimeout(200);
    }
    await moved.getByText("is running").waitFor();
    await page.getByText("This goes on in the background as task b2.").waitFor();
    await page.getByRole("button", { name: "Stop" }).waitFor({ state: "hidden" });
    await say(page, "/cancel b2");
    await moved.getByText("Background task b2 was cancelled.").waitFor();
    assert.equal(await moved.getByRole("progressbar").count(), 0);
  },

  async "a task that fails says why"(page) {
    await say(page, "/bg fail");
    await card(page, "b3").getByText("has failed. The agent could not do it.").waitFor();
  },

  async "a second tab and a gateway that was killed show the same task"(page) {
    await say(page, `/bg Walk on at ${file("c")}`);
    await card(page, "b4").getByText("30 % · reading").waitFor();
    const other = await page.context().newPage();
    await other.goto(gateway.address());
    await card(other, "b4").getByText("30 % · reading").waitFor();
    await gateway.kill();
    await page.getByText("Not connected").waitFor();
    writeFileSync(file("c.1"), "");
    writeFileSync(file("c.2"), "");
    await gateway.start();
    for (const tab of [page, other]) await card(tab, "b4").getByText("is done").waitFor({ timeout: 30_000 });
    await other.close();
  },
};

await run("tasks", gateway, shots, tests);
