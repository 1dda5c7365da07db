// An agent for the test: asks what the message says, and then repeats the answer.
import { createInterface } from "node:readline";

const letters = ["a", "b", "c", "d", "e"];
const questions = {
  permission: { kind: "permission", text: "May I delete `target/`?" },
  name: { kind: "input", text: "How should it be called?" },
  choices: {
    kind: "choice",
    text: "Which of these long answers is right?",
    choices: letters.map((id) => ({ id, label: `A rather long label of the answer ${id}, for a phone` })),
  },
};

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text);
  if (line.type === "prompt") say({ type: "ask", id: "1", ...questions[line.text.trim()] });
  if (line.type === "answer") {
    say({ type: "delta", text: `the answer is ${line.choice ?? line.text}` });
    say({ type: "done" });
  }
  if (line.type === "abort") say({ type: "done" });
}
