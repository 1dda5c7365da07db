// One session: what its chat has shown, as the page shows it, with reset, stop and erase.

import { call, get, sessionPath } from "/page/api.js";
import { byId, clock, el, icon } from "/page/dom.js";
import { attachmentPath, fileList, sentPath } from "/page/files.js";
import * as timeline from "/page/timeline.js";
import { button, buttons, problem, sentence } from "./action.js";
import { ago, channelName, money, number, plural, sessionTitle } from "./format.js";
import * as list from "./list.js";
import * as place from "./place.js";

const reasons = {
  first: "The first conversation", new: "New conversation", idle: "New conversation, after a pause", daily: "New conversation, for a new day",
  "daily,idle": "New conversation, for a new day", api: "New conversation, begun by an operator", erased: "The conversation before was erased",
  job: "New conversation, for a scheduled run",
};

const states = { waiting: "Waits", in_turn: "Is being answered", refused: "Was not accepted", superseded: "A later message took its place", cancelled: "(stopped)", dead: "Was given up" };

let session = null;
let earlier = null;
let loading = false;

/** Shows an item before a row, unless it is there already. Returns its row, or `before`. */
function showItem(item, before) {
  const at = { before, at: item.at };
  if (item.type === "epoch") return timeline.find("e:" + item.epoch) || timeline.addDivider("e:" + item.epoch, `${reasons[item.reason] || "New conversation"} · ${clock(new Date(item.at))}`, at);
  return item.type === "frame" ? showFrame(item.frame, at) : showMessage(item, at);
}

function showMessage(item, at) {
  if (item.disposition === "answer") return at.before;
  let place = at;
  if (item.answer !== null) place = { ...at, before: text("theirs", "a:" + item.message, item.answer, item.markup, at) };
  let row = timeline.find("m:" + item.message);
  if (!row) {
    row = timeline.addRow("mine", "m:" + item.message, place);
    timeline.showPlain(row, item.text);
    row.prepend(el("span", { class: "sender" }, item.sender || item.principal));
    if (item.attachments?.length) row.append(fileList(item.attachments, (_, n) => attachmentPath(item.session, item.message, n)));
    timeline.addActions(row);
  }
  timeline.setNote(row, states[item.state] ? states[item.state] + (item.reason && item.state !== "waiting" ? `: ${item.reason}` : "") : "");
  return row;
}

/** A text in Markdown. */
function text(kind, id, source, markup, at) {
  const known = timeline.find(id);
  if (known) return known;
  const row = timeline.addRow(kind, id, at);
  timeline.showText(row, source, markup);
  timeline.addActions(row);
  return row;
}

function showFrame(frame, at) {
  switch (frame.type) {
    case "done": return text("theirs", "a:" + frame.message, frame.fullText, frame.markup, at);
    case "message": return text(frame.kind === "notice" ? "notice" : "theirs", "s:" + frame.seq, frame.text, frame.markup, at);
    case "ask": return text("ask", "q:" + frame.ask, frame.text, frame.markup, at);
    case "file": {
      const row = timeline.find("s:" + frame.seq) || timeline.addRow("theirs", "s:" + frame.seq, at);
      if (row.querySelector(".files")) return row;
      timeline.showText(row, frame.text || "", frame.markup);
      row.append(fileList([frame.file], (file) => sentPath(frame.session || session, file.id)));
      return row;
    }
    case "task": {
      const row = timeline.find("b:" + frame.task) || timeline.addRow("task", "b:" + frame.task, at);
      timeline.showPlain(row, frame.title);
      timeline.setNote(row, `Background task ${frame.task}: ${frame.state}`);
      return row;
    }
  }
  return at.before;
}

async function page(before) {
  return (await get(sessionPath(session, "/timeline" + list.query({ limit: 50, before })))) || { items: [], next: null };
}

