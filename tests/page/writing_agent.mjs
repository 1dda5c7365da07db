// An agent for the test: writes a document piece by piece, fails, or repeats what the message says.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const document = readFileSync(join(import.meta.dirname, "document.md"), "utf8");
const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const there = async (file) => {
  while (!existsSync(file)) await pause(20);
};

/** The number of the turn that may still write. */
let turn = 0;

/** Writes a text in small pieces, so that marks arrive cut in two. */
async function write(text) {
  const mine = turn;
  for (const piece of text.match(/[^]{1,7}/g)) {
    if (turn !== mine) return;
    say({ type: "delta", text: piece });
    await pause(1);
  }
}

createInterface({ input: process.stdin }).on("line", async (text) => {
  const line = JSON.parse(text);
  if (line.type === "abort") {
    turn += 1;
    return say({ type: "done" });
  }
  if (line.type !== "prompt") return;
  const mine = turn;
  const words = line.text.trim();
  const [what, file] = words.split(" at ");
  if (what === "fail") return say({ type: "error", message: "no" });
  if (what === "document") {
    const half = document.indexOf("## Second");
    await write(document.slice(0, half));
    if (file) await there(file);
    await write(document.slice(half));
    if (file) await there(file + ".end");
  } else if (what === "wait") {
    await write("It begins well");
    await there(file);
    await write(" and ends well");
  } else {
    await write(`You wrote: ${words}`);
    // About a second.
    for (let n = 0; what.startsWith("slowly") && n < 40 && turn === mine; n += 1) {
      say({ type: "delta", text: ` word${n}` });
      await pause(25);
    }
  }
  if (turn === mine) say({ type: "done" });
});
