// Webhooks: secret, order, repetition, replies in the answer.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { webhookCallback } from "grammy";
import { check, control, forget, journal, refusal, say, shows, someone, until } from "../fake.mjs";
import { makeBot } from "./polling.mjs";

/** A server that `handler` answers for while `work` does. */
async function serving(handler, work) {
  const server = createServer(handler);
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  try {
    await work(`http://127.0.0.1:${server.address().port}/hook`);
  } finally {
    await forget();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
}

export async function webhooks() {
  const { api } = makeBot();

  await check("updates come to a webhook with its secret", async () => {
    const anna = await someone();
    const bot = makeBot();
    const heard = [];
    bot.on("message:text", (ctx) => void heard.push(ctx.message.text));
    const secretToken = "a_secret-1";
    await serving(webhookCallback(bot, "http", { secretToken }), async (hook) => {
      await say(anna, "before");
      assert.equal(await api.setWebhook(hook, { secret_token: secretToken, max_connections: 7 }), true);
      await say(anna, "after");
      await until("both", () => heard.length === 2);
      assert.deepEqual(heard, ["before", "after"]);
      const info = await until("an empty queue", async () => {
        const info = await api.getWebhookInfo();
        return info.pending_update_count === 0 && info;
      });
      assert.deepEqual([info.url, info.max_connections, info.has_custom_certificate], [hook, 7, false]);
      const conflict = await refusal(api.getUpdates());
      assert.equal(conflict.error_code, 409);
      assert.match(conflict.description, /can't use getUpdates method while webhook is active/);
    });
    assert.equal((await journal()).unconfirmed, 0);
  });

  await check("a wrong secret is refused by the bot, and the update waits", async () => {
    const anna = await someone();
    const bot = makeBot();
    bot.on("message", () => {});
    await serving(webhookCallback(bot, "http", { secretToken: "right" }), async (hook) => {
      await api.setWebhook(hook, { secret_token: "wrong" });
      await say(anna, "hello");
      const info = await until("an error", async () => {
        const info = await api.getWebhookInfo();
        return info.last_error_message && info;
      });
      assert.equal(info.last_error_message, "Wrong response from the webhook: 401 Unauthorized");
      assert.equal(info.pending_update_count, 1);
      await api.setWebhook(hook, { secret_token: "right" });
      await until("the delivery", async () => (await api.getWebhookInfo()).pending_update_count === 0);
    });
  });

  await check("what fails comes again, and a chat keeps its order", async () => {
    const [anna, bert] = [await someone("Anna"), await someone("Bert")];
    const heard = [];
    let failures = 3;
    const handler = (request, response) => {
      let body = "";
      request.on("data", (piece) => (body += piece));
      request.on("end", () => {
        const { message } = JSON.parse(body);
        const fails = message.from.id === anna && failures-- > 0;
        if (!fails) heard.push([message.from.id, message.text]);
        response.writeHead(fails ? 500 : 200).end();
      });
    };
    await serving(handler, async (hook) => {
      await api.setWebhook(hook);
      for (const text of ["1", "2", "3"]) {
        await say(anna, text);
        await say(bert, text);
      }
      await until("all of Bert's", () => heard.length === 3);
      assert.ok(heard.every(([from]) => from === bert), "one chat does not wait for another");
      await until("the rest", async () => {
        await control("advance", { seconds: 1 });
        return heard.length === 6;
      });
      const hers = heard.filter(([from]) => from === anna).map(([, text]) => text);
      assert.deepEqual(hers, ["1", "2", "3"]);
    });
  });

  await check("a method in the answer is carried out", async () => {
    const anna = await someone();
    const bot = makeBot({ canUseWebhookReply: (method) => method === "sendMessage" });
    bot.on("message:text", (ctx) => ctx.reply("in the answer"));
    await serving(webhookCallback(bot, "http"), async (hook) => {
      await api.setWebhook(hook);
      await say(anna, "hello");
      await until("the reply", async () => (await shows(anna)).at(-1).text === "in the answer");
    });
  });

  await check("what a webhook left is there for polling, and can be dropped", async () => {
    const anna = await someone();
    await serving((request, response) => response.writeHead(500).end(), async (hook) => {
      await api.setWebhook(hook);
      await say(anna, "left");
      await until("an error", async () => (await api.getWebhookInfo()).last_error_date);
      await api.deleteWebhook();
      assert.deepEqual((await api.getUpdates()).map((update) => update.message.text), ["left"]);
      await api.deleteWebhook({ drop_pending_updates: true });
      assert.deepEqual(await api.getUpdates(), []);
    });
  });

  await check("a webhook ends a poll that waits, and an address must be good", async () => {
    await serving((request, response) => response.end(), async (hook) => {
      const waiting = refusal(api.getUpdates({ timeout: 20 }));
      await new Promise((wake) => setTimeout(wake, 100));
      await control("advance", { seconds: 5 });
      await api.setWebhook(hook);
      assert.equal((await waiting).description, "Conflict: terminated by setWebhook request");
    });
    for (const [address, words] of [
      ["http://a.example/hook", "An HTTPS URL must be provided for webhook"],
      ["https://a.example:8000/hook", "Webhook can be set up only on ports 80, 88, 443 or 8443"],
    ]) {
      assert.equal((await refusal(api.setWebhook(address))).description, `Bad Request: bad webhook: ${words}`);
    }
    const secret = await refusal(api.setWebhook("https://a.example/hook", { secret_token: "no spaces" }));
    assert.equal(secret.description, "Bad Request: secret token contains unallowed characters");
  });
}
