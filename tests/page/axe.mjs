// Asks axe-core what is wrong with a page for people who use it with a screen reader, or see little.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Fails if axe finds anything. */
export async function accessible(page, state) {
  await page.evaluate(source);
  // A colour that is just changing is neither the old nor the new one.
  const ends = (animation) => animation.effect.getComputedTiming().endTime !== Infinity;
  await page.evaluate(`Promise.allSettled(document.getAnimations().filter(${ends}).map((animation) => animation.finished))`);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
  assert.deepEqual(found, [], state);
}
