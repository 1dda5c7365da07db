// The rows of the conversation: each has an id, so that what arrives twice is shown once, and new rows never move what
// somebody reads.

import { byId, clock, el, icon, iconButton } from "./dom.js";
import { show, treeOf } from "./markdown.js";

const log = byId("log");
const list = byId("rows");
const down = byId("down");

/** The rows by their ids: `m:` messages, `a:` answers, `s:` notices and sends, `q:` questions, `b:` tasks, `e:` epochs. */
const rows = new Map();

/** Whether the view stays at the end of the conversation. */
let sticks = true;

export const find = (id) => rows.get(id) || null;
export const all = () => [...list.children];
export const isEmpty = () => list.children.length === 0;

export function clear() {
  rows.clear();
  list.replaceChildren();
  sticks = true;
  down.hidden = true;
}

/** A new row before another one; without `before` at the end. */
export function addRow(kind, id, { before, at } = {}) {
  const row = el("li", { class: kind });
  row.append(el("div", { class: "text" }));
  if (at) stamp(row, at);
  if (id) name(row, id);
  if (before) before.before(row); else append(row);
  return row;
}

/** The first row. */
export const first = () => list.firstElementChild;

/** The first row of those that the gateway has not accepted, which stay at the end; null if there are none. */
export const firstUnsent = () => list.querySelector(":scope > li.unsent");

/** At the end, but before the messages that were not accepted yet. */
function append(row) {
  list.insertBefore(row, row.classList.contains("unsent") ? null : firstUnsent());
  if (!sticks) down.hidden = false;
}

/** Gives a row its id. */
export function name(row, id) {
  rows.set(id, row);
  row.dataset.id = id;
}

export function remove(row) {
  if (row.dataset.id) rows.delete(row.dataset.id);
  row.remove();
}

/** The place for the text of a row. */
export const textOf = (row) => row.querySelector(":scope > .text");

/** Shows a text in Markdown, with a button that copies its source. */
export function showText(row, text, markup) {
  row.source = text;
  const node = textOf(row);
  node.classList.add("prose");
  show(node, treeOf(text, markup));
}

/** Shows a text as it was written. */
export function showPlain(row, text) {
  row.source = text;
  const node = textOf(row);
  node.dir = "auto";
  node.textContent = text;
}

/** A line below a row; an empty one removes it. */
export function setNote(row, text, ...controls) {
  let note = row.querySelector(":scope > .note");
  if (!text && !controls.length) return note?.remove();
  if (!note) {
    note = el("div", { class: "note" });
    const bar = row.querySelector(":scope > .actions");
    if (bar) bar.before(note); else row.append(note);
  }
  note.replaceChildren(text, ...controls);
  return note;
}

/** When a row was written. It is drawn by the style sheet, so that copying the row does not copy it. */
function stamp(row, at) {
  const time = new Date(at);
  row.dataset.at = time.toISOString();
}

/** What one can do with a message: copy it. With its time. */
export function addActions(row) {
  if (row.querySelector(":scope > .actions")) return;
  const at = row.dataset.at ? new Date(row.dataset.at) : new Date();
  const bar = el("div", { class: "actions" }, iconButton("copy", "Copy", { class: "copy quiet" }),
    el("span", { class: "time", "data-time": clock(at), title: at.toLocaleString() }));
  row.append(bar);
}

/** A line across the conversation. */
export function addDivider(id, text, place) {
  const row = addRow("divider", id, place);
  textOf(row).textContent = text;
  return row;
}

/** A card that says what went wrong. */
export function markFailed(row, ...controls) {
  row.classList.add("failure");
  if (!row.querySelector(":scope > .sign")) row.prepend(el("span", { class: "sign", "aria-hidden": "true" }, icon("warning")));
  row.querySelector(":scope > .remedy")?.remove();
  if (controls.length) row.append(el("div", { class: "remedy" }, ...controls));
}

// -- scrolling -------------------------------------------------------------------------------------------

const isAtEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 48;

export function toEnd() {
  sticks = true;
  down.hidden = true;
  log.scrollTop = log.scrollHeight;
}

/** Brings a row into view, and marks it for a moment. */
export function reveal(row) {
  sticks = false;
  row.scrollIntoView({ block: "center" });
  down.hidden = isAtEnd();
  row.classList.add("revealed");
  setTimeout(() => row.classList.remove("revealed"), 2500);
}

let quiet = 0;

/** Changes rows above without moving what is in view, and without having a screen reader read old rows. */
export function keepPlace(change) {
  log.setAttribute("aria-live", "off");
  clearTimeout(quiet);
  quiet = setTimeout(() => log.setAttribute("aria-live", "polite"), 500);
  if (sticks) { change(); toEnd(); return; }
  const top = log.getBoundingClientRect().top;
  const seen = all().find((row) => row.getBoundingClientRect().bottom > top);
  const before = seen?.getBoundingClientRect().top;
  change();
  if (seen?.isConnected) log.scrollTop += seen.getBoundingClientRect().top - before;
}

/** Adds a page of items, the newest first, above the earliest row. `more` says whether there are still earlier ones. */
export function addEarlier(items, showItem, more) {
  keepPlace(() => {
    let before = first();
    for (const item of items) before = showItem(item, before);
    byId("earlier").hidden = !more;
  });
}

let lastTop = 0;

log.addEventListener("scroll", () => {
  // Only a person scrolls up. Between a scroll to the end and its event, the conversation may have grown.
  if (isAtEnd()) sticks = true;
  else if (log.scrollTop < lastTop) sticks = false;
  lastTop = log.scrollTop;
  if (sticks) down.hidden = true;
}, { passive: true });

const follow = new ResizeObserver(() => {
  if (sticks) log.scrollTop = log.scrollHeight;
  else if (!isAtEnd() && list.lastElementChild?.matches("[aria-busy]")) down.hidden = false;
});
follow.observe(list);
follow.observe(log);

/** Calls `load` when somebody scrolls close to the beginning. */
export function onBeginning(load) {
  log.addEventListener("scroll", () => { if (log.scrollTop < 600 && !sticks) load(); }, { passive: true });
}

down.append(icon("down"));
down.addEventListener("click", () => { toEnd(); byId("text")?.focus(); });

// -- copying ---------------------------------------------------------------------------------------------

let copied = 0;

async function copy(button) {
  const code = button.closest("figure")?.querySelector("pre");
  const text = code ? code.textContent : button.closest("#rows > li").source;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyOld(text);
  }
  button.replaceChildren(icon("done"));
  button.classList.add("done");
  byId("spoken").textContent = "Copied";
  clearTimeout(copied);
  copied = setTimeout(() => {
    for (const done of list.querySelectorAll("button.copy.done")) {
      done.classList.remove("done");
      done.replaceChildren(icon("copy"));
    }
    byId("spoken").textContent = "";
  }, 1600);
}

/** For pages that are not served over HTTPS, where browsers offer no clipboard. */
function copyOld(text) {
  const field = el("textarea", { class: "unseen" });
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

list.addEventListener("click", (event) => {
  const button = event.target.closest("button.copy");
  if (button) copy(button);
});
