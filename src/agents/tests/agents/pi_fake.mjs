// A program that speaks as pi does in RPC mode, with its quirks. The text of a prompt says what it does. It writes what
// it reads into the file `seen`, one line each.
import { execSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";

const out = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const argument = (flag) => process.argv[process.argv.indexOf(flag) + 1];
// Before 0.76 a session was named by its file, and before 0.80.4 and 0.84.4 there was less in the protocol.
const old = process.argv.includes("--session");
const session = old ? argument("--session").match(/([^/]+)\.jsonl$/)[1] : argument("--session-id");
const memory = `${session}.memory`;

let run = null; // the running prompt
let queue = [];
let dialogs = new Map();
let count = 0;

const respond = (command, data) => out({ id: command.id, type: "response", command: command.type, success: true, data });
const refuse = (command, error) => out({ id: command.id, type: "response", command: command.type, success: false, error });
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const message = (text, stopReason = "stop", more = {}) => ({
  role: "assistant", content: [{ type: "text", text }], stopReason, model: "fake-1",
  usage: { input: 10, output: 2, cost: { total: 0.001 } }, ...more,
});

function says(text, stopReason, more) {
  out({ type: "message_start", message: message("", "pending") });
  for (const piece of text.match(/.{1,4}/gs) ?? []) {
    out({ type: "message_update", assistantMessageEvent: { type: "text_delta", delta: piece } });
  }
  out({ type: "message_end", message: message(text, stopReason, more) });
}

/** Opens a dialog and waits for its answer. */
function dialog(fields) {
  count += 1;
  const id = `d${count}`;
  out({ type: "extension_ui_request", id, ...fields });
  return new Promise((resolve) => dialogs.set(id, resolve));
}

function settle(aborted = false) {
  run = null;
  out({ type: "agent_end", messages: [], willRetry: false });
  if (!old) out({ type: "agent_settled", aborted });
}

async function act(text) {
  if (text === "crash") process.exit(3);
  if (text === "garbage") return process.stdout.write("this is no JSON\n");
  if (text === "hang") return new Promise(() => {});
  if (text === "huge") out({ type: "agent_end", messages: ["x".repeat(1 << 20)] });
  if (text === "refuse") return says("");
  if (text.startsWith("fails ")) return says("", "error", { errorMessage: text.slice("fails ".length) });
  if (text === "retry") {
    says("wro", "error", { errorMessage: "500" });
    if (old) out({ type: "agent_end", messages: [] });
    out({ type: "auto_retry_start", attempt: 1, delayMs: 1 });
    await sleep(5);
    out({ type: "agent_start" });
  }
  if (text === "choose") {
    const answer = await dialog({ method: "select", title: "Which?", options: ["one", "two"] });
    return says(`chosen: ${answer.value ?? "nothing"}`);
  }
  if (text === "tool" || text === "long tool") {
    const command = text === "tool" ? "ls" : "ls ".repeat(2000);
    const call = JSON.stringify({ id: "c1", name: "bash", params: { command } });
    out({ type: "tool_execution_start", toolCallId: "c1", toolName: "bash", args: {} });
    const answer = await dialog({ method: "input", title: "frontdesk.tool", placeholder: call });
    const decision = JSON.parse(answer.value ?? '{"deny":"nothing"}');
    const isError = decision.deny !== undefined;
    out({ type: "tool_execution_end", toolCallId: "c1", toolName: "bash", isError, result: { content: [{ type: "text", text: "out" }] } });
    return says(isError ? `denied: ${decision.deny}` : `ran ${decision.params?.command ?? "ls"}`);
  }
  if (text.startsWith("gateway ")) {
    const [, name, dialogs] = text.split(" ");
    const params = { text: "hello" };
    out({ type: "tool_execution_start", toolCallId: "c1", toolName: name, args: {} });
    let answer = null;
    for (const dialog_ of dialogs.split("+")) {
      const placeholder = JSON.stringify({ id: "c1", name, params, ours: true });
      answer = await dialog({ method: "input", title: `frontdesk.${dialog_}`, placeholder });
    }
    out({ type: "tool_execution_end", toolCallId: "c1", toolName: name, isError: !answer.value, result: { content: [] } });
    return says(answer.value ?? "nothing");
  }
  if (text.startsWith("sh ")) return says(execSync(`(${text.slice(3)}) 2>&1; exit 0`).toString());
  if (text === "steer me") {
    while (run && queue.length === 0) await sleep(5);
    const steered = queue.shift();
    out({ type: "queue_update", steering: queue, followUp: [] });
    return says(`steered: ${steered}`);
  }
  if (text === "which") return says(readFileSync(memory, "utf8").trim().split("\n").join("+"));
  return says(`echo: ${text}`);
}

const commands = {
  get_state: (command) => respond(command, { model: { provider: "fake", id: "fake-1", contextWindow: 1000 }, thinkingLevel: "off" }),
  get_session_stats: (command) => respond(command, { contextUsage: { tokens: 12, contextWindow: 1000 } }),
  set_model: (command) => (command.modelId === "gone" ? refuse(command, "Model not found")
    : respond(command, { provider: command.provider, id: command.modelId })),
  set_thinking_level: (command) => respond(command),
  clear_queue(command) {
    respond(command, { steering: queue, followUp: [] });
    queue = [];
  },
  compact: (command) => respond(command, { summary: `kept ${command.customInstructions}`, tokensBefore: 99 }),
  steer(command) {
    queue.push(command.message);
    out({ type: "queue_update", steering: queue, followUp: [] });
    respond(command, { disposition: "queued" });
  },
  async prompt(command) {
    // As in pi, a second prompt before the first response is lost.
    if (run === "starting") return;
    if (run) return refuse(command, "Agent is already processing");
    run = "starting";
    await sleep(20);
    const facts = await dialog({ method: "input", title: "frontdesk.facts", placeholder: "rpc" });
    appendFileSync("seen", `${facts.value}\n`);
    appendFileSync(memory, `${command.message}\n`);
    if (command.message === "/handled") {
      run = null;
      return respond(command, { disposition: "handled" });
    }
    run = command.message;
    respond(command, { disposition: "started" });
    out({ type: "agent_start" });
    await act(command.message);
    if (run) settle();
  },
  async abort(command) {
    // As in pi, an open dialog blocks it.
    while (dialogs.size > 0) await sleep(5);
    if (run) {
      out({ type: "message_end", message: message("", "aborted") });
      settle(true);
    }
    respond(command);
  },
};

let rest = "";
process.stdin.on("data", (chunk) => {
  rest += chunk;
  for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
    const line = rest.slice(0, end);
    rest = rest.slice(end + 1);
    appendFileSync("seen", `${line}\n`);
    const command = JSON.parse(line);
    if (command.type === "extension_ui_response") {
      dialogs.get(command.id)?.(command);
      dialogs.delete(command.id);
    } else if (old && command.type === "clear_queue") {
      out({ type: "response", command: command.type, success: false, error: "Unknown command: clear_queue" });
    } else {
      commands[command.type](command);
    }
  }
});
process.stdin.on("end", () => process.exit(0));
appendFileSync("folders", `${process.env.PI_CODING_AGENT_DIR} ${process.env.PI_PACKAGE_DIR}\n`);
appendFileSync("starts", `${session} ${existsSync(argument("-e"))}\n`);
appendFileSync("tools", `${readFileSync(argument("-e"), "utf8").match(/^const TOOLS = (.*);$/m)?.[1]}\n`);
appendFileSync("arguments", `${process.argv.slice(2).join(" ")}\n`);
