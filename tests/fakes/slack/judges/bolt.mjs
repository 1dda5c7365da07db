// Bolt against the fake server: node bolt.mjs http://127.0.0.1:8083
import { verdict } from "./fake.mjs";
import { calls } from "./bolt/calls.mjs";
import { http } from "./bolt/http.mjs";
import { listening } from "./bolt/listening.mjs";
import { pressing } from "./bolt/pressing.mjs";
import { streams } from "./bolt/streams.mjs";

// A judge that hangs has judged.
setTimeout(() => {
  console.error("the judge did not come to an end");
  process.exit(2);
}, 240_000).unref();

await listening();
await pressing();
await calls();
await streams();
await http();
verdict();
