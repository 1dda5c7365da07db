// A model that answers by what the last message says, built on aimock.
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const packages = process.env.FRONTDESK_INTEROP;
if (!packages) throw new Error("FRONTDESK_INTEROP must name the folder where the packages are installed");
const { LLMock } = createRequire(join(packages, "package.json"))("@copilotkit/aimock");

/** The folder of the programs `pi` and `node`. */
export const programs = join(packages, "node_modules", ".bin");

/** The version of pi. */
export const version = JSON.parse(readFileSync(join(realpathSync(join(programs, "pi")).split("/dist/")[0], "package.json"), "utf8")).version;

const text = (message) => typeof message.content === "string" ? message.content
  : (message.content ?? []).map((part) => part.text ?? "").join("");

/** The text of the newest message of a person. */
const asked = (request) => text(request.messages.findLast((message) => message.role === "user"));

/** Whether the run has used a tool since then. */
const usedTool = (request) => request.messages.at(-1).role === "tool";

const bash = (command) => ({ name: "bash", arguments: JSON.stringify({ command }) });

/** Starts the model. `requests()` lists what it was asked. */
export async function startModel() {
  const mock = new LLMock({ port: 0 });
  const on = (predicate, response, options) => mock.on({ predicate, endpoint: "chat" }, response, options);
  // What people said in the conversation before the newest message.
  on((request) => asked(request).startsWith("what did I say"), (request) => {
    const said = request.messages.filter((message) => message.role === "user").map(text);
    return { content: `You said: ${said.filter((line) => line.startsWith("remember")).join(", ") || "nothing"}` };
  });
  on((request) => asked(request).startsWith("run ") && !usedTool(request), (request) => (
    { content: "Let me see.", toolCalls: [bash(asked(request).slice(4))] }));
  on((request) => asked(request).startsWith("write ") && !usedTool(request), (request) => ({
    toolCalls: [{ name: "write", arguments: JSON.stringify({ path: asked(request).slice(6), content: "hello" }) }] }));
  on((request) => asked(request).startsWith("edit ") && !usedTool(request), (request) => ({
    toolCalls: [{ name: "edit", arguments: JSON.stringify({ path: asked(request).slice(5), edits: [{ oldText: "hello", newText: "x" }] }) }] }));
  // "call send_message {...}"
  on((request) => asked(request).startsWith("call ") && !usedTool(request), (request) => {
    const [, name, parameters] = asked(request).match(/^call (\S+) (.*)$/s);
    return { toolCalls: [{ name, arguments: parameters }] };
  });
  on((request) => usedTool(request), (request) => ({ content: `The tool says: ${text(request.messages.at(-1)).trim()}` }));
  on((request) => asked(request).startsWith("count"), { content: Array.from({ length: 60 }, (_, n) => `number ${n}`).join(" ") },
    { latency: 100, chunkSize: 10 });
  on((request) => asked(request).startsWith("fail"), { error: { message: "no such thing", type: "invalid_request_error" }, status: 400 });
  on((request) => asked(request).startsWith("look"), (request) => {
    const parts = request.messages.flatMap((message) => Array.isArray(message.content) ? message.content : []);
    return { content: `I see ${parts.filter((part) => part.type === "image_url").length} image` };
  });
  on(() => true, (request) => ({ content: `echo: ${asked(request)}` }));
  await mock.start();
  return { url: mock.url, requests: () => mock.getRequests().map((entry) => entry.body), stop: () => mock.stop() };
}

/** Writes pi's configuration for this model into a home folder, and returns the environment in which pi uses nothing else. */
export function configured(home, model) {
  mkdirSync(join(home, "pi-config"), { recursive: true });
  writeFileSync(join(home, "pi-config", "models.json"), models(model.url));
  return { PATH: `${programs}:${process.env.PATH}`, PI_OFFLINE: "1" };
}

/** What the section of an agent in `frontdesk.toml` needs for that. */
export const agent = `kind = "pi"
provider = "fake"
model = "fake-1"
agent_dir = "pi-config"
inherit_env = ["PI_OFFLINE"]`;

/** pi's `models.json` for this model. */
function models(url) {
  return JSON.stringify({
    providers: {
      fake: {
        baseUrl: `${url}/v1`, api: "openai-completions", apiKey: "dummy",
        compat: { supportsDeveloperRole: false, supportsReasoningEffort: false },
        models: ["fake-1", "fake-2"].map((id) => ({
          id, name: id, reasoning: false, input: ["text", "image"], contextWindow: 32000, maxTokens: 4096,
          cost: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 0 },
        })),
      },
    },
  });
}
