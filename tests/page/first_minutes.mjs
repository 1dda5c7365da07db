// The first ten minutes of a new user, as docs/first-minutes.md tells them: one command, the page, a Telegram bot whose first
// writer is let in on a phone, a background task, an earlier conversation, two tabs and the command line on one chat, and a
// gateway that is killed in the middle. The model is aimock; Telegram is the fake Bot API.
//
//   FRONTDESK_INTEROP=FOLDER node first_minutes.mjs [--pictures FOLDER]      pictures for the document go to FOLDER
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { BotApi } from "./botapi.mjs";
import { FirstRun } from "./first_run.mjs";
import { run } from "./gateway.mjs";
import { program } from "./program.mjs";

const packages = process.env.FRONTDESK_INTEROP;
if (!packages) throw new Error("FRONTDESK_INTEROP must name the folder where the packages are installed");
const { LLMock } = createRequire(join(packages, "package.json"))("@copilotkit/aimock");
const pictures = process.argv[2] === "--pictures" ? process.argv[3] : null;

const ANNA = 1001;
const DESKTOP = { width: 1000, height: 640 };
const PHONE = { viewport: { width: 390, height: 700 }, isMobile: true, hasTouch: true };

const TRIP = `Two days are enough for a first look:

| | Saturday | Sunday |
|---|---|---|
| morning | Old Town, before the crowds | the castle, from the north gate |
| afternoon | Kampa, and a boat | Vyšehrad |
| evening | jazz in a cellar | a quiet dinner in Karlín |

The tram pays with a card:

\`\`\`sh
curl -s https://api.example.org/trams?from=Prague | jq '.[0]'
\`\`\``;
const REPORT = "Three trains a day go there without a change; the night train is the cheapest. Book before Friday.";
const STORY = "Once there was a clerk who never lost a letter. " + Array.from({ length: 30 }, (_, n) => `On day ${n + 1} she filed it.`).join(" ");

const text = ({ content }) => typeof content === "string" ? content : content.map((part) => part.text ?? "").join("");
const asked = (request) => text(request.messages.findLast((message) => message.role === "user"));
const model = new LLMock({ port: 0 });
const on = (word, response, options) => (
  model.on({ predicate: (request) => asked(request).includes(word), endpoint: "chat" }, response, options));
on("Which city", (request) => ({ content: /Prague/.test(JSON.stringify(request.messages)) ? "Prague." : "I do not know." }));
on("weekend in Prague", { content: TRIP }, { latency: 5, chunkSize: 12 });
on("trains", { content: REPORT }, { latency: 150, chunkSize: 4 });
on("bread", { content: "Flour, water, salt and time. Begin the evening before." });
on("story", { content: STORY }, { latency: 40, chunkSize: 8 });
on("terminal", { content: "I can read you in the terminal and in the browser." });
on("", { content: "Hello! I can plan, look things up and write for you." });
await model.start();

const botapi = new BotApi();
await botapi.start();
await botapi.control("user", { id: ANNA, name: "Anna" });
const anna = (words) => botapi.control("say", { chat: ANNA, from: ANNA, text: words });

/** Waits until Anna's chat on Telegram shows a message that matches, and returns its text. */
async function toldOnTelegram(pattern) {
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const shown = await (await fetch(`${botapi.url}/control/chat?chat=${ANNA}`)).json();
    const found = shown.find((message) => pattern.test(message.text));
    if (found) return found.text;
  }
  throw new Error(`Telegram does not show ${pattern}`);
}

const gateway = new FirstRun(model.url);
const command = async (...parts) => {
  const { stdout } = await promisify(execFile)(program, parts, { env: { ...process.env, ...gateway.env } });
  return stdout.trim();
};

async function say(page, words) {
  await page.getByLabel("Message").fill(words);
  await page.keyboard.press("Enter");
}
const mine = (page, part) => page.locator("li.mine", { hasText: part });
const theirs = (page, part) => page.locator("li.theirs", { hasText: part });
const connected = (page) => page.getByText("Connected", { exact: true }).waitFor({ timeout: 30_000 });
const silent = (page) => page.locator("li[aria-busy]").waitFor({ state: "detached" });

/** Saves a picture of the page as WebP, a third of the size of a PNG. */
async function picture(page, name) {
  if (!pictures) return;
  const png = await page.screenshot({ animations: "disabled", caret: "hide" });
  const blank = await page.context().newPage();
  const url = await blank.evaluate(async (source) => {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/webp", 0.82);
  }, `data:image/png;base64,${png.toString("base64")}`);
  await blank.close();
  writeFileSync(join(pictures, `${name}.webp`), Buffer.from(url.split(",")[1], "base64"));
}

let phone;

