// What the server refuses, and what goes wrong on the way.
import assert from "node:assert/strict";
import { autoRetry } from "@grammyjs/auto-retry";
import { Bot, GrammyError, HttpError } from "grammy";
import { chat, check, control, journal, refusal, shows, someone, BOT, TOKEN, url } from "../fake.mjs";
import { makeBot } from "./polling.mjs";

const { api } = makeBot();
const posts = async (chat) => (await journal(chat)).calls.filter((call) => call.method === "sendMessage");

async function refused(promise, code, description) {
  const error = await refusal(promise);
  assert.ok(error instanceof GrammyError, `${error}`);
  assert.deepEqual([error.error_code, error.description], [code, description]);
  return error;
}

export async function refusals() {
  const anna = await someone();

  await check("who cannot be written to", async () => {
    const stranger = await someone("Stranger", { starts: false });
    await refused(api.sendMessage(123_456_789, "x"), 400, "Bad Request: chat not found");
    await refused(api.sendMessage("@nobody_at_all", "x"), 400, "Bad Request: chat not found");
    await refused(api.sendMessage(stranger, "x"), 403, "Forbidden: bot can't initiate conversation with a user");
    const bert = await someone("Bert");
    await control("block", { user: bert });
    await refused(api.sendMessage(bert, "x"), 403, "Forbidden: bot was blocked by the user");
    await refused(api.sendChatAction(bert, "typing"), 403, "Forbidden: bot was blocked by the user");
    await control("unblock", { user: bert });
    await api.sendMessage(bert, "x");
    await control("deactivate", { user: bert });
    await refused(api.sendMessage(bert, "x"), 403, "Forbidden: user is deactivated");
  });

  await check("where it cannot write", async () => {
    const group = await chat("supergroup");
    await control("part", { chat: group, user: BOT, by: anna });
    await refused(api.sendMessage(group, "x"), 403, "Forbidden: bot was kicked from the supergroup chat");
    const small = await chat("group");
    await control("part", { chat: small, user: BOT, by: anna });
    await refused(api.sendMessage(small, "x"), 403, "Forbidden: bot was kicked from the group chat");
    const channel = await chat("channel");
    await control("stand", { chat: channel, user: BOT, standing: "member" });
    await refused(api.sendMessage(channel, "x"), 400, "Bad Request: need administrator rights in the channel chat");
  });

  await check("a group that has moved says where to", async () => {
    const group = await chat("group");
    const to = group - 1_000_000_200_000;
    await control("migrate", { chat: group, to });
    const error = await refused(api.sendMessage(group, "x"), 400, "Bad Request: group chat was upgraded to a supergroup chat");
    assert.equal(error.parameters.migrate_to_chat_id, to);
    await api.sendMessage(to, "x");
  });

  await check("topics that are not there", async () => {
    const forum = await chat("forum");
    await refused(api.sendMessage(forum, "x", { message_thread_id: 77 }), 400, "Bad Request: message thread not found");
    await refused(api.sendMessage(forum, "x", { message_thread_id: 1 }), 400, "Bad Request: message thread not found");
    const plain = await chat("supergroup");
    assert.equal((await api.sendMessage(plain, "x", { message_thread_id: 77 })).message_thread_id, undefined);
  });

  await check("a wrong token and a wrong method", async () => {
    const other = new Bot("999:wrong", { client: { apiRoot: url } });
    await refused(other.api.getMe(), 401, "Unauthorized");
    const answer = await fetch(`${url}/bot${TOKEN}/sendNonsense`);
    assert.equal(answer.status, 404);
    assert.equal((await answer.json()).ok, false);
    assert.equal((await fetch(`${url}/bot${TOKEN}/GETME`)).status, 200);
  });

  await check("too many requests, with the time to wait", async () => {
    await control("fault", { kind: { too_many: 3 }, times: 1, chat: anna });
    const error = await refused(api.sendMessage(anna, "x"), 429, "Too Many Requests: retry after 3");
    assert.equal(error.parameters.retry_after, 3);
    await api.sendMessage(anna, "x");
  });

  await check("auto-retry waits and tries again", async () => {
    const bert = await someone("Bert");
    const bot = makeBot();
    bot.api.config.use(autoRetry());
    await control("fault", { kind: { too_many: 1 }, times: 2, chat: bert });
    const began = Date.now();
    await bot.api.sendMessage(bert, "patience");
    assert.ok(Date.now() - began >= 1900);
    assert.equal((await shows(bert)).filter((message) => message.text === "patience").length, 1);
    assert.equal((await posts(bert)).length, 3);
  });

  await check("flood control of the real size", async () => {
    const bert = await someone("Bert");
    await control("flood");
    const many = await Promise.allSettled(Array.from({ length: 6 }, (_, n) => api.sendMessage(bert, `${n}`)));
    const refusedOnes = many.filter((one) => one.status === "rejected");
    assert.equal(refusedOnes.length, 3);
    assert.ok(refusedOnes.every((one) => one.reason.parameters.retry_after >= 1));
    await control("advance", { seconds: 5 });
    await api.sendMessage(bert, "again");
  });

  await check("a page of the proxy is no answer of the server", async () => {
    await control("fault", { kind: { status: 502 }, times: 1, method: "sendMessage" });
    assert.ok((await refusal(api.sendMessage(anna, "x"))) instanceof HttpError);
    await control("fault", { kind: { refuse: [500, "Internal Server Error: restart"] }, times: 1 });
    await refused(api.sendMessage(anna, "x"), 500, "Internal Server Error: restart");
  });

  await check("an answer that is lost, and a request that is not heard", async () => {
    const bert = await someone("Bert");
    await control("fault", { kind: "lost", times: 1, chat: bert });
    assert.ok((await refusal(api.sendMessage(bert, "lost"))) instanceof HttpError);
    assert.equal((await shows(bert)).at(-1).text, "lost");
    await control("fault", { kind: "hangup", times: 1, chat: bert });
    assert.ok((await refusal(api.sendMessage(bert, "unheard"))) instanceof HttpError);
    assert.equal((await shows(bert)).at(-1).text, "lost");
    const calls = await posts(bert);
    assert.deepEqual(calls.map((call) => [call.outcome, call.lost]), [["done", true], ["unheard", true]]);
  });

  await check("an answer that takes its time", async () => {
    await control("fault", { kind: { slow: 300 }, times: 1, chat: anna });
    const began = Date.now();
    await api.sendMessage(anna, "slow");
    assert.ok(Date.now() - began >= 300);
  });

  await check("getUpdates that never returns", async () => {
    await control("fault", { kind: "silent", method: "getUpdates", times: 1 });
    const stop = new AbortController();
    const waiting = api.getUpdates({ timeout: 1 }, stop.signal).then(() => "answered", () => "gave up");
    const slept = new Promise((wake) => setTimeout(() => wake("silence"), 2000));
    assert.equal(await Promise.race([waiting, slept]), "silence");
    stop.abort();
    assert.equal(await waiting, "gave up");
  });
}
