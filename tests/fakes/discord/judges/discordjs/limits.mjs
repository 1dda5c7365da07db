// Rate limits and faults, as the library sees them.
import assert from "node:assert/strict";
import { channel, check, control, journal, refusal, rest, shows } from "../fake.mjs";

const post = (garden, content, more = {}) => rest(more).post(`/channels/${garden}/messages`, { body: { content } });
const calls = async (garden) => (await journal()).calls.filter((call) => call.chat === garden);

export async function limits() {
  for (const scope of ["user", "shared", "global"]) {
    await check(`a library waits out a limit of scope ${scope}`, async () => {
      const garden = await channel();
      await control("too_many", { operation: "create_message", channel: garden, scope, retry_after_ms: 300, times: 1 });
      const began = Date.now();
      await post(garden, "in the end");
      assert.ok(Date.now() - began >= 250);
      assert.equal((await calls(garden)).length, 2);
    });
  }

  await check("a refusal for speed says how long to wait", async () => {
    const garden = await channel();
    await control("too_many", { operation: "create_message", channel: garden, scope: "global", retry_after_ms: 650, times: 1 });
    const answer = await fetch(`${rest().options.api}/v10/channels/${garden}/messages`, {
      method: "POST",
      headers: { authorization: `Bot ${(await import("../fake.mjs")).TOKEN}`, "user-agent": "DiscordBot (x, 1)", "content-type": "application/json" },
      body: JSON.stringify({ content: "x" }),
    });
    const body = await answer.json();
    assert.deepEqual([answer.status, body.retry_after, body.global], [429, 0.65, true]);
    assert.deepEqual(["retry-after", "x-ratelimit-scope", "x-ratelimit-global"].map((name) => answer.headers.get(name)), ["1", "global", "true"]);
  });

  await check("buckets are told in headers, and a library that reads them meets no 429", async () => {
    const garden = await channel();
    await control("limits", { bucket: 3, window_ms: 400 });
    const one = rest();
    for (let n = 0; n < 7; n++) await one.post(`/channels/${garden}/messages`, { body: { content: `${n}` } });
    const outcomes = (await calls(garden)).map((call) => call.outcome);
    assert.deepEqual(outcomes, Array(7).fill("done"));
  });

  await check("one who does not read them meets it", async () => {
    const garden = await channel();
    await control("limits", { bucket: 3, window_ms: 400 });
    const hasty = Array.from({ length: 4 }, (_, n) => post(garden, `${n}`, { retries: 0, rejectOnRateLimit: () => true }));
    const ended = await Promise.allSettled(hasty);
    assert.equal(ended.filter((one) => one.status === "rejected").length, 1);
  });

  await check("too many invalid requests are banned", async () => {
    const garden = await channel();
    await control("limits", { invalid: 2, bucket: 100 });
    await control("permit", { channel: garden, target: "9000", deny: String(1 << 11) });
    for (let n = 0; n < 2; n++) assert.equal((await refusal(post(garden, "x"))).code, 50013);
    const answer = await fetch(`${rest().options.api}/v10/gateway`, { headers: { authorization: "Bot x", "user-agent": "DiscordBot (x, 1)" } });
    assert.equal(answer.status, 401);
    const banned = await refusal(post(garden, "x", { retries: 0, rejectOnRateLimit: () => true }));
    assert.ok(banned);
    assert.deepEqual((await calls(garden)).at(-1).outcome, { refused: [429, "rate limit"] });
  });

  await check("a library repeats what a fault has struck", async () => {
    const garden = await channel();
    await control("fault", { kind: { status: 502 }, chat: garden, times: 2 });
    await post(garden, "in the end");
    assert.deepEqual((await shows(garden)).map((message) => message.content), ["in the end"]);
    assert.equal((await calls(garden)).length, 3);
  });

  await check("a post whose answer is lost is there, and a nonce finds it", async () => {
    const garden = await channel();
    const body = { content: "once", nonce: "lost-1", enforce_nonce: true };
    await control("fault", { kind: "lost", chat: garden, times: 1 });
    await refusal(rest({ retries: 0 }).post(`/channels/${garden}/messages`, { body }));
    assert.equal((await shows(garden)).length, 1);
    const found = await rest().post(`/channels/${garden}/messages`, { body });
    assert.equal(found.id, (await shows(garden))[0].id);
    assert.equal((await shows(garden)).length, 1);
  });

  await check("an error can be asked for by its code", async () => {
    const garden = await channel();
    await control("fault", { kind: { refuse: [403, "50013 Missing Permissions"] }, chat: garden, times: 1 });
    const error = await refusal(post(garden, "x"));
    assert.deepEqual([error.status, error.code], [403, 50013]);
  });

  await check("a client that does not say who it is, is turned away", async () => {
    const answer = await fetch(`${rest().options.api}/v10/users/@me`, { headers: { authorization: "Bot x", "user-agent": "curl" } });
    assert.deepEqual([answer.status, (await answer.json()).code], [403, 40333]);
  });
}
