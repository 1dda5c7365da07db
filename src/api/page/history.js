// The stored timeline of a session, in pages: the newest when the page opens or comes back, earlier ones on the way up.

import { get, sessionPath } from "./api.js";
import { byId } from "./dom.js";
import { showItem, update } from "./chat.js";
import * as timeline from "./timeline.js";

const PAGE = 50;

/** The place before the earliest row; null if there is nothing earlier. */
let earlier = null;
let loading = false;

export function clear() {
  earlier = null;
  loading = false;
  byId("earlier").hidden = true;
}

async function page(session, before) {
  const query = `/timeline?limit=${PAGE}` + (before ? "&before=" + encodeURIComponent(before) : "");
  return (await get(sessionPath(session, query))) || { items: [], next: null };
}

/** Whether a row of this item is shown. */
const isKnown = (item) => timeline.find(idOf(item)) !== null;

function idOf(item) {
  if (item.type === "prompt") return "m:" + item.message;
  if (item.type === "epoch") return "e:" + item.epoch;
  const { type, message, seq, ask, task } = item.frame;
  return { done: "a:" + message, message: "s:" + seq, file: "s:" + seq, ask: "q:" + ask, task: "b:" + task }[type] || "";
}

/** Shows the newest page: what is there already stays in its place. */
export async function showNewest(session) {
  const { items, next } = await page(session);
  const unsent = timeline.firstUnsent();
  const isFirst = !timeline.first() || timeline.first() === unsent;
  // So much has happened since that earlier rows would have a gap behind them.
  const hasGap = !isFirst && next && !items.some(isKnown);
  timeline.keepPlace(() => {
    if (hasGap) for (const row of timeline.all()) if (!row.classList.contains("unsent")) timeline.remove(row);
    if (isFirst || hasGap) earlier = next;
    let before = timeline.firstUnsent() || undefined;
    for (const item of items) before = showItem(item, before);
    byId("earlier").hidden = !earlier;
  });
  update();
}

/** Shows a message, however far back it is: at most this many pages are read. */
export async function reveal(session, message) {
  for (let pages = 0; pages < 200 && !timeline.find("m:" + message) && earlier; pages += 1) {
    await showEarlier(session);
    // A page is on its way already.
    if (loading) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const row = timeline.find("m:" + message);
  if (!row) return;
  timeline.reveal(row);
}

/** Shows the page before the earliest row. */
export async function showEarlier(session) {
  if (!earlier || loading || !session) return;
  loading = true;
  try {
    const { items, next } = await page(session, earlier);
    earlier = next;
    timeline.addEarlier(items, showItem, Boolean(earlier));
  } finally {
    loading = false;
  }
}
