// Files on the chat page in a real browser: chosen, pasted, dropped, recorded, removed, sent, shown and saved.
//
//   node files.mjs [--shots FOLDER]      screenshots go to FOLDER
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accessible } from "./axe.mjs";
import { Gateway, run } from "./gateway.mjs";
import { picture } from "./picture.mjs";

const shots = process.argv[2] === "--shots" ? process.argv[3] : null;
const gateway = new Gateway();
gateway.browser = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"];
const agent = [process.execPath, join(import.meta.dirname, "filing_agent.mjs")];
writeFileSync(
  join(gateway.home, "frontdesk.toml"),
  `[media]\nmax_bytes = 100000\n\n[agents.main]\nkind = "command"\nmode = "lasting"\ncommand = ${JSON.stringify(agent)}\n`,
);
const png = picture(320, 200);

const connected = (page) => page.getByText("Connected", { exact: true }).waitFor({ timeout: 30_000 });
const tray = (page) => page.getByRole("list", { name: "Attached files" }).getByRole("listitem");
const mine = (page, part) => page.locator("li.mine", { hasText: part });
const theirs = (page, part) => page.locator("li.theirs", { hasText: part });
const choose = (page, ...files) => page.locator("#picker").setInputFiles(files);
const send = (page) => page.getByRole("button", { name: "Send", exact: true });
const ready = (page, name) => tray(page).filter({ hasText: name }).and(page.locator(".ready"));

async function shot(page, name) {
  if (!shots) return;
  for (const [size, width, height] of [["wide", 1280, 800], ["phone", 390, 844]]) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(150);
      await page.screenshot({ path: join(shots, `${name}-${size}-${colorScheme}.png`) });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 800 });
}

