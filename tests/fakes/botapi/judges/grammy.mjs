// grammY against the fake server: node grammy.mjs http://127.0.0.1:8081
import { verdict } from "./fake.mjs";
import { polling } from "./grammy/polling.mjs";
import { updates } from "./grammy/updates.mjs";
import { sending } from "./grammy/sending.mjs";
import { refusals } from "./grammy/refusals.mjs";
import { webhooks } from "./grammy/webhooks.mjs";

// A judge that hangs has judged.
setTimeout(() => {
  console.error("the judge did not come to an end");
  process.exit(2);
}, 240_000).unref();

await polling();
await updates();
await sending();
await refusals();
await webhooks();
verdict();
