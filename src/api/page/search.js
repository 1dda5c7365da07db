// A search in the messages of all conversations. The gateway reads the newest first, a part of them at a time.

import { get } from "./api.js";
import { byId, clock, el } from "./dom.js";

const list = byId("found");

let words = "";
let next = null;
let timer = 0;
let hooks = { open() {}, title: () => "" };

/** `open(session, message)` shows a message; `title(session)` is what a conversation is called, or null. */
export function setUp(options) { hooks = options; }

export function clear() {
  clearTimeout(timer);
  words = "";
  list.replaceChildren();
}

/** Searches for what is typed, once nobody has typed for a moment. */
export function look(typed) {
  if (typed.length < 2) return clear();
  if (typed === words) return;
  clear();
  words = typed;
  timer = setTimeout(() => page(null), 250);
}

async function page(before) {
  const asked = words;
  list.querySelector(".fold")?.closest("li").remove();
  const query = new URLSearchParams({ search: words, limit: "20", ...(before ? { before } : {}) });
  const found = await get("/api/messages?" + query).catch(() => null);
  if (asked !== words || !found) return;
  next = found.next;
  const rows = found.messages.filter((one) => hooks.title(one.session) !== null);
  if (!before && (rows.length || next)) list.append(el("li", { class: "heading" }, "In messages"));
  list.append(...rows.map(line));
  if (!next) return;
  const more = el("button", { type: "button", class: "fold" }, rows.length ? "Search older messages" : "Nothing in the newest messages. Search older ones");
  more.addEventListener("click", () => page(next));
  list.append(el("li", {}, more));
}

function line(one) {
  const excerpt = one.text ?? one.answer ?? "";
  const button = el("button", { type: "button" },
    el("span", { class: "name", dir: "auto" }, ...marked(excerpt)),
    el("span", { class: "size", dir: "auto" }, `${hooks.title(one.session)} · ${clock(new Date(one.received))}`));
  button.addEventListener("click", () => hooks.open(one.session, one.message));
  return el("li", {}, button);
}

/** How many characters stand before the words that were found, so that two lines show them. */
const BEFORE = 24;

/** The words that were found stand out. */
function marked(excerpt) {
  const find = (text) => text.toLowerCase().indexOf(words.toLowerCase());
  // Cells of tables and lines follow one another.
  const flat = excerpt.replace(/[\s|]+/g, " ").trim();
  const text = find(flat) < 0 ? excerpt : flat;
  const place = find(text);
  if (place < 0) return [text];
  const first = place > BEFORE ? text.indexOf(" ", place - BEFORE) + 1 : 0;
  const before = first > 0 && first <= place ? "…" + text.slice(first, place) : text.slice(0, place);
  return [before, el("mark", {}, text.slice(place, place + words.length)), text.slice(place + words.length)];
}
