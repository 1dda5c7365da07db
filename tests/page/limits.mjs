// Messages that are not accepted, on the chat page in a real browser, and the return to an earlier conversation.
//
//   node limits.mjs [--shots FOLDER]      screenshots go to FOLDER
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { accessible } from "./axe.mjs";
import { Gateway, run } from "./gateway.mjs";

const shots = process.argv[2] === "--shots" ? process.argv[3] : null;
const gateway = new Gateway();
const limits = (turns) => `[gateway.limits]\nmax_frame = 20000\n\n[limits.budget.person]\nturns = ${turns}\n`;
writeFileSync(join(gateway.home, "frontdesk.toml"), limits(0));

async function say(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
}

const mine = (page, part) => page.locator("li.mine", { hasText: part });
const theirs = (page, part) => page.locator("li.theirs", { hasText: part });

const tests = {
  async "a message that is too long is not sent again and again, and can be shortened"(page) {
    await page.goto(gateway.address(`#token=${gateway.token()}`));
    await page.getByText("Connected", { exact: true }).waitFor();
    await say(page, `long ${"x".repeat(30000)}`);
    const row = mine(page, "long");
    await row.getByRole("button", { name: "Edit" }).waitFor();
    assert.match(await row.locator(".note").innerText(), /too long/);
    await row.getByRole("button", { name: "Edit" }).click();
    assert.equal(await row.count(), 0);
    assert.match(await page.getByLabel("Message").inputValue(), /^long x/);
    await say(page, "short");
    await theirs(page, "short").waitFor({ timeout: 30_000 });
    await page.reload();
    await theirs(page, "short").waitFor();
    assert.equal(await mine(page, "long").count(), 0, "it is forgotten");
  },

  async "an earlier conversation is returned to from the line where it ended"(page) {
    await say(page, "/new");
    await page.locator("li.divider").getByRole("button", { name: "Return to the one before" }).click();
    await mine(page, "/resume 1").waitFor();
    await theirs(page, /resume|conversation/i).last().waitFor();
  },

  async "what a limit refuses says why in a person's words, and is sent again by a button"(page) {
    writeFileSync(join(gateway.home, "frontdesk.toml"), limits(3));
    const reload = await gateway.api("POST", "api/config/reload", {});
    assert.equal(reload.status, 200, JSON.stringify(reload.body));
    for (let n = 0; n < 6; n += 1) await say(page, `many ${n}`);
    const refused = page.locator("li.mine.bad").first();
    await refused.getByRole("button", { name: "Send again" }).waitFor();
    assert.match(await refused.locator(".note").innerText(), /Today's budget is used up/);
    await accessible(page, "refused");
    if (shots) await page.screenshot({ path: join(shots, "refused.png") });
    const text = await refused.locator(".text").innerText();
    for (const reload of [false, true]) {
      if (reload) await page.reload();
      await page.locator("li.mine.bad").nth(1).waitFor();
      const seen = (await page.locator("li.mine .text").allInnerTexts()).filter((one) => one.startsWith("many"));
      assert.deepEqual(seen, Array.from({ length: 6 }, (_, n) => `many ${n}`), "each once");
    }
    writeFileSync(join(gateway.home, "frontdesk.toml"), limits(0));
    await gateway.api("POST", "api/config/reload", {});
    await refused.getByRole("button", { name: "Send again" }).click();
    await theirs(page, text).waitFor();
  },
};

await run("limits", gateway, shots, tests);
