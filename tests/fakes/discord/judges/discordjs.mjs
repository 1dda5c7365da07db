// discord.js against the fake server: node discordjs.mjs http://127.0.0.1:8082 [PART OF A CHECK'S NAME]
import { setUp, verdict } from "./fake.mjs";
import { gateway } from "./discordjs/gateway.mjs";
import { messages } from "./discordjs/messages.mjs";
import { interactions } from "./discordjs/interactions.mjs";
import { threads } from "./discordjs/threads.mjs";
import { limits } from "./discordjs/limits.mjs";

// A judge that hangs has judged.
setTimeout(() => {
  console.error("the judge did not come to an end");
  process.exit(2);
}, 240_000).unref();

await setUp();
await gateway();
await messages();
await interactions();
await threads();
await limits();
verdict();
