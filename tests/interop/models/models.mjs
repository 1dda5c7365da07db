// An agent whose models are aimock: the first one fails in every way that aimock knows, and the second one answers.
//
//   FRONTDESK_INTEROP=FOLDER node models.mjs [PART OF A TEST'S NAME]
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Gateway } from "../../page/program.mjs";
import { check } from "../check.mjs";

const packages = process.env.FRONTDESK_INTEROP;
if (!packages) throw new Error("FRONTDESK_INTEROP must name the folder where the packages are installed");
const { LLMock } = createRequire(join(packages, "package.json"))("@copilotkit/aimock");

const LONG = Array.from({ length: 60 }, (_, n) => `word ${n}`).join(" ");

/** A provider that answers with its own name. */
async function provider(name) {
  const mock = new LLMock({ port: 0 });
  const asks = (word) => (request) => JSON.stringify(request.messages.at(-1)).includes(word);
  mock.on({ predicate: asks("cut"), endpoint: "chat" }, { content: name === "first" ? LONG : `whole, from the ${name}` },
    name === "first" ? { latency: 50, chunkSize: 8, disconnectAfterMs: 400 } : {});
  mock.on({ predicate: () => true, endpoint: "chat" }, { content: `from the ${name}` });
  await mock.start();
  return mock;
}

const first = await provider("first");
const second = await provider("second");

// Each way to fail has an agent with a model of its own, which nobody has seen fail before.
const ways = ["slow", "limited", "broken", "malformed", "cut-off", "half"];
const agent = (way) => `
[agents.${way}]
kind = "openai"
model = "${way}"
base_url = "${first.url}"
api_key = "sk-first"
retries = 1
[agents.${way}.failover]
fallbacks = [{ model = "small", base_url = "${second.url}", api_key = "sk-second" }]
[channels.web.chats.${way}]
agent = "${way}"
`;
const gateway = new Gateway();
writeFileSync(join(gateway.home, "frontdesk.toml"), `default_agent = "slow"\n${ways.map(agent).join("")}`);

/** Sends a text to a chat and returns the answer. */
async function say(chat, text) {
  const { status, body } = await gateway.api("POST", "api/chat", { text, chat });
  assert.equal(status, 200, JSON.stringify(body));
  return body.text;
}

const session = async (way) => (await gateway.api("GET", `api/session/agent:${way}:web:dm:${way}`)).body;

/** The first provider fails like this, the second answers, and the status says why. */
async function replaced(way, chaos, reason) {
  first.setChaos(chaos);
  try {
    assert.equal(await say(way, "hello"), "from the second");
  } finally {
    first.clearChaos();
  }
  const { failover } = await session(way);
  assert.equal(failover.answering, "small");
  assert.match(failover.candidates[0].reason ?? "", reason, JSON.stringify(failover));
}

const tests = {
  "a slow model is waited for": async () => {
    first.setChaos({ latencyMs: 1500 });
    assert.equal(await say("slow", "hello"), "from the first");
    first.clearChaos();
    assert.equal((await session("slow")).failover.answering, "slow");
  },
  "a limit of requests (429 with Retry-After)": () => replaced("limited", { rateLimitRate: 1 }, /^status 429/),
  "a fault of the server (500)": () => replaced("broken", { dropRate: 1 }, /^status 500/),
  // Odd answers pause the model only if there are three in a row.
  "malformed JSON": () => replaced("malformed", { malformedRate: 1 }, /^$/),
  "connections that break": () => replaced("cut-off", { disconnectRate: 1 }, /^connection lost/),
  "an answer that breaks off after some words": async () => {
    assert.equal(await say("half", "cut"), "whole, from the second");
    const { body } = await gateway.api("GET", `api/session/agent:half:web:dm:half/messages`);
    assert.equal(body.messages.at(-1).answer, "whole, from the second");
    const { failover } = await session("half");
    assert.equal(failover.candidates[0].state, "working", "once is no reason for a pause");
    assert.equal(failover.answering, "small", "the chat stays where it is");
  },
};

await check(gateway, tests, () => Promise.all([first.stop(), second.stop()]));