const tests = {
  async "one command prints a link, and the link opens a chat that is answered"(page) {
    await page.setViewportSize(DESKTOP);
    await page.goto(gateway.link);
    await connected(page);
    await say(page, "Plan a weekend in Prague");
    await theirs(page, "Vyšehrad").waitFor();
    await silent(page);
    assert.equal(await theirs(page, "Vyšehrad").getByRole("table").count(), 1);
    await page.locator("#log").evaluate((log) => { log.scrollTop = 0; });
    await picture(page, "page");
    if (pictures) writeFileSync(join(gateway.user, "shown"), gateway.shown);
  },

  async "a Telegram bot is connected by its token"() {
    writeFileSync(join(gateway.home, "frontdesk.toml"),
      `[channels.telegram]\ntoken = "123456:TEST-token"\napi_url = "${botapi.url}"\n`);
    await command("config", "check");
    await command("config", "reload");
    await anna("Hello");
    assert.match(await toldOnTelegram(/pairing|code/i), /[A-Z0-9]{8}/);
  },

  async "whoever writes to it is let in by two taps on a phone"(page) {
    const link = await command("link");
    phone = await page.context().browser().newContext(PHONE);
    phone.setDefaultTimeout(15_000);
    const held = await phone.newPage();
    await held.goto(link.match(/http:\S+/)[0]);
    await connected(held);
    await held.goto(gateway.address("console"));
    const waiting = held.getByRole("region", { name: "Waiting to be let in" });
    await waiting.getByText("telegram:1001").waitFor({ timeout: 20_000 });
    await picture(held, "phone");
    await waiting.getByRole("button", { name: "Let in Anna" }).click();
    await held.getByRole("dialog").getByRole("button", { name: "Let in", exact: true }).click();
    await waiting.waitFor({ state: "hidden" });
    await anna("Now?");
    await toldOnTelegram(/I can plan, look things up/);
  },

  async "a task works in the background while one goes on writing, and its result comes"(page) {
    await say(page, "/bg Find night trains and compare them");
    const task = page.locator("li.task", { hasText: "Background task b1" });
    await task.getByText("is running").waitFor();
    await say(page, "How do I bake bread?");
    await theirs(page, "Flour, water").waitFor();
    await picture(page, "task");
    await task.getByText("is done").waitFor({ timeout: 30_000 });
    await theirs(page, "Three trains a day").waitFor();
  },

  async "an earlier conversation is found, and goes on where it ended"(page) {
    await say(page, "/new");
    await page.locator("li.divider").waitFor();
    await say(page, "Which city did I ask about?");
    await theirs(page, "I do not know.").waitFor();
    await page.getByLabel("Search conversations").fill("Vyšehrad");
    await page.getByRole("list", { name: "Found by the search" }).getByRole("button").or(
      page.getByRole("list", { name: "Found by the search" }).getByRole("link")).first().waitFor();
    await picture(page, "search");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Earlier chats" }).click();
    await page.getByRole("button", { name: /Plan a weekend in Prague/ }).click();
    await mine(page, "/resume 1").waitFor();
    await say(page, "Which city was it?");
    await theirs(page, "Prague.").last().waitFor();
  },

  async "two tabs and the command line write to one chat"(page) {
    const other = await page.context().newPage();
    await other.goto(gateway.address());
    await connected(other);
    assert.match(await command("chat", "Do you see me in the terminal?"), /in the terminal and in the browser/);
    for (const tab of [page, other]) {
      await mine(tab, "Do you see me in the terminal?").waitFor();
      await theirs(tab, "I can read you in the terminal").waitFor();
    }
    await other.close();
  },

  async "a gateway that is killed in the middle of an answer gives the whole one after its start"(page) {
    await say(page, "Tell me a story");
    await page.locator("li[aria-busy]", { hasText: "On day 2" }).waitFor();
    await gateway.kill();
    await page.getByText("Not connected").waitFor();
    await say(page, "And thank you");
    await mine(page, "And thank you").getByText("Sent when the connection is back").waitFor();
    await picture(page, "killed");
    await gateway.start();
    await connected(page);
    await theirs(page, "On day 30").waitFor({ timeout: 30_000 });
    await mine(page, "And thank you").waitFor();
    await silent(page);
    await page.reload();
    await theirs(page, "On day 30").waitFor();
    assert.equal(await theirs(page, "Once there was a clerk").count(), 1);
    assert.equal(await mine(page, "And thank you").count(), 1);
    await phone.close();
  },
};

await run("first minutes", gateway, null, tests);
if (!pictures) rmSync(gateway.user, { recursive: true, force: true });
else console.log(`what the terminal has shown: ${join(gateway.user, "shown")}`);
botapi.stop();
await model.stop();
