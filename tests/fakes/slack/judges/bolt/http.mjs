// Events over HTTP: the proof of the address, signatures, repetition, commands and buttons.
import assert from "node:assert/strict";
import bolt from "@slack/bolt";
import { APP, check, control, delivery, logger, look, pause, say, SECRET, shows, someone, TOKEN, until } from "../fake.mjs";
import { clientOptions } from "./listening.mjs";

const PORT = 20_000 + Math.floor(Math.random() * 20_000);

/** An app that answers over HTTP while `work` does. */
async function serving(app, work, proves = true) {
  await app.start(PORT);
  try {
    await control("request_url", { app: APP, url: `http://127.0.0.1:${PORT}/slack/events` });
    if (proves) await until("the proof", async () => (await look(`chat?chat=${APP}`)).proved);
    await work();
  } finally {
    await app.stop();
    await control("request_url", { app: APP });
  }
}

const makeApp = (signingSecret = SECRET, more = {}) =>
  new bolt.App({ token: TOKEN, signingSecret, clientOptions, logger, ...more });

export async function http() {
  await check("events, commands and buttons come signed", async () => {
    const anna = await someone();
    const app = makeApp();
    const heard = [];
    app.message("ask", async ({ say }) => {
      const button = { type: "button", text: { type: "plain_text", text: "Go" }, value: "go", action_id: "go" };
      await say({ text: "?", blocks: [{ type: "actions", elements: [button] }] });
    });
    app.action("go", async ({ ack, action }) => {
      await ack();
      heard.push(action.value);
    });
    app.command("/frontdesk", async ({ ack, command }) => {
      heard.push(command.text);
      await ack(`you said ${command.text}`);
    });
    await serving(app, async () => {
      const sent = await say(anna, "ask");
      const question = await until("the question", async () => (await shows(anna))[1]);
      await control("press", { channel: anna, ts: question.ts, user: anna, button: "Go" });
      await until("the press", () => heard.length === 1);
      await control("slash", { channel: anna, user: anna, command: "/frontdesk", text: "a & b" });
      await until("the answer", async () => (await shows(anna)).at(-1).text === "you said a & b");
      assert.deepEqual(heard, ["go", "a & b"]);
      const { delivered, confirmed } = await delivery(sent.number);
      assert.deepEqual([delivered.map(([, way]) => way), confirmed > 0], [["webhook"], true]);
    });
  });

  await check("an address that does not know the secret proves nothing", async () => {
    const anna = await someone();
    const heard = [];
    const app = makeApp("another secret");
    app.message(async ({ message }) => void heard.push(message.text));
    await serving(app, async () => {
      await say(anna, "hello");
      await pause(300);
      assert.equal((await look(`chat?chat=${APP}`)).proved, false);
      assert.deepEqual(heard, []);
    }, false);
  });

  await check("an event that fails comes again at once, and then after a minute and five", async () => {
    const anna = await someone();
    // Bolt acknowledges events before their listeners run, unless it is told to wait for them.
    const app = makeApp(SECRET, { processBeforeResponse: true });
    const heard = [];
    app.use(async ({ context, body, next }) => {
      if (body.event?.type !== "message") return next();
      heard.push([context.retryNum ?? 0, context.retryReason ?? ""]);
      if (heard.length < 4) throw new Error("not yet");
      await next();
    });
    app.error(async (error) => {
      throw error;
    });
    await serving(app, async () => {
      const { number } = await say(anna, "hello");
      await until("the second attempt", () => heard.length === 2);
      for (const [seconds, many] of [[60, 3], [300, 4]]) {
        await control("advance", { seconds });
        await until("the next attempt", () => heard.length === many);
      }
      assert.deepEqual(heard.map(([number]) => number), [0, 1, 2, 3]);
      assert.equal(heard[3][1], "http_error");
      await until("the acknowledgement", async () => (await delivery(number)).confirmed);
    });
  });
}
