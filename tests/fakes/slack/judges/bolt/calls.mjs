// The Web API: posts, edits, deletion, reactions, channels, people, files, refusals and limits.
import assert from "node:assert/strict";
import { WebClient } from "@slack/web-api";
import { BOT, channel, check, control, journal, logger, refusal, say, shows, someone, TEAM, TOKEN, url } from "../fake.mjs";

const options = { slackApiUrl: `${url}/api/`, retryConfig: { retries: 2, minTimeout: 50, maxTimeout: 100 }, logger };
const client = new WebClient(TOKEN, options);
const refused = async (promise, error) => assert.equal((await refusal(promise)).data?.error, error);

export async function calls() {
  await check("an app knows itself, its workspace and its scopes", async () => {
    const me = await client.auth.test();
    assert.deepEqual([me.team_id, me.user_id, me.bot_id], [TEAM, BOT, "B0000FRONT"]);
    assert.ok(me.response_metadata.scopes.includes("chat:write"));
    assert.equal((await client.team.info()).team.id, TEAM);
    await refused(new WebClient("xoxb-wrong", options).auth.test(), "invalid_auth");
    await refused(client.apps.connections.open(), "not_allowed_token_type");
    await refused(client.apiCall("chat.nonsense"), "unknown_method");
  });

  await check("a post is edited and deleted, and mentions are what their marks say", async () => {
    const anna = await someone();
    const garden = await channel([anna]);
    const posted = await client.chat.postMessage({ channel: garden, text: "&lt;!channel&gt; and <!here> & @channel", thread_ts: undefined });
    const [shown] = await shows(garden);
    assert.deepEqual([shown.text, shown.mentions], ["<!channel> and here & @channel", ["here"]]);
    await client.chat.update({ channel: garden, ts: posted.ts, text: "@channel" });
    assert.deepEqual((await shows(garden))[0].mentions, ["channel"], "an update links names unless told not to");
    await client.chat.update({ channel: garden, ts: posted.ts, text: "@channel", parse: "none" });
    assert.deepEqual([(await shows(garden))[0].mentions, (await shows(garden))[0].edited], [[], true]);
    await refused(client.chat.update({ channel: garden, ts: posted.ts, text: "a".repeat(4001) }), "msg_too_long");
    await client.chat.delete({ channel: garden, ts: posted.ts });
    await refused(client.chat.delete({ channel: garden, ts: posted.ts }), "message_not_found");
    assert.deepEqual(await shows(garden), []);
    const long = await client.chat.postMessage({ channel: garden, text: "a".repeat(40_100) });
    assert.equal(long.message.text.length, 40_000);
    const { ts } = await say(anna, "hers", { channel: garden });
    await refused(client.chat.update({ channel: garden, ts, text: "x" }), "cant_update_message");
  });

  await check("posts are refused in Slack's words", async () => {
    const anna = await someone();
    const [closed, foreign] = [await channel([anna]), await channel([anna], { bot: false })];
    const secret = await channel([anna], { bot: false, kind: "group" });
    const post = (more) => client.chat.postMessage({ channel: closed, text: "x", ...more });
    await refused(post({ channel: "C404" }), "channel_not_found");
    await refused(post({ channel: foreign }), "not_in_channel");
    await refused(post({ channel: secret }), "channel_not_found");
    await refused(post({ text: "" }), "no_text");
    await refused(post({ blocks: [{ type: "section", text: { type: "mrkdwn", text: "a".repeat(3001) } }] }), "invalid_blocks");
    await refused(post({ blocks: Array(51).fill({ type: "divider" }) }), "invalid_blocks");
    await refused(post({ text: undefined, markdown_text: "a".repeat(12_001) }), "msg_too_long");
    await control("archive", { channel: closed, on: true });
    await refused(post(), "is_archived");
    await client.conversations.join({ channel: foreign });
    assert.ok((await post({ channel: foreign })).ok);
    await control("scopes", { token: TOKEN, remove: ["pins:write"] });
    const missing = await refusal(client.pins.add({ channel: foreign, timestamp: "1.0" }));
    assert.deepEqual([missing.data.error, missing.data.needed], ["missing_scope", "pins:write"]);
    assert.ok(missing.data.provided.includes("chat:write"));
  });

  await check("one person alone sees an ephemeral message", async () => {
    const [anna, bert] = [await someone("Anna"), await someone("Bert")];
    const garden = await channel([anna]);
    const { message_ts } = await client.chat.postEphemeral({ channel: garden, user: anna, text: "for you" });
    assert.equal((await shows(garden))[0].only, anna);
    await refused(client.chat.update({ channel: garden, ts: message_ts, text: "x" }), "message_not_found");
    await refused(client.chat.postEphemeral({ channel: garden, user: bert, text: "x" }), "user_not_in_channel");
    assert.deepEqual((await client.conversations.history({ channel: garden })).messages, []);
  });

  await check("reactions", async () => {
    const anna = await someone();
    const garden = await channel([anna]);
    const { ts } = await say(anna, "hello", { channel: garden });
    const eyes = { channel: garden, timestamp: ts, name: "eyes" };
    await client.reactions.add(eyes);
    assert.deepEqual((await shows(garden))[0].reactions, [[BOT, "eyes"]]);
    await refused(client.reactions.add(eyes), "already_reacted");
    await client.reactions.remove(eyes);
    await refused(client.reactions.remove(eyes), "no_reaction");
  });

  await check("history has no replies, replies have their parent, and both have pages", async () => {
    const anna = await someone();
    const garden = await channel([anna]);
    const sent = [];
    for (const text of ["1", "2", "3"]) sent.push(await say(anna, text, { channel: garden }));
    const thread = { channel: garden, thread: sent[1].ts };
    await say(anna, "2a", thread);
    await say(anna, "2b", { ...thread, broadcast: true });
    const texts = ({ messages }) => messages.map((message) => message.text);
    assert.deepEqual(texts(await client.conversations.history({ channel: garden })), ["2b", "3", "2", "1"]);
    assert.deepEqual(texts(await client.conversations.history({ channel: garden, oldest: sent[1].ts })), ["2b", "3"]);
    const newer = { channel: garden, oldest: sent[1].ts, inclusive: true };
    assert.deepEqual(texts(await client.conversations.history(newer)), ["2b", "3", "2"]);
    assert.deepEqual(texts(await client.conversations.replies({ channel: garden, ts: sent[1].ts })), ["2", "2a", "2b"]);
    const pages = [];
    for await (const page of client.paginate("conversations.history", { channel: garden, limit: 3 })) pages.push(texts(page));
    assert.deepEqual(pages, [["2b", "3", "2"], ["1"]]);
  });

  await check("channels and people", async () => {
    const [anna, bert] = [await someone("Anna"), await someone("Bert", { more: { is_restricted: true } })];
    const stranger = await someone("Carol", { team: "T0000OTHER" });
    const garden = await channel([anna, stranger], { shared: ["T0000OTHER"] });
    const { channel: info } = await client.conversations.info({ channel: garden });
    assert.deepEqual([info.is_member, info.is_ext_shared, info.is_private], [true, true, false]);
    assert.ok((await client.conversations.members({ channel: garden })).members.includes(stranger));
    const listed = (await client.users.conversations({ types: "public_channel", limit: 999 })).channels;
    assert.ok(listed.some((one) => one.id === garden));
    assert.equal((await client.users.info({ user: bert })).user.is_restricted, true);
    assert.equal((await client.users.info({ user: stranger })).user.is_stranger, true);
    await refused(client.users.info({ user: "U404" }), "user_not_found");
    const opened = await client.conversations.open({ users: anna, return_im: true });
    assert.deepEqual([opened.channel.is_im, opened.channel.user], [true, anna]);
    assert.equal((await client.conversations.open({ users: anna })).channel.id, opened.channel.id);
    await control("group", { id: "S1", users: [anna] });
    assert.deepEqual((await client.usergroups.users.list({ usergroup: "S1" })).users, [anna]);
  });

  await check("files are uploaded together and shown in a thread", async () => {
    const anna = await someone();
    const garden = await channel([anna]);
    const { ts } = await say(anna, "send them", { channel: garden });
    const done = await client.filesUploadV2({
      channel_id: garden, thread_ts: ts, initial_comment: "both",
      file_uploads: [{ file: Buffer.from("one"), filename: "1.txt" }, { file: Buffer.from("two"), filename: "2.txt" }],
    });
    const shown = (await shows(garden)).at(-1);
    assert.deepEqual([shown.files, shown.text, shown.thread], [["1.txt", "2.txt"], "both", ts]);
    const { file } = await client.files.info({ file: done.files[0].files[0].id });
    assert.equal(file.shares.private[garden][0].ts, shown.ts);
    const answer = await fetch(file.url_private, { headers: { authorization: `Bearer ${TOKEN}` } });
    assert.equal(await answer.text(), "one");
  });

  await check("limits: one post a second in a channel, twenty streams a minute", async () => {
    const anna = await someone();
    const garden = await channel([anna]);
    const quick = new WebClient(TOKEN, { ...options, rejectRateLimitedCalls: true });
    await control("limits", { on: true });
    await quick.chat.postMessage({ channel: garden, text: "1" });
    const error = await refusal(quick.chat.postMessage({ channel: garden, text: "2" }));
    assert.deepEqual([error.code, error.retryAfter], ["slack_webapi_rate_limited_error", 1]);
    await control("advance", { seconds: 1 });
    await quick.chat.postMessage({ channel: garden, text: "3" });
    assert.deepEqual((await shows(garden)).map((shown) => shown.text), ["1", "3"]);
  });

  await check("the SDK waits for as long as it is told", async () => {
    const anna = await someone();
    await control("fault", { kind: { too_many: 1 }, times: 1, method: "chat.postMessage" });
    const began = Date.now();
    await client.chat.postMessage({ channel: anna, text: "patience" });
    assert.ok(Date.now() - began >= 900);
    assert.deepEqual((await shows(anna)).map((shown) => shown.text), ["patience"]);
  });

  await check("an answer is lost, and the SDK posts twice", async () => {
    const anna = await someone();
    await control("fault", { kind: "lost", times: 1, method: "chat.postMessage" });
    await client.chat.postMessage({ channel: anna, text: "once?" });
    assert.equal((await shows(anna)).length, 2);
    await control("fault", { kind: { status: 502 }, times: 1, method: "chat.postMessage" });
    await client.chat.postMessage({ channel: anna, text: "again" });
    assert.equal((await shows(anna)).length, 3);
    const calls = (await journal()).calls.filter((call) => call.params.text === "once?");
    assert.deepEqual(calls.map((call) => call.lost), [true, false]);
    assert.ok(!JSON.stringify(calls).includes(TOKEN), "the journal holds no secrets");
  });
}
