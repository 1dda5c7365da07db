// Starts a gateway and a browser, and runs tests one after another on one page.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

export { Gateway } from "./program.mjs";

/** Runs the tests, prints what came of each, and sets the exit code. */
export async function run(name, gateway, shots, tests) {
  let passed = 0;
  let failed = 0;
  await gateway.start();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", ...(gateway.browser || [])],
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
