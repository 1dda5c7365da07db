// Server-sent events. The browser's own reader cannot send a token, so this one reads the stream itself.

import { token } from "/page/storage.js";

/** How long to wait before a lost stream is opened again, in milliseconds. */
const PAUSE = 3000;

/** Calls `take(name, json, id)` for each event of a block of lines. */
function parse(block, take) {
  let [name, id, data] = ["message", null, ""];
  for (const line of block.split("\n")) {
    const [field, value] = [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trimStart()];
    if (field === "event") name = value;
    if (field === "id") id = value;
    if (field === "data") data += value;
  }
  if (data) take(name, JSON.parse(data), id);
}

/** Reads a stream to its end, and calls `opened` once it is there. */
async function read(path, signal, opened, take) {
  const reply = await fetch(path, { headers: { Authorization: "Bearer " + token.get() }, cache: "no-store", signal });
  if (!reply.ok) throw new Error("status " + reply.status);
  opened();
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) parse(block, take);
  }
}

/** Follows a stream, and opens it again where it ended. `state(isOpen)` says whether it is there. Returns what ends it. */
export function follow(path, { take, state }) {
  const end = new AbortController();
  let last = null;
  (async () => {
    while (!end.signal.aborted) {
      try {
        await read(path + (last ? "?after=" + last : ""), end.signal, () => state(true), (name, json, id) => { last = id || last; take(name, json, id); });
      } catch {
        // It is opened again below, unless the view was left.
      }
      if (end.signal.aborted) return;
      state(false);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  })();
  return () => end.abort();
}
