// Login links, and the page of people who see only their own chats.
//
//   node login.mjs [--shots FOLDER]      screenshots go to FOLDER
import assert from "node:assert/strict";
import { join } from "node:path";
import { Gateway, run } from "./gateway.mjs";

const shots = process.argv[2] === "--shots" ? process.argv[3] : null;
const gateway = new Gateway();

const connected = (page) => page.getByText("Connected", { exact: true }).waitFor({ timeout: 30_000 });
const answer = (page, text) => page.locator("li.theirs", { hasText: text });
const stored = (page, name) => page.evaluate((key) => localStorage.getItem(key), name);
const links = (page) => page.locator("#chats a").allInnerTexts();

async function shot(page, name) {
  if (shots) await page.screenshot({ path: join(shots, `${name}.png`) });
}

async function say(page, text) {
  await page.getByLabel("Message").fill(text);
  await page.keyboard.press("Enter");
  await answer(page, text).waitFor();
}

/** The fragment of a login link for the holder of a token. */
async function ticket(token = gateway.token(), user) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json", ...(user && { "X-Frontdesk-User": user }) };
  const reply = await fetch(gateway.address("api/tickets"), { method: "POST", headers, body: "{}" });
  assert.equal(reply.status, 201);
  return (await reply.json()).path.slice(1);
}

async function made(name, scope) {
  const { status, body } = await gateway.api("POST", "api/tokens", { name, scope });
  assert.equal(status, 201);
  return body.token;
}

/** A browser of its own. */
async function another(page, act) {
  const context = await page.context().browser().newContext();
  const other = await context.newPage();
  const refused = [];
  other.on("response", (reply) => { if (reply.status() >= 500) refused.push(`${reply.status()} ${reply.url()}`); });
  try {
    await act(other);
    assert.deepEqual(refused, []);
  } finally {
    await context.close();
  }
}

let used;

const tests = {
  async "a link logs this browser in with a token of its own"(page) {
    used = gateway.address(await ticket());
    await page.goto(used);
    await connected(page);
    assert.equal(page.url(), gateway.address(), "the ticket is not in the address bar");
    assert.notEqual(await stored(page, "frontdesk.token"), gateway.token());
    await say(page, "hello from the owner");
    await page.reload();
    await answer(page, "hello from the owner").waitFor();
    const { body } = await gateway.api("GET", "api/tokens");
    assert.equal(body.tokens.filter((one) => one.kind === "browser" && one.holder === "main").length, 1);
  },

  async "the same link does no harm here, and lets nobody else in"(page) {
    await page.goto("about:blank");
    await page.goto(used);
    await answer(page, "hello from the owner").waitFor();
    await another(page, async (other) => {
      await other.goto(used);
      await other.getByText("This login link was used already").waitFor();
      await shot(other, "used-link");
      await other.getByLabel("Token").fill(gateway.address(await ticket()));
      await other.keyboard.press("Enter");
      await answer(other, "hello from the owner").waitFor();
    });
  },

  async "without the gateway the link waits in the field"(page) {
    await another(page, async (other) => {
      await other.goto(gateway.address());
      await other.getByLabel("Token").waitFor();
      const link = gateway.address(await ticket());
      await gateway.kill();
      await other.getByLabel("Token").fill(link);
      await other.keyboard.press("Enter");
      await other.getByText("The gateway does not answer").waitFor();
      assert.equal(await other.getByLabel("Token").inputValue(), link);
      await gateway.start();
      await other.getByRole("button", { name: "Log in" }).click();
      await other.getByText("used already, or is too old").waitFor();
    });
    await connected(page);
  },

  async "a person with a token for chats has their own page"(page) {
    const anna = await made("anna", "chat");
    await another(page, async (other) => {
      await other.goto(gateway.address(await ticket(anna)));
      await connected(other);
      assert.equal(await other.locator("li.theirs").count(), 0, "the owner's chat is not hers");
      await say(other, "hello from anna");
      assert.deepEqual(await links(other), ["Main chat"]);
      await other.getByRole("button", { name: "New conversation" }).click();
      await say(other, "a second topic");
      await other.getByRole("link", { name: "a second topic" }).waitFor();
      await other.getByRole("link", { name: "Main chat" }).click();
      await answer(other, "hello from anna").waitFor();
      await other.getByRole("searchbox").fill("second");
      await other.getByRole("link", { name: "a second topic" }).waitFor();
      await other.getByRole("searchbox").fill("");
      await shot(other, "chat-token");
      const second = await other.context().newPage();
      await second.goto(gateway.address());
      await answer(second, "hello from anna").waitFor();
      await say(second, "from the second tab");
      await answer(other, "from the second tab").waitFor();
    });
    await page.reload();
    await answer(page, "hello from the owner").waitFor();
    assert.ok(!(await links(page)).includes("a second topic"), "her chats are not among the owner's");
  },

  async "a user of a program has their own page, until the program's token ends"(page) {
    const shop = await made("shop", "app");
    await another(page, async (other) => {
      await other.goto(gateway.address(await ticket(shop, "carl@example.org")));
      await connected(other);
      await say(other, "where is my order?");
      await other.reload();
      await answer(other, "where is my order?").waitFor();
      assert.equal((await gateway.api("DELETE", "api/tokens/shop")).status, 200);
      await other.getByText("This token is no longer valid").waitFor();
    });
  },

  async "another person's link in the same browser leaves nothing of the first one's"(page) {
    const ben = await made("ben", "chat");
    await page.getByLabel("Message").fill("a draft of the owner's");
    await page.goto("about:blank");
    await page.goto(gateway.address(await ticket(ben)));
    await connected(page);
    assert.equal(await page.getByLabel("Message").inputValue(), "");
    assert.equal(await stored(page, "frontdesk.person"), "ben");
  },

  async "logging out ends the browser's token"(page) {
    const token = await stored(page, "frontdesk.token");
    const left = page.waitForResponse((reply) => reply.request().method() === "DELETE");
    await page.getByRole("button", { name: "Log out" }).click();
    assert.equal((await left).status(), 200);
    const reply = await fetch(gateway.address("api/login"), { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(reply.status, 401);
    assert.equal(await stored(page, "frontdesk.token"), null);
  },
};

await run("login", gateway, shots, tests);
