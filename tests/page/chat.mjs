// The chat page over an hour of its life, shortened: history, two tabs, an outage, drafts, failures, keyboard and phone.
//
//   node chat.mjs [--shots FOLDER]      screenshots go to FOLDER
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
  `[agents.main]\nkind = "command"\nmode = "lasting"\ncommand = ${JSON.stringify(agent)}\n\n[limits.chat]\nper_minute = 0\n\n[limits.user]\nper_minute = 0\n`,
);

async function say(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
}

const theirs = (page, part) => page.locator("li.theirs", { hasText: part });
const mine = (page, part) => page.locator("li.mine", { hasText: part });
const file = (name) => join(gateway.home, name);
const connected = (page) => page.getByText("Connected", { exact: true }).waitFor({ timeout: 30_000 });

async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
}

/** What the conversation shows: the kind and the words of every row. */
const rows = (page) => page.locator("#rows > li").evaluateAll((all) => all.map((row) => {
  const note = row.querySelector(".note")?.innerText || "";
  return `${row.classList[0]}: ${row.querySelector(".text").innerText.trim()} ${note}`.trim();
}));

const tests = {
  async "the log-in takes a whole link, and says what is wrong and where a new one is"(page) {
    await page.goto(gateway.address());
    const field = page.getByLabel("Token");
    await field.waitFor();
    assert.ok(await field.evaluate((node) => node === document.activeElement), "one can type at once");
    await accessible(page, "log-in");
    await page.keyboard.press("Enter");
    await page.getByText("Paste a token or a login link first").waitFor();
    await field.fill("what is this?");
    await page.keyboard.press("Enter");
    await page.getByText("neither a token nor a login link").waitFor();
    await field.fill("QUJDREVG");
    await page.keyboard.press("Enter");
    await page.getByText("not valid").waitFor();
    assert.match(await page.locator("#login-problem").innerText(), /frontdesk link/);
    await accessible(page, "log-in with a problem");
    await shot(page, "log-in");
    await field.fill(gateway.address(`#token=${gateway.token()}`));
    await page.keyboard.press("Enter");
    await connected(page);
    assert.equal(page.url(), gateway.address());
  },

  async "an empty chat names its agent and has examples"(page) {
    await page.getByText("the agent “main”").waitFor();
    assert.ok(await page.getByLabel("Message").evaluate((node) => node === document.activeElement));
    await accessible(page, "empty");
    await shot(page, "empty");
    await page.getByRole("button", { name: "What can you do?" }).click();
    assert.equal(await page.getByLabel("Message").inputValue(), "What can you do?");
    await page.keyboard.press("Enter");
    await theirs(page, "You wrote: What can you do?").waitFor();
    assert.ok(await page.locator("#empty").isHidden());
  },

  async "a reload shows exactly what was shown: commands, a failure, a stop, a reset, a send"(page) {
    await say(page, "/whoami");
    await theirs(page, "web:").waitFor();
    await say(page, "fail");
    await page.locator("li.failure").getByRole("button", { name: "Retry" }).waitFor();
    await shot(page, "failure");
    await accessible(page, "failed");
    await say(page, `wait at ${file("never")}`);
    await theirs(page, "It begins well").waitFor();
    await page.keyboard.press("Escape");
    await theirs(page, "(stopped)").waitFor();
    await say(page, "/new");
    await page.locator("li.divider", { hasText: "New conversation" }).waitFor();
    await gateway.api("POST", "api/send", { to: "web:main", text: "A message **from** outside" });
    await theirs(page, "A message from outside").waitFor();
    await say(page, "the last one");
    await theirs(page, "You wrote: the last one").waitFor();
    await page.locator("li[aria-busy]").waitFor({ state: "detached" });
    const before = await rows(page);
    await page.reload();
    await theirs(page, "You wrote: the last one").waitFor();
    assert.deepEqual(await rows(page), before);
    assert.equal(before.filter((row) => row.startsWith("divider")).length, 1);
    await shot(page, "history");
  },

  async "a second tab, another program and this page see each other's questions and answers"(page) {
    const other = await page.context().newPage();
    await other.goto(gateway.address());
    await connected(other);
    await theirs(other, "You wrote: the last one").waitFor();
    await say(page, "from the first tab");
    for (const tab of [page, other]) await theirs(tab, "You wrote: from the first tab").waitFor();
    await mine(other, "from the first tab").waitFor();
    await say(other, "from the second tab");
    await mine(page, "from the second tab").waitFor();
    const reply = await gateway.api("POST", "api/chat", { text: "from a program" });
    assert.equal(reply.body.text, "You wrote: from a program");
    for (const tab of [page, other]) {
      await mine(tab, "from a program").waitFor();
      await theirs(tab, "You wrote: from a program").waitFor();
    }
    assert.deepEqual(await rows(other), await rows(page));
    await other.close();
  },

  async "a page that comes in the middle of an answer shows the text so far at once"(page) {
    await say(page, `wait at ${file("middle")}`);
    await theirs(page, "It begins well").last().waitFor();
    await page.reload();
    const answer = page.locator("li.theirs[aria-busy]");
    await answer.getByText("It begins well").waitFor();
    writeFileSync(file("middle"), "");
    await theirs(page, "It begins well and ends well").waitFor();
    assert.equal(await theirs(page, "It begins well and ends well").count(), 1);
  },

  async "Escape stops"(page) {
    await say(page, `wait at ${file("never")}`);
    await page.locator("li.theirs[aria-busy]").waitFor();
    await page.keyboard.press("Escape");
    await page.locator("#stop[hidden]").waitFor({ state: "attached" });
    await theirs(page, "(stopped)").last().waitFor();
  },

  async "a message behind another one says its place in line, and can be withdrawn"(page) {
    await say(page, `wait at ${file("line")}`);
    await page.locator("li.theirs[aria-busy]").waitFor();
    await say(page, "the next one");
    await mine(page, "the next one").getByText("number 1 in line").waitFor();
    await accessible(page, "queued");
    await say(page, "one that is withdrawn");
    await mine(page, "one that is withdrawn").getByText("number 2 in line").waitFor();
    await mine(page, "one that is withdrawn").getByRole("button", { name: "Withdraw" }).click();
    await mine(page, "one that is withdrawn").getByText("(stopped)").waitFor();
    writeFileSync(file("line"), "");
    await theirs(page, "You wrote: the next one").waitFor();
    assert.equal(await mine(page, "the next one").locator(".note").count(), 0);
    assert.equal(await theirs(page, "You wrote: one that is withdrawn").count(), 0);
  },

  async "what waited when the connection was lost, and was answered meanwhile, waits no more"(page) {
    await say(page, `wait at ${file("lost")}`);
    await page.locator("li.theirs[aria-busy]").waitFor();
    await say(page, "behind the lost one");
    await mine(page, "behind the lost one").getByText("number 1 in line").waitFor();
    await page.context().setOffline(true);
    await gateway.kill();
    await page.getByText("Not connected").waitFor();
    writeFileSync(file("lost"), "");
    await gateway.start();
    for (let open = 1; open > 0;) {
      const { body } = await gateway.api("GET", "api/session/agent:main:web:dm:main");
      open = body.waiting + (body.running ? 1 : 0);
    }
    await page.context().setOffline(false);
    await theirs(page, "You wrote: behind the lost one").waitFor({ timeout: 30_000 });
    await connected(page);
    assert.equal(await mine(page, "behind the lost one").locator(".note").count(), 0);
    assert.equal(await page.locator("#stop").isHidden(), true);
  },

  async "a draft survives a reload"(page) {
    await page.getByLabel("Message").fill("half a thou");
    await page.reload();
    await connected(page);
    assert.equal(await page.getByLabel("Message").inputValue(), "half a thou");
    await page.getByLabel("Message").fill("");
  },

  async "during an outage a banner says what happens, and what was written is sent once, also after a reload"(page) {
    await gateway.kill();
    await page.getByText("Not connected").waitFor();
    await page.getByText(/Next try in \d+ s|Trying/).waitFor();
    await say(page, "written during the outage");
    await mine(page, "written during the outage").getByText("Sent when the connection is back").waitFor();
    await accessible(page, "offline");
    await shot(page, "offline");
    await gateway.start();
    const tries = page.getByRole("button", { name: "Try now" });
    if (await tries.isVisible()) await tries.click();
    await theirs(page, "You wrote: written during the outage").waitFor({ timeout: 30_000 });
    assert.equal(await page.locator("#banner").isHidden(), true);
    await gateway.kill();
    await page.getByText("Not connected").waitFor();
    await say(page, "and this before a reload");
    await mine(page, "and this before a reload").waitFor();
    // The page must not be there when the gateway comes back.
    await page.goto("about:blank");
    await gateway.start();
    await page.goto(gateway.address());
    await theirs(page, "You wrote: and this before a reload").waitFor({ timeout: 30_000 });
    await page.reload();
    await theirs(page, "You wrote: and this before a reload").waitFor();
    for (const text of ["written during the outage", "and this before a reload"]) {
      assert.equal(await mine(page, text).count(), 1, text);
      assert.equal(await theirs(page, text).count(), 1, text);
    }
  },

  async "scrolling up loads what came before, without moving what is read, and nothing twice"(page) {
    for (let n = 0; n < 80; n += 1) await gateway.api("POST", "api/chat", { text: `line ${n}.`, chat: "long" });
    await page.goto(gateway.address("#chat=long"));
    await page.reload();
    await theirs(page, "You wrote: line 79.").waitFor();
    const log = page.locator("#log");
    await log.evaluate((node) => { node.scrollTop = 0; });
    const top = () => log.evaluate((node) => {
      const edge = node.getBoundingClientRect().top;
      const row = [...node.querySelectorAll("#rows > li")].find((one) => one.getBoundingClientRect().bottom > edge + 1);
      return [row.querySelector(".text").innerText, row.getBoundingClientRect().top - edge];
    });
    let seen = await page.locator("#rows > li").count();
    assert.ok(seen < 120, `the page opens with a part: ${seen}`);
    for (let tries = 0; tries < 50 && seen < 160; tries += 1) {
      await log.evaluate((node) => { node.scrollTop = 40; });
      const [words, at] = await top();
      const more = await page.waitForFunction((count) => document.querySelectorAll("#rows > li").length > count || document.getElementById("earlier").hidden, seen).then(() => true);
      assert.ok(more);
      const [now, place] = await top();
      assert.equal(now, words);
      assert.ok(Math.abs(place - at) < 2, `${place} and ${at}`);
      seen = await page.locator("#rows > li").count();
    }
    const texts = await page.locator("li.mine .text").allInnerTexts();
    assert.deepEqual(texts, Array.from({ length: 80 }, (_, n) => `line ${n}.`));
    assert.equal(await page.locator("li.theirs").count(), 80);
    assert.equal(page.url(), gateway.address("#chat=long"), "a reload stays in its chat");
    assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), "long");
  },

  async "an answer does not move what somebody reads above"(page) {
    const log = page.locator("#log");
    await log.evaluate((node) => { node.scrollTop = 300; });
    await gateway.api("POST", "api/chat", { text: "news", chat: "long" });
    await theirs(page, "You wrote: news").waitFor();
    assert.equal(await log.evaluate((node) => node.scrollTop), 300);
    await page.getByRole("button", { name: "Jump to the newest" }).click();
    assert.ok(await log.evaluate((node) => node.scrollHeight - node.scrollTop - node.clientHeight < 2));
    assert.ok(await page.getByRole("button", { name: "Jump to the newest" }).isHidden());
  },

  async "the keyboard alone is enough"(page) {
    await page.goto(gateway.address());
    await page.reload();
    await connected(page);
    await page.keyboard.type("with the keyboard");
    await page.keyboard.press("Enter");
    await theirs(page, "You wrote: with the keyboard").waitFor();
    const seen = new Set();
    for (let tabs = 0; tabs < 200; tabs += 1) {
      await page.keyboard.press("Shift+Tab");
      const { label, visible } = await page.evaluate(() => {
        const node = document.activeElement;
        const style = getComputedStyle(node);
        const around = node.closest("#field") ? getComputedStyle(node.closest("#field")) : style;
        return {
          label: node.getAttribute("aria-label") || node.id,
          visible: node === document.body || style.outlineStyle !== "none" || around.boxShadow !== "none",
        };
      });
      assert.ok(visible, `the focus on ${label} can be seen`);
      seen.add(label);
    }
    for (const label of ["Log out", "Copy", "Conversation", "text"]) assert.ok(seen.has(label), label);
  },

  async "a phone has a composer that grows, and nothing is too wide"(page) {
    await page.setViewportSize({ width: 390, height: 844 });
    const field = page.getByLabel("Message");
    const one = (await field.boundingBox()).height;
    await field.fill("1\n2\n3\n4");
    assert.ok((await field.boundingBox()).height > one * 2.5);
    await field.fill(Array.from({ length: 100 }, (_, n) => n).join("\n"));
    assert.ok((await field.boundingBox()).height <= 844 * 0.41);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false);
    for (const name of ["Send", "Log out"]) {
      const box = await page.getByRole("button", { name }).boundingBox();
      assert.ok(box.width >= 36 && box.height >= 36, `${name} is large enough for a thumb`);
    }
    await page.emulateMedia({ colorScheme: "dark" });
    await accessible(page, "phone, dark");
    await shot(page, "phone-dark");
    await field.fill("");
  },
};

await run("chat", gateway, shots, tests);
