// The official OpenAI client from npm against a running gateway with the agents `main` (echo) and `model` (model.mjs):
// judge.mjs ADDRESS TOKEN
import assert from "node:assert/strict";
import OpenAI from "openai";

const [address, token] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${address}/v1`, apiKey: token });
const PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const user = (content) => [{ role: "user", content }];

const tests = {
  "the models are listed": async () => {
    const { data } = await client.models.list();
    assert.deepEqual(data.map((model) => model.id), ["main", "model"]);
  },
  "an answer arrives whole": async () => {
    const answer = await client.chat.completions.create({ model: "main", messages: user("!usage hello") });
    assert.equal(answer.choices[0].message.content, "hello");
    assert.ok(answer.usage.total_tokens > 0);
  },
  "an answer arrives in pieces": async () => {
    const words = "one two three four ".repeat(10);
    const stream = await client.chat.completions.create({
      model: "main", messages: user(`!slow 10 ${words}`), stream: true,
    });
    const pieces = [];
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) pieces.push(chunk.choices[0].delta.content);
    assert.equal(pieces.join(""), words);
    assert.ok(pieces.length > 2);
  },
  "the helper for streams, which wants a reason for the end, accepts the answer": async () => {
    const stream = client.chat.completions.stream({ model: "main", messages: user("hello") });
    assert.equal((await stream.finalChatCompletion()).choices[0].message.content, "hello");
  },
  "a failure of the agent is thrown": async () => {
    const failing = client.chat.completions.create({ model: "main", messages: user("!fail") });
    await assert.rejects(failing, (error) => error.status === 502 && error.code === "agent_failed");
  },
  "a failure in a stream is thrown": async () => {
    const stream = await client.chat.completions.create({ model: "main", messages: user("!fail"), stream: true });
    const read = async () => { for await (const _ of stream); };
    await assert.rejects(read(), (error) => error instanceof OpenAI.APIError && error.code === "agent_failed");
  },
  "an answer that is cut short says why": async () => {
    for (const [ends, reason] of [["length", "length"], ["content_filter", "content_filter"]]) {
      const request = { model: "model", messages: user(`ends ${ends}: so far`) };
      const { choices: [choice] } = await client.chat.completions.create(request);
      assert.deepEqual([choice.message.content, choice.finish_reason], ["so far", reason]);
      const pieces = [];
      let last;
      for await (const { choices: [choice] } of await client.chat.completions.create({ ...request, stream: true })) {
        pieces.push(choice.delta.content ?? "");
        last = choice.finish_reason;
      }
      assert.deepEqual([pieces.join(""), last], ["so far", reason]);
    }
  },
  "an answer that breaks off is thrown": async () => {
    for (const ends of ["cut", "error"]) {
      const request = { model: "model", messages: user(`ends ${ends}: so far`) };
      const failed = (error) => error.code === "agent_failed";
      await assert.rejects(client.chat.completions.create(request), (error) => error.status === 502 && failed(error));
      const pieces = [];
      const read = async () => {
        const stream = await client.chat.completions.create({ ...request, stream: true });
        for await (const { choices: [choice] } of stream) pieces.push(choice.delta.content ?? "");
      };
      await assert.rejects(read(), failed);
      assert.equal(pieces.join(""), "so far");
    }
  },
  "a chat is named by a header": async () => {
    const messages = [{ role: "user", content: "one" }, { role: "assistant", content: "1" }, ...user("two")];
    const headers = { "X-Frontdesk-Chat": "from-npm" };
    const answer = await client.chat.completions.create({ model: "main", messages }, { headers });
    assert.equal(answer.choices[0].message.content, "two");
  },
  "the helper that carries out tools goes on with their results": async () => {
    const asked = [];
    const runner = client.chat.completions.runTools({
      model: "model",
      messages: user("the weather?"),
      tools: [{ type: "function", function: {
        name: "weather", description: "The weather of a city", parse: JSON.parse,
        parameters: { type: "object", properties: { city: { type: "string" } } },
        function: ({ city }) => { asked.push(city); return "rain"; },
      } }],
    });
    assert.equal(await runner.finalContent(), "It is rain.");
    assert.deepEqual(asked, ["Oslo"]);
    const messages = runner.messages.map((message) => message.role);
    assert.deepEqual(messages, ["user", "assistant", "tool", "assistant"]);
  },
  "a call of a tool arrives in a stream": async () => {
    const tools = [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }];
    const stream = client.chat.completions.stream({ model: "model", messages: user("the weather?"), tools });
    const { choices: [{ message, finish_reason }] } = await stream.finalChatCompletion();
    assert.equal(finish_reason, "tool_calls");
    assert.equal(message.content, "Let me look.");
    assert.deepEqual(message.tool_calls.map((call) => call.function.arguments), ['{"city":"Oslo"}']);
  },
  "an image reaches the model": async () => {
    const content = [{ type: "text", text: "what is this?" }, { type: "image_url", image_url: { url: PNG } }];
    const answer = await client.chat.completions.create({ model: "model", messages: user(content) });
    assert.equal(answer.choices[0].message.content, "I see 1 image");
  },
  "an image behind an address is refused": async () => {
    const content = [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }];
    const refused = client.chat.completions.create({ model: "model", messages: user(content) });
    await assert.rejects(refused, (error) => error.status === 400 && error.code === "unsupported_parameter");
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}
console.log(`openai from npm: ${Object.keys(tests).length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