const tests = {
  async "files are uploaded at once, sent with the message, and given to the agent"(page) {
    await page.goto(gateway.address(`#token=${gateway.token()}`));
    await connected(page);
    await choose(page, { name: "chart.png", mimeType: "image/png", buffer: png },
      { name: "notes <b>.txt", mimeType: "text/plain", buffer: Buffer.from("some notes") });
    await ready(page, "chart.png").waitFor();
    await ready(page, "notes <b>.txt").waitFor();
    await accessible(page, "files in the tray");
    await shot(page, "tray");
    await page.getByLabel("Message").fill("look at these");
    await page.keyboard.press("Enter");
    await theirs(page, "photo chart.png").waitFor();
    assert.match(await theirs(page, "photo chart.png").innerText(), new RegExp(`chart\\.png ${png.length}\\s+document notes <b>\\.txt 10`));
    assert.equal(await tray(page).count(), 0);
    const row = mine(page, "look at these");
    await row.locator("a.picture img").waitFor();
    await row.getByRole("button", { name: /^Save notes <b>\.txt/ }).waitFor();
    await accessible(page, "files in the conversation");
    await shot(page, "files");
  },

  async "after a reload the picture is shown, and the file is saved as it was"(page) {
    await page.reload();
    const row = mine(page, "look at these");
    const image = row.locator("a.picture img");
    await image.waitFor();
    assert.equal(await image.evaluate((one) => one.naturalWidth), 320);
    const saving = page.waitForEvent("download");
    await row.getByRole("button", { name: /^Save notes/ }).click();
    const saved = await saving;
    assert.equal(readFileSync(await saved.path(), "utf8"), "some notes");
  },

  async "a file is pasted or dropped, and removed with the keyboard before it is sent"(page) {
    const give = (event, target) => page.evaluate(([type, id]) => {
      const data = new DataTransfer();
      data.items.add(new File(["x".repeat(2000)], `${type}.txt`, { type: "text/plain" }));
      const init = { bubbles: true, cancelable: true };
      const given = type === "paste" ? new ClipboardEvent(type, { ...init, clipboardData: data }) : new DragEvent(type, { ...init, dataTransfer: data });
      document.getElementById(id).dispatchEvent(given);
    }, [event, target]);
    await give("paste", "text");
    await ready(page, "paste.txt").waitFor();
    await give("dragenter", "log");
    await page.getByText("Drop files to attach them").waitFor();
    await shot(page, "drop");
    await give("drop", "log");
    await ready(page, "drop.txt").waitFor();
    assert.ok(await page.getByText("Drop files to attach them").isHidden());
    await page.getByRole("button", { name: "Remove paste.txt" }).focus();
    await page.keyboard.press("Enter");
    assert.equal(await tray(page).count(), 1);
    assert.ok(await page.getByRole("button", { name: "Remove drop.txt" }).evaluate((one) => one === document.activeElement));
    // What is uploaded is still there after a reload.
    await page.reload();
    await connected(page);
    await ready(page, "drop.txt").waitFor();
    await send(page).click();
    await theirs(page, "document drop.txt 2000").waitFor();
    await page.reload();
    await theirs(page, "document drop.txt 2000").waitFor();
    assert.equal(await tray(page).count(), 0);
  },

  async "what is wrong with a file is said at the file, and the message is not sent with it"(page) {
    await choose(page, { name: "large.bin", mimeType: "application/octet-stream", buffer: Buffer.alloc(100_001) },
      { name: "nothing.txt", mimeType: "text/plain", buffer: Buffer.alloc(0) });
    await tray(page).getByText("Too large: a file may have at most 100 KB.").waitFor();
    await tray(page).getByText("This is empty, or a folder.").waitFor();
    await page.getByLabel("Message").fill("with a wrong file");
    assert.ok(await send(page).isDisabled());
    await accessible(page, "wrong files");
    await shot(page, "wrong");
    await page.getByRole("button", { name: "Remove large.bin" }).click();
    await page.getByRole("button", { name: "Remove nothing.txt" }).click();
    await page.getByLabel("Message").press("Enter");
    await theirs(page, "no files").waitFor();
  },

  async "a kill between the upload and the message loses nothing, and offline the draft keeps its files"(page) {
    await choose(page, { name: "kept.png", mimeType: "image/png", buffer: png });
    await ready(page, "kept.png").waitFor();
    await gateway.kill();
    await page.getByText("Not connected").waitFor();
    await choose(page, { name: "later.txt", mimeType: "text/plain", buffer: Buffer.from("later") });
    await tray(page).getByText("Waits for the connection").waitFor();
    await page.getByLabel("Message").fill("after the kill");
    assert.ok(await send(page).isDisabled());
    await shot(page, "offline");
    await gateway.start();
    await ready(page, "later.txt").waitFor({ timeout: 40_000 });
    await page.getByLabel("Message").press("Enter");
    await theirs(page, "photo kept.png").waitFor();
    assert.match(await theirs(page, "photo kept.png").innerText(), /document later\.txt 5/);
    assert.equal(await mine(page, "after the kill").count(), 1);
  },

  async "a second tab sees the files of a message at once"(page) {
    const other = await page.context().newPage();
    await other.goto(gateway.address());
    await connected(other);
    await theirs(other, "photo kept.png").waitFor();
    await choose(page, { name: "both.png", mimeType: "image/png", buffer: png });
    await ready(page, "both.png").waitFor();
    await page.getByLabel("Message").fill("for both tabs");
    await page.keyboard.press("Enter");
    await mine(other, "for both tabs").locator("a.picture img").waitFor();
    await other.close();
  },

  async "the tool that runs is named until the agent goes on"(page) {
    const go = join(gateway.home, "go");
    await page.getByLabel("Message").fill(`tool at ${go}`);
    await page.keyboard.press("Enter");
    await page.locator("li.thinking").getByText("Runs search: blue paint").waitFor();
    await accessible(page, "a tool runs");
    await shot(page, "tool");
    const other = await page.context().newPage();
    await other.goto(gateway.address());
    await other.locator("li.thinking").getByText("Runs search: blue paint").waitFor();
    await other.close();
    writeFileSync(go, "");
    await theirs(page, "The tool is done").waitFor();
    await page.locator("li.thinking").waitFor({ state: "detached" });
  },

  async "a file that the agent sends is shown with its caption, and can be saved"(page) {
    mkdirSync(join(gateway.home, "media"), { recursive: true });
    writeFileSync(join(gateway.home, "media", "plan.png"), png);
    writeFileSync(join(gateway.home, "media", "page.html"), "<script>document.title = 'bad'</script>");
    await page.getByLabel("Message").fill("send me files");
    await page.keyboard.press("Enter");
    for (const reload of [false, true]) {
      if (reload) await page.reload();
      await theirs(page, "Here they are").waitFor();
      const row = theirs(page, "The plan");
      await row.locator("a.picture img").waitFor();
      assert.equal(await row.locator("strong").innerText(), "plan");
      const saving = page.waitForEvent("download");
      await page.getByRole("button", { name: /^Save page\.html/ }).click();
      const saved = await saving;
      assert.equal(saved.suggestedFilename(), "page.html");
    }
    assert.equal(await page.title(), "Frontdesk");
    await shot(page, "sent");
  },

  async "an image in an answer is shown if it is the gateway's own, and is an address otherwise"(page) {
    const image = await page.locator("li.theirs a.picture").last().getAttribute("data-path");
    await page.getByLabel("Message").fill(`say ![our plan](${image}) and ![another](http://example.com/a.png)`);
    await page.keyboard.press("Enter");
    const answer = theirs(page, "another").last();
    await answer.locator("a.picture img").waitFor();
    assert.match(await answer.innerText(), /another \(http:\/\/example\.com\/a\.png\)/);
    assert.equal(await answer.locator("img").count(), 1);
  },

  async "what somebody says is recorded and sent as a recording"(page) {
    await page.getByRole("button", { name: "Record your voice" }).click();
    await page.getByRole("timer").getByText("0:01").waitFor();
    await shot(page, "recording");
    await page.getByRole("button", { name: "Stop recording" }).click();
    await ready(page, "Recording").waitFor();
    await send(page).click();
    await theirs(page, "voice Recording").waitFor();
    const play = page.getByRole("button", { name: /^Play Recording/ });
    await play.last().click();
    await page.locator("audio").waitFor();
    await accessible(page, "a recording");
    await page.getByRole("button", { name: "Record your voice" }).click();
    await page.getByRole("timer").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Record your voice" }).waitFor();
    assert.equal(await tray(page).count(), 0, "Escape discards");
  },
};

await run("files", gateway, shots, tests);
