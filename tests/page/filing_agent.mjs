// An agent for the test: names the files of a message, runs a tool, sends files, or repeats what the message says.
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const there = async (file) => {
  while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 20));
};

createInterface({ input: process.stdin }).on("line", async (text) => {
  const line = JSON.parse(text);
  if (line.type === "abort") return say({ type: "done" });
  if (line.type === "tool_ok") return;
  if (line.type !== "prompt") return;
  const words = line.text.trim();
  const files = (line.messages || []).flatMap((message) => message.files || []);
  const [what, file] = words.split(" at ");
  if (what === "tool" && file) {
    say({ type: "tool_start", id: "1", name: "search", params: { query: "blue paint" } });
    await there(file);
    say({ type: "tool_end", id: "1", result: "found" });
    say({ type: "delta", text: "The tool is done" });
  } else if (words === "send me files") {
    say({ type: "delta", text: "Here they are" });
    say({ type: "media", path: "plan.png", caption: "The **plan**" });
    say({ type: "media", path: "page.html" });
  } else if (words.startsWith("say ")) say({ type: "delta", text: words.slice(4) });
  else say({ type: "delta", text: files.map((one) => `${one.kind} ${one.name} ${one.size}`).join("\n\n") || "no files" });
  say({ type: "done" });
});
