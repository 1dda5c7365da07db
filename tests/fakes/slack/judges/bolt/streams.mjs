// Messages that grow.
import assert from "node:assert/strict";
import { WebClient } from "@slack/web-api";
import { channel, check, control, logger, refusal, say, shows, someone, TEAM, TOKEN, url } from "../fake.mjs";

const client = new WebClient(TOKEN, { slackApiUrl: `${url}/api/`, retryConfig: { retries: 0 }, logger });
const refused = async (promise, error) => assert.equal((await refusal(promise)).data?.error, error);

export async function streams() {
  await check("the SDK's streamer grows a message in a thread and ends it", async () => {
    const anna = await someone();
    const { channel, ts } = await say(anna, "tell me");
    const stream = client.chatStream({ channel, thread_ts: ts, recipient_user_id: anna, recipient_team_id: TEAM, buffer_size: 4 });
    await stream.append({ markdown_text: "Once " });
    assert.equal((await shows(channel)).at(-1).grows, true);
    await stream.append({ markdown_text: "upon a time" });
    await stream.append({ chunks: [{ type: "task_update", id: "1", title: "Think", status: "complete" }] });
    await stream.stop({ markdown_text: "." });
    const shown = (await shows(channel)).at(-1);
    assert.deepEqual([shown.text, shown.grows, shown.thread], ["Once upon a time.", false, ts]);
    assert.equal(shown.message.tasks[0].status, "complete");
    assert.equal(shown.message.streaming_state, "completed");
  });

  await check("a message that grows is not edited, and one that does not grow is not appended to", async () => {
    const anna = await someone();
    const garden = await channel([anna]);
    const { ts } = await say(anna, "tell me", { channel: garden });
    const at = { channel: garden, thread_ts: ts };
    await refused(client.chat.startStream(at), "missing_recipient_user_id");
    const started = await client.chat.startStream({ ...at, recipient_user_id: anna, recipient_team_id: TEAM, markdown_text: "a" });
    const it = { channel: garden, ts: started.ts };
    await refused(client.chat.update({ ...it, text: "x" }), "streaming_state_conflict");
    await refused(client.chat.delete(it), "cant_delete_message");
    await refused(client.chat.appendStream({ ...it, markdown_text: "a".repeat(12_001) }), "msg_too_long");
    await client.chat.stopStream(it);
    await refused(client.chat.appendStream({ ...it, markdown_text: "b" }), "message_not_in_streaming_state");
    await client.chat.update({ ...it, text: "edited" });
    assert.equal((await shows(garden)).at(-1).text, "edited");
  });

  await check("after five minutes it grows no more, and is edited again", async () => {
    const anna = await someone();
    const { channel, ts } = await say(anna, "tell me");
    const started = await client.chat.startStream({ channel, thread_ts: ts, markdown_text: "a" });
    await control("advance", { seconds: 301 });
    await refused(client.chat.stopStream({ channel, ts: started.ts }), "message_not_in_streaming_state");
    await client.chat.update({ channel, ts: started.ts, text: "goes on" });
    assert.equal((await shows(channel)).at(-1).text, "goes on");
  });

  await check("somebody stops it", async () => {
    const anna = await someone();
    const { channel, ts } = await say(anna, "tell me");
    const started = await client.chat.startStream({ channel, thread_ts: ts, markdown_text: "a" });
    await control("stop", { channel, ts: started.ts, user: anna });
    await refused(client.chat.appendStream({ channel, ts: started.ts, markdown_text: "b" }), "stopped_by_user");
  });
}
