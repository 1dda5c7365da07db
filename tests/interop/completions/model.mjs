// A model that calls the tool of a client and sees images. Prints its address.
import { createServer } from "node:http";

const text = ({ content }) => typeof content === "string" ? content
  : content.filter((part) => part.type === "text").map((part) => part.text).join("\n");

/** What it says to a request: the deltas of its stream, and why it ends. */
function reply({ messages, tools = [] }) {
  const last = messages.at(-1);
  const said = text(last);
  const images = Array.isArray(last.content) ? last.content.filter((part) => part.type === "image_url").length : 0;
  const ends = /^ends (\w+): (.*)/.exec(said);
  if (ends) return [[{ content: ends[2] }], ends[1]];
  if (images) return [[{ content: `I see ${images} image` }], "stop"];
  const result = /Result of a tool: (.*)/.exec(said);
  if (result) return [[{ content: `It is ${result[1]}.` }], "stop"];
  if (!tools.some((tool) => tool.function.name === "weather")) return [[{ content: "I have no such tool." }], "stop"];
  const call = { index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: "" } };
  return [[
    { content: "Let me look." },
    { tool_calls: [call] },
    { tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] },
    { tool_calls: [{ index: 0, function: { arguments: '"Oslo"}' } }] },
  ], "tool_calls"];
}

const server = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request) body += chunk;
  const [deltas, finish] = reply(JSON.parse(body));
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  const send = (choice, more = {}) => response.write(`data: ${JSON.stringify({ choices: [choice], ...more })}\n\n`);
  for (const delta of deltas) send({ index: 0, delta, finish_reason: null });
  // Later, so that what was said leaves the machine first.
  if (finish === "cut") return setTimeout(() => response.destroy(), 200);
  if (finish === "error") return response.end('data: {"error":{"message":"overloaded"}}\n\n');
  send({ index: 0, delta: {}, finish_reason: finish }, { usage: { prompt_tokens: 10, completion_tokens: 5 } });
  response.end("data: [DONE]\n\n");
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
