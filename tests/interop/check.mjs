// Runs the tests of a gateway one after another, prints what came of each, and sets the exit code.
import { rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

/** Calls `look` until it returns something. */
export async function eventually(what, look) {
  for (const end = Date.now() + 60_000; Date.now() < end; await pause(50)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`never: ${what}`);
}

/** Takes the tests whose name contains the first argument of the program, or all. `end` stops what else runs. */
export async function check(gateway, tests, end) {
  let failed = 0;
  await gateway.start();
  for (const [name, test] of Object.entries(tests)) {
    if (process.argv[2] && !name.includes(process.argv[2])) continue;
    const begun = Date.now();
    try {
      await test();
      console.log(`ok      ${name} (${Date.now() - begun} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
  await gateway.kill();
  await end();
  if (failed) console.log(gateway.log);
  rmSync(gateway.home, { recursive: true, force: true });
  process.exit(failed ? 1 : 0);
}
