// The fake server's control plane, and a list of checks with a verdict at the end.
import assert from "node:assert/strict";

export const TOKEN = "123456:TEST-token";
export const BOT = 123456;
export const url = process.argv[2] ?? "http://127.0.0.1:8081";

export async function control(act, body = {}) {
  const answer = await fetch(`${url}/control/${act}`, { method: "POST", body: JSON.stringify(body) });
  const value = await answer.json();
  if (!answer.ok) throw new Error(`${act}: ${value.error}`);
  return value;
}

export const look = async (path) => (await fetch(`${url}/control/${path}`)).json();
export const shows = (chat) => look(`chat?chat=${chat}`);
export const journal = (chat) => look(`journal${chat ? `?chat=${chat}` : ""}`);
export const say = (from, text, more = {}) => control("say", { chat: from, from, text, ...more });

/** Somebody new, with a private chat. */
let next = 1000;
export async function someone(name = "Anna", { starts = true } = {}) {
  const id = next++;
  await control("user", { id, name, username: `user_${id}` });
  if (starts) {
    await say(id, "/hello");
    await forget();
  }
  return id;
}

let nextChat = 1;
export async function chat(kind, more = {}) {
  const id = kind === "group" ? -(7000 + nextChat++) : -1_000_000_007_000 - nextChat++;
  await control("new_chat", { id, kind, title: `The ${kind}`, ...more });
  return id;
}

/** Everything that waits is dropped. */
export const forget = () => fetch(`${url}/bot${TOKEN}/deleteWebhook?drop_pending_updates=true`);

export async function until(what, test, ms = 8000) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await test();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what} did not happen`);
    await new Promise((wake) => setTimeout(wake, 10));
  }
}

const verdicts = { passed: 0, failed: 0 };
export async function check(name, test) {
  try {
    await control("clear_faults");
    await test();
    verdicts.passed += 1;
  } catch (error) {
    verdicts.failed += 1;
    console.error(`FAILED ${name}\n  ${error.stack ?? error}`);
  }
}

export function verdict() {
  console.log(`${verdicts.passed} passed, ${verdicts.failed} failed`);
  process.exit(verdicts.failed === 0 && verdicts.passed > 0 ? 0 : 1);
}

export async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("nothing was refused");
}