async function showNewest() {
  const mine = session;
  const { items, next } = await page();
  if (mine !== session) return;
  const isFirst = !timeline.first();
  timeline.keepPlace(() => {
    if (isFirst) earlier = next;
    let before;
    for (const item of items) before = showItem(item, before);
    byId("earlier").hidden = !earlier;
  });
}

async function showEarlier() {
  if (!earlier || loading || !session) return;
  loading = true;
  const mine = session;
  try {
    const { items, next } = await page(earlier);
    if (mine !== session) return;
    earlier = next;
    timeline.addEarlier(items, showItem, Boolean(earlier));
  } finally {
    loading = false;
  }
}

timeline.onBeginning(() => showEarlier().catch(() => {}));

function about(row, again) {
  const node = byId("about");
  const used = row.usage_total;
  const facts = [
    `${channelName(row.channel, row.account)}, agent ${row.agent}`, `conversation ${row.epoch}`, row.model ? `model ${row.model}` : "",
    used?.answers ? plural(used.answers, "answer") + (used.cost_micro ? `, cost ${money(used.cost_micro)}` : "") : "",
    row.running ? "a turn runs" : "", row.waiting ? `${number(row.waiting)} wait` : "",
  ].filter(Boolean);
  const key = row.key;
  const controls = el("div", { class: "controls" }, ...buttons(
    (row.running || row.waiting) && button("Stop", {
      about: "this session", place: () => node, done: again,
      ask: { title: "Stop this session?", text: "The running answer ends, and messages that wait in it are cancelled." },
      run: async () => { const done = await call("POST", sessionPath(key, "/stop"), {}); return `${plural(done.running, "turn")} and ${plural(done.waiting, "waiting message")} stopped`; },
    }),
    button("Reset", {
      about: "this session", place: () => node, done: again,
      ask: { title: "Begin a new conversation?", text: "The agent forgets what was said so far. Nothing is deleted: the person can return with /resume." },
      run: () => call("POST", sessionPath(key, "/reset"), {}).then(() => "A new conversation has begun"),
    }),
    button("Erase", {
      about: "this session", kind: "danger", place: () => node, done: () => { location.hash = place.to("sessions"); },
      ask: { title: "Erase this session?", text: "The texts of all of its messages and answers, and their files, are deleted. This cannot be undone." },
      run: () => call("DELETE", sessionPath(key)).then(() => "The session is erased"),
    })));
  const back = el("a", { class: "back", href: place.to("sessions") }, icon("back"), "Sessions");
  node.replaceChildren(el("div", { class: "line" }, back, controls),
    el("p", { class: "fact" }, facts.join(" · "), ...(row.last_user_at ? [" · last message ", ago(row.last_user_at)] : [])), el("p", { class: "fact" }, el("code", {}, key)));
}

export async function open(view, { about: key, title, showView }) {
  session = key;
  earlier = null;
  loading = false;
  timeline.clear();
  byId("earlier").hidden = true;
  byId("about").replaceChildren();
  const refresh = async () => {
    const row = await get(sessionPath(key));
    if (session !== key) return;
    if (!row) {
      showView("view");
      view.replaceChildren(list.note("There is no such session", "It may have been erased.", el("p", {}, el("a", { href: place.to("sessions") }, "All sessions"))));
      return;
    }
    title(sessionTitle(row));
    const state = JSON.stringify([row.running, row.waiting, row.epoch, row.last_user_at]);
    if (byId("about").dataset.state !== key + state) { byId("about").dataset.state = key + state; about(row, refresh); }
    await showNewest();
    if (!timeline.first()) timeline.showPlain(timeline.addRow("notice", null, {}), "Nothing was said here.");
  };
  delete byId("about").dataset.state;
  showView("transcript");
  place.onLeave(() => { session = null; });
  await refresh();
  place.whileOpen(setInterval(() => { if (!document.hidden && !byId("about").contains(document.activeElement)) refresh().catch((error) => problem(byId("about"), sentence(error))); }, 4000));
}
