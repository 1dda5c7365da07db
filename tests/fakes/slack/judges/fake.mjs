// The fake server's control plane, and a list of checks with a verdict at the end.
import assert from "node:assert/strict";

export const APP = "A0000FRONT";
export const APP_TOKEN = "xapp-1-A0000FRONT-1-test";
export const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
export const TOKEN = "xoxb-1-first-test";
export const TEAM = "T0000FIRST";
export const BOT = "U0000FRONT";
export const url = process.argv[2] ?? "http://127.0.0.1:8083";

export async function control(act, body = {}) {
  const answer = await fetch(`${url}/control/${act}`, { method: "POST", body: JSON.stringify(body) });
  const value = await answer.json();
  if (!answer.ok) throw new Error(`${act}: ${value.error}`);
  return value;
}

export const look = async (path) => (await fetch(`${url}/control/${path}`)).json();
export const shows = async (channel) => (await look(`chat?chat=${channel}`)).messages;
export const threads = async (channel) => (await look(`chat?chat=${channel}`)).threads;
export const journal = () => look("journal");
export const delivery = async (number) =>
  (await journal()).deliveries.find((delivery) => delivery.update_id === number);
export const say = (user, text, more = {}) => control("say", { channel: user, user, text, ...more });

/** Somebody new. */
export const someone = async (name = "Anna", more = {}) => (await control("user", { name, ...more })).id;

/** A new public channel with these members and the app. */
export const channel = async (members, more = {}) =>
  (await control("channel", { name: "garden", members, ...more })).id;

export async function until(what, test, ms = 8000) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await test();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what} did not happen`);
    await pause(10);
  }
}

/** The SDKs log each fault that they are meant to meet. */
const nothing = () => {};
export const logger = {
  debug: nothing, info: nothing, warn: nothing, error: nothing, setLevel: nothing, setName: nothing, getLevel: () => "error",
};

export const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

const verdicts = { passed: 0, failed: 0 };
export async function check(name, test) {
  try {
    await control("clear_faults");
    await control("forget");
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
