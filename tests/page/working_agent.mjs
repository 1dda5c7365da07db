// An agent for the test: works on what the message says in steps. A file named in it lets it go on.
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const there = async (file) => {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
};

for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text);
  if (line.type === "prompt") {
    const [what, file] = line.text.trim().split(" at ");
    if (file) {
      say({ type: "progress", percent: 30, text: "reading <b>the papers</b>" });
      await there(file + ".1");
      say({ type: "progress", text: "writing" });
      await there(file + ".2");
    }
    if (what.startsWith("fail")) say({ type: "error", message: "no" });
    else {
      say({ type: "delta", text: `done: ${what}` });
      say({ type: "done" });
    }
  }
  if (line.type === "abort") say({ type: "done" });
}
