// Buttons, slash commands, shortcuts and views.
import assert from "node:assert/strict";
import { channel, check, control, delivery, say, shows, someone, until } from "../fake.mjs";
import { makeApp, running } from "./listening.mjs";

const button = (label, value) => ({
  type: "button", text: { type: "plain_text", text: label }, value, action_id: `choose_${value}`,
});
const asks = (text) => ({
  text,
  blocks: [
    { type: "section", text: { type: "mrkdwn", text } },
    { type: "actions", block_id: "ask", elements: [button("Yes", "yes"), button("No", "no")] },
  ],
});

export async function pressing() {
  await check("a pressed button reaches its handler, and its message can be replaced", async () => {
    const anna = await someone();
    const app = makeApp();
    const heard = [];
    app.message("ask", async ({ say }) => void (await say(asks("Water the garden?"))));
    app.action(/^choose_/, async ({ ack, action, body, respond }) => {
      await ack();
      heard.push([action.value, action.block_id, body.user.id, body.container.message_ts, body.channel.name]);
      await respond({ replace_original: true, text: `chosen: ${action.value}` });
    });
    await running(app, async () => {
      await say(anna, "ask");
      const question = await until("the question", async () => (await shows(anna))[1]);
      assert.deepEqual(question.buttons, ["Yes", "No"]);
      const pressed = await control("press", { channel: anna, ts: question.ts, user: anna, button: "Yes" });
      const after = await until("the change", async () => {
        const shown = (await shows(anna))[1];
        return shown.text.startsWith("chosen") && shown;
      });
      assert.deepEqual([after.text, after.buttons], ["chosen: yes", []]);
      assert.deepEqual(heard, [["yes", "ask", anna, question.ts, "directmessage"]]);
      assert.ok((await delivery(pressed.number)).confirmed);
    });
  });

  await check("a slash command is answered with its acknowledgement and later", async () => {
    const [anna, bert] = [await someone("Anna"), await someone("Bert")];
    const garden = await channel([anna, bert]);
    const app = makeApp();
    let heard;
    app.command("/frontdesk", async ({ ack, command, respond }) => {
      heard = [command.text, command.channel_id, command.user_id, command.thread_ts];
      await ack({ text: "just for you" });
      await respond({ response_type: "in_channel", text: "for all" });
    });
    await running(app, async () => {
      await control("slash", { channel: garden, user: anna, command: "/frontdesk", text: "status" });
      const [mine, all] = await until("both", async () => (await shows(garden)).length === 2 && shows(garden));
      assert.deepEqual(heard, ["status", garden, anna, undefined]);
      const texts = [mine, all].map((shown) => [shown.text, shown.only]).sort();
      assert.deepEqual(texts, [["for all", null], ["just for you", anna]]);
    });
  });

  await check("a response URL can be used five times, and for half an hour", async () => {
    const anna = await someone();
    const app = makeApp();
    app.command("/frontdesk", async ({ ack }) => void (await ack()));
    await running(app, async () => {
      const post = async (url) => {
        const answer = await fetch(url, { method: "POST", body: JSON.stringify({ text: "x" }), headers: { "content-type": "application/json" } });
        return [answer.status, (await answer.json()).error];
      };
      const { response_url } = await control("slash", { channel: anna, user: anna, command: "/frontdesk" });
      for (let n = 0; n < 5; n++) assert.deepEqual(await post(response_url), [200, undefined]);
      assert.deepEqual(await post(response_url), [404, "used_url"]);
      const other = await control("slash", { channel: anna, user: anna, command: "/frontdesk" });
      await control("advance", { seconds: 1801 });
      assert.deepEqual(await post(other.response_url), [404, "expired_url"]);
    });
  });

  await check("a shortcut opens a view once, and what is filled in comes back", async () => {
    const anna = await someone();
    const app = makeApp();
    const heard = [];
    const view = {
      type: "modal", callback_id: "plan", title: { type: "plain_text", text: "Plan" },
      submit: { type: "plain_text", text: "Save" },
      blocks: [{ type: "input", block_id: "b", label: { type: "plain_text", text: "What" },
        element: { type: "plain_text_input", action_id: "a" } }],
    };
    app.shortcut("plan", async ({ ack, shortcut, client }) => {
      await ack();
      const opened = await client.views.open({ trigger_id: shortcut.trigger_id, view });
      heard.push(opened.view.id);
      const again = await client.views.open({ trigger_id: shortcut.trigger_id, view }).catch((error) => error.data.error);
      heard.push(again);
    });
    app.view("plan", async ({ ack, view, body }) => {
      await ack({ response_action: "clear" });
      heard.push([view.state.values.b.a.value, body.user.id]);
    });
    await running(app, async () => {
      await control("shortcut", { user: anna, callback_id: "plan" });
      await until("the view", () => heard.length === 2);
      assert.equal(heard[1], "exchanged_trigger_id");
      const values = { b: { a: { type: "plain_text_input", value: "water" } } };
      const { number } = await control("submit", { user: anna, view: heard[0], values });
      await until("the submission", () => heard.length === 3);
      assert.deepEqual(heard[2], ["water", anna]);
      await until("the answer", async () => (await control("answered", { number })).answer?.response_action === "clear");
    });
  });

  await check("a shortcut of a message brings the message", async () => {
    const anna = await someone();
    const garden = await channel([anna]);
    const app = makeApp();
    let heard;
    app.shortcut({ type: "message_action", callback_id: "ask" }, async ({ ack, shortcut }) => {
      await ack();
      heard = [shortcut.message.text, shortcut.channel.id, shortcut.message_ts];
    });
    await running(app, async () => {
      const { ts } = await say(anna, "explain this", { channel: garden });
      await control("shortcut", { user: anna, callback_id: "ask", channel: garden, ts });
      await until("the shortcut", () => heard);
      assert.deepEqual(heard, ["explain this", garden, ts]);
    });
  });

  await check("a button that nobody answers is not delivered again", async () => {
    const anna = await someone();
    const app = makeApp();
    app.message("ask", async ({ say }) => void (await say(asks("?"))));
    await running(app, async () => {
      await say(anna, "ask");
      await until("the question", async () => (await shows(anna)).length === 2);
    });
    const { ts } = (await shows(anna))[1];
    const { number } = await control("press", { channel: anna, ts, user: anna, button: "No" });
    const pressed = await until("its end", async () => {
      const one = await delivery(number);
      return one.expired && one;
    });
    assert.deepEqual(pressed.delivered, []);
  });
}
