// The chat page with a model, from a home folder with nothing in it: with `OPENAI_API_KEY`, one command starts the gateway,
// and the link that it prints opens the page. The model is aimock.
//
//   FRONTDESK_INTEROP=FOLDER node model.mjs [--shots FOLDER]      screenshots go to FOLDER
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FirstRun } from "./first_run.mjs";
import { run } from "./gateway.mjs";

const packages = process.env.FRONTDESK_INTEROP;
if (!packages) throw new Error("FRONTDESK_INTEROP must name the folder where the packages are installed");
const { LLMock } = createRequire(join(packages, "package.json"))("@copilotkit/aimock");
const shots = process.argv[2] === "--shots" ? process.argv[3] : null;

const text = ({ content }) => typeof content === "string" ? content : content.map((part) => part.text ?? "").join("");
const asked = (request) => text(request.messages.findLast((message) => message.role === "user"));
const WORDS = Array.from({ length: 40 }, (_, n) => `word${n}`).join(" ");

const model = new LLMock({ port: 0 });
const on = (word, response, options) => (
  model.on({ predicate: (request) => asked(request).startsWith(word), endpoint: "chat" }, response, options));
on("count", { content: WORDS }, { latency: 60, chunkSize: 7 });
on("which number", (request) => ({ content: `It is ${/remember (\d+)/.exec(JSON.stringify(request.messages))?.[1]}.` }));
on("", (request) => ({ content: `You wrote: ${asked(request)}` }));
await model.start();

const gateway = new FirstRun(model.url);

async function say(page, message) {
  await page.getByLabel("Message").fill(message);
  await page.keyboard.press("Enter");
}

/** The answers that the page shows and that contain this. */
const answers = (page, part) => page.locator("li.theirs", { hasText: part });

async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
}

const tests = {
  async "the printed link logs in, and the start says who answers"(page) {
    assert.match(gateway.shown, /Answers come from the model \S+ at 127\.0\.0\.1, because OPENAI_API_KEY is set\./);
    assert.equal(existsSync(join(gateway.home, "frontdesk.toml")), false, "no configuration was needed");
    await page.goto(gateway.link);
    await page.getByText("Connected").waitFor();
  },

  async "an answer appears while the model still writes it"(page) {
    await say(page, "count");
    await answers(page, "word1").waitFor();
    const early = await answers(page, "word1").innerText();
    assert.ok(!early.includes("word39"), early);
    await answers(page, "word39").waitFor();
    assert.equal((await answers(page, "word39").locator(".text").innerText()).trim(), WORDS);
    await shot(page, "model-answer");
  },

  async "the next message shows that the model remembers"(page) {
    await say(page, "remember 7");
    await answers(page, "You wrote: remember 7").waitFor();
    await say(page, "which number?");
    await answers(page, "It is 7.").waitFor();
  },

  async "the stop button ends the answer, and what was shown stays"(page) {
    await say(page, "count again");
    await page.locator("li[aria-busy]", { hasText: "word2" }).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await answers(page, "(stopped)").waitFor();
    const shown = await answers(page, "(stopped)").locator(".text").innerText();
    assert.ok(shown.startsWith("word0 word1 word2") && !shown.includes("word39"), shown);
  },

  async "a kill in the middle of an answer leaves one whole answer, and the memory"(page) {
    const before = model.getRequests().length;
    await say(page, "count once more");
    await page.locator("li[aria-busy]", { hasText: "word2" }).waitFor();
    await gateway.kill();
    await page.getByText("Not connected").waitFor();
    await gateway.start();
    await page.getByText("Connected", { exact: true }).waitFor({ timeout: 30_000 });
    await answers(page, "word39").nth(1).waitFor();
    await page.locator("li[aria-busy]").waitFor({ state: "detached" });
    for (const reload of [false, true]) {
      if (reload) await page.reload();
      await answers(page, "word39").nth(1).waitFor();
      const seen = await answers(page, "word39").locator(".text").allInnerTexts();
      assert.deepEqual(seen.map((answer) => answer.trim()), [WORDS, WORDS], "one of the first test, and one of this");
    }
    assert.equal(model.getRequests().length, before + 2, "asked once more after the kill");
    await say(page, "which number?");
    await answers(page, "It is 7.").nth(1).waitFor();
    await shot(page, "model-after-kill");
  },
};

await run("model", gateway, shots, tests);
rmSync(gateway.user, { recursive: true, force: true });
await model.stop();
