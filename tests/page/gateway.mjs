// Starts the built program and a browser, and runs tests one after another on one page.
import { spawn } from "node:child_process";
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const root = join(import.meta.dirname, "..", "..");
const program = process.env.FRONTDESK_BIN || join(root, "target", "debug", "frontdesk");

/** A gateway with a folder of its own. */
export class Gateway {
  home = mkdtempSync(join(tmpdir(), "frontdesk-page-"));
  port = 0;

  /** Starts the program; resolves when its log says that it is ready. */
  start() {
    return new Promise((resolve, reject) => {
      const arguments_ = ["run", "--home", this.home, "--port", String(this.port)];
      this.daemon = spawn(program, arguments_, { stdio: ["ignore", "pipe", "pipe"] });
      let output = "";
      const read = (chunk) => {
        output += chunk;
        const ready = output.match(/ready in .*address=127\.0\.0\.1:(\d+)/);
        if (ready) { this.port = Number(ready[1]); resolve(); }
      };
      this.daemon.stdout.on("data", read);
      this.daemon.stderr.on("data", read);
      this.daemon.once("exit", (code) => reject(new Error(`the program ended with ${code}: ${output}`)));
    });
  }

  kill() {
    return new Promise((resolve) => {
      this.daemon.removeAllListeners("exit");
      this.daemon.once("exit", resolve);
      this.daemon.kill("SIGKILL");
    });
  }

  token() { return readFileSync(join(this.home, "token"), "utf8").trim(); }

  address(rest = "") { return `http://127.0.0.1:${this.port}/${rest}`; }

  /** Calls the API with the owner's token. */
  async api(method, path, body) {
    const headers = { Authorization: `Bearer ${this.token()}`, "Content-Type": "application/json" };
    const reply = await fetch(this.address(path), { method, headers, body: body && JSON.stringify(body) });
    return { status: reply.status, body: await reply.json() };
  }
}

/** Runs the tests, prints what came of each, and sets the exit code. */
export async function run(name, gateway, shots, tests) {
  let passed = 0;
  let failed = 0;
  await gateway.start();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (line) => { if (/Content Security Policy/.test(line.text())) problems.push(line.text()); });
    context.setDefaultTimeout(15_000);
    for (const [test, act] of Object.entries(tests)) {
      try {
        await act(page);
        assert.deepEqual(problems, []);
        passed += 1;
        console.log(`ok      ${test}`);
      } catch (error) {
        failed += 1;
        console.log(`FAILED  ${test}\n${error.stack}`);
        if (shots) await page.screenshot({ path: join(shots, `failed-${name}-${failed}.png`) });
      }
    }
  } finally {
    await browser.close();
    await gateway.kill();
    rmSync(gateway.home, { recursive: true, force: true });
  }
  console.log(`${name}: ${passed} passed, ${failed} failed`);
  process.exitCode = failed ? 1 : 0;
}
