// One chat: what the gateway's frames and its stored timeline say becomes rows.

import { answerRefused, closeAsk, openAnswers, showAsk } from "./asks.js";
import * as composer from "./composer.js";
import { el, speak } from "./dom.js";
import { attachmentPath, fileList, sentPath, uploadPath } from "./files.js";
import { showEpoch } from "./epochs.js";
import { GrowingText } from "./markdown.js";
import { outbox } from "./storage.js";
import { showProgress, showTask } from "./tasks.js";
import * as thinking from "./thinking.js";
import * as timeline from "./timeline.js";

/** The chat's name, and its session's key once that is known; `foreign` is the session of a chat on another channel. */
export const chat = { name: "main", session: null, foreign: null };

/** Messages without an acknowledgement: id -> {text, row}. */
const unsent = new Map();
/** Messages without an answer, in their order. */
const open = new Set();
/** Messages that have failed, whose notice is still to come. */
const failed = new Set();
/** Answers that are being written: message -> {row, growing, attempt, text}. */
const growing = new Map();

let send = () => false;
/** Called when something may have happened that only the stored timeline shows. */
let lookAgain = () => {};
/** Called when the list of conversations may show something new. */
let moved = () => {};

export function setUp(options) { ({ send, lookAgain, moved } = options); }

export function clear() {
  for (const set of [unsent, open, failed, growing]) set.clear();
  timeline.clear();
  chat.session = null;
  update();
}

export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// -- what this person writes -----------------------------------------------------------------------------

/** Sends a message, or keeps it until there is a connection. */
export function say(text, files = []) {
  if (chat.foreign) return;
  const prompt = { id: newId(), chat: chat.name, text, ...(files.length ? { files } : {}) };
  outbox.add(prompt);
  for (const remedy of document.querySelectorAll(".remedy")) remedy.remove();
  showUnsent(prompt);
  timeline.toEnd();
  deliver(prompt);
}

function showUnsent(prompt) {
  const row = timeline.addRow("mine unsent", null, {});
  timeline.showPlain(row, prompt.text);
  if (prompt.files) row.append(fileList(prompt.files, (file) => uploadPath(file.file)));
  unsent.set(prompt.id, { ...prompt, row });
  update();
}

function deliver(prompt) {
  const { row } = unsent.get(prompt.id);
  const sent = send({ type: "prompt", id: prompt.id, chat: chat.name, text: prompt.text, files: prompt.files?.map((one) => one.file) });
  timeline.setNote(row, sent ? "" : "Sent when the connection is back");
}

/** Shows the messages that an earlier visit could not send. */
export function showKept() { outbox.of(chat.name).forEach(showUnsent); }

/** Sends what has no acknowledgement. Repeated ids are harmless. */
export function sendKept() {
  for (const prompt of unsent.values()) deliver(prompt);
  for (const answer of openAnswers.values()) send(answer);
}

function accepted(frame) {
  chat.session = frame.session;
  outbox.remove(frame.id);
  const prompt = unsent.get(frame.id);
  if (!prompt) return;
  unsent.delete(frame.id);
  const { row } = prompt;
  // After a reconnect the history may have shown it already.
  if (timeline.find("m:" + frame.message)) timeline.remove(row);
  else {
    row.classList.remove("unsent");
    timeline.setNote(row, "");
    timeline.name(row, "m:" + frame.message);
    timeline.addActions(row);
  }
  if (!timeline.find("a:" + frame.message)) open.add(frame.message);
  update();
  moved();
}

/** A message was not accepted. Its text is not lost: it can be sent again, or changed. */
function refused(frame) {
  const prompt = unsent.get(frame.id);
  unsent.delete(frame.id);
  outbox.remove(frame.id);
  const { row } = prompt;
  row.files = prompt.files;
  row.classList.remove("unsent");
  if (frame.about) {
    // It is stored all the same, and the timeline may have shown it already.
    const stored = timeline.find("m:" + frame.about);
    if (stored) timeline.remove(stored);
    timeline.name(row, "m:" + frame.about);
  }
  markRefused(row, frame.message, !["too_large", "too_long", "unknown_file"].includes(frame.code));
  speak(frame.message);
  update();
}

/** Says why a message was not accepted, and offers to send it again or to change it. */
function markRefused(row, why, canRepeat) {
  const { source: text, files = [] } = row;
  row.classList.add("bad");
  const again = el("button", { type: "button", class: "link" }, "Send again");
  const change = el("button", { type: "button", class: "link" }, "Edit");
  again.addEventListener("click", () => { timeline.remove(row); say(text, files); composer.focus(); });
  change.addEventListener("click", () => { timeline.remove(row); composer.put(text, files); });
  timeline.setNote(row, why + " ", ...(canRepeat ? [again, " "] : []), change);
}

export function stop() {
  if (open.size && !chat.foreign) send({ type: "abort", chat: chat.name });
}

function retryButton() {
  const button = el("button", { type: "button" }, "Retry");
  button.addEventListener("click", () => { say("/retry"); composer.focus(); });
  return button;
}

// -- what is under way -----------------------------------------------------------------------------------

/** Shows whether somebody works, and who waits. */
export function update() {
  composer.setRunning(open.size > 0);
  const writes = [...growing.values()].some((one) => one.row.isConnected);
  const asks = document.querySelector("#rows > li.ask:not([data-closed])");
  thinking.show(open.size > 0, writes, Boolean(asks));
  // Commands wait for nobody.
  [...open].filter((message) => !timeline.find("m:" + message)?.source.startsWith("/"))
    .sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))).forEach(showPlace);
  document.getElementById("empty").hidden = !timeline.isEmpty() || !chat.session;
}

/** Says which place in line a message has; the first one is being answered. */
function showPlace(message, place) {
  const row = timeline.find("m:" + message);
  if (!row || row.dataset.place === String(place)) return;
  const waited = Number(row.dataset.place) > 0;
  row.dataset.place = place;
  if (place === 0) {
    if (waited) timeline.setNote(row, "");
    return;
  }
  const withdraw = el("button", { type: "button", class: "link" }, "Withdraw");
  withdraw.addEventListener("click", () => { say("/queue drop " + message); composer.focus(); });
  timeline.setNote(row, `Waits, number ${place} in line `, withdraw);
}

/** A message waits no more. */
function settle(message) {
  open.delete(message);
  showPlace(message, 0);
}

function markEnded(frame) {
  for (const id of frame.messages || [frame.about || frame.message]) settle(id);
  update();
  moved();
}

// -- rows ------------------------------------------------------------------------------------------------

/** The note below an unfinished answer, whose text stays. */
const unfinished = { cancelled: "(stopped)", dead: "(interrupted)" };

function markUnfinished(row, state) {
  row.removeAttribute("aria-busy");
  if (state === "dead") timeline.setNote(row, unfinished.dead + " ", retryButton());
  else timeline.setNote(row, unfinished[state]);
}

/** The row of a message's answer. It is created when it is first needed. */
function answerRow(message, place) {
  return timeline.find("a:" + message) || timeline.addRow("theirs", "a:" + message, place || {});
}

function showAnswer(message, text, markup, place) {
  const row = answerRow(message, place);
  growing.delete(message);
  row.dataset.done = "1";
  row.removeAttribute("aria-busy");
  timeline.setNote(row, "");
  timeline.showText(row, text, markup);
  timeline.addActions(row);
  return row;
}

/** A file that the agent or a program has sent, with its caption. */
function showSent(frame, place) {
  const id = "s:" + frame.seq;
  if (timeline.find(id)) return timeline.find(id);
  const row = timeline.addRow("theirs", id, place);
  timeline.showText(row, frame.text, frame.markup);
  row.append(fileList([frame.file], (file) => sentPath(frame.session || chat.session, file.id)));
  if (frame.text) timeline.addActions(row);
  return row;
}

function showMessage(frame, place) {
  const id = frame.seq ? "s:" + frame.seq : null;
  if (id && timeline.find(id)) return timeline.find(id);
  const row = timeline.addRow(frame.kind === "notice" ? "notice" : "theirs", id, place);
  timeline.showText(row, frame.text, frame.markup);
  if (frame.message) row.dataset.about = frame.message;
  if (frame.kind === "notice" && failed.delete(frame.message)) timeline.markFailed(row, retryButton());
  if (frame.kind !== "notice") timeline.addActions(row);
  return row;
}

/** A message has failed: the notice about it becomes a card with what one can do. */
function fail(message, canRetry) {
  const notice = timeline.all().findLast((row) => row.dataset.about === message && row.classList.contains("notice"));
  if (notice) timeline.markFailed(notice, ...(canRetry ? [retryButton()] : []));
  else failed.add(message);
}

const frames = {
  accepted,
  prompt(frame) {
    if (unsent.has(frame.id) || timeline.find("m:" + frame.message)) return;
    const row = timeline.addRow("mine", "m:" + frame.message, { before: timeline.find("a:" + frame.message) });
    timeline.showPlain(row, frame.text);
    addFiles(row, frame.attachments, frame.session, frame.message);
    timeline.addActions(row);
    if (!timeline.find("a:" + frame.message)) open.add(frame.message);
    update();
  },
  delta(frame) {
    const row = answerRow(frame.message);
    if (row.dataset.done) return;
    let one = growing.get(frame.message);
    if (!one || one.attempt < frame.attempt || frame.whole) {
      one = { row, text: "", attempt: frame.attempt, growing: new GrowingText(timeline.textOf(row)) };
      growing.set(frame.message, one);
      row.setAttribute("aria-busy", "true");
      timeline.textOf(row).classList.add("prose");
      for (const id of frame.messages || [frame.message]) open.add(id);
      update();
    }
    one.text += frame.text;
    if (!one.drawn) one.drawn = requestAnimationFrame(() => {
      one.drawn = 0;
      if (growing.get(frame.message) === one) one.growing.show(one.text);
    });
  },
  done(frame) {
    showAnswer(frame.message, frame.fullText, frame.markup);
    markEnded(frame);
    if (timeline.find("m:" + frame.message)?.source?.startsWith("/")) lookAgain();
  },
  message(frame) {
    showMessage(frame, {});
    update();
    if (frame.kind === "notice") lookAgain();
  },
  file(frame) {
    showSent(frame, {});
    update();
    // An answer may be nothing but a file.
    if (frame.kind === "answer") growing.delete(frame.message);
  },
  ask(frame) {
    showAsk(frame, {});
    if (frame.reply) markEnded(frame);
    update();
  },
  ask_closed(frame) { closeAsk(frame); update(); },
  task(frame) { showTask(frame, {}); update(); },
  progress(frame) {
    if (frame.task) return showProgress(frame);
    thinking.setStep(frame.text);
    update();
  },
  status: markEnded,
  gap() {
    for (const { row } of growing.values()) timeline.setNote(row, "Some of this answer is missing; the whole answer follows");
  },
  error(frame) {
    if (openAnswers.has(frame.id)) return answerRefused(frame);
    if (unsent.has(frame.id)) return refused(frame);
    if (!frame.about) return frame.code === "too_large" ? tooLarge(frame) : speak(frame.message);
    ended(frame);
  },
};

/** A frame was too large to be read: it was the last message, which must not be sent again and again. */
function tooLarge(frame) {
  const last = [...unsent.keys()].at(-1);
  if (last) refused({ ...frame, id: last, message: "This is too long. Shorten it, or send it in parts." });
}

/** A message was given up. What was shown of its answer stays. */
function ended(frame) {
  const row = timeline.find("a:" + frame.about);
  growing.delete(frame.about);
  if (row) {
    if (!row.dataset.done) timeline.addActions(row);
    if (frame.code === "cancelled") markUnfinished(row, "cancelled");
    else {
      row.removeAttribute("aria-busy");
      // The reason of a failure arrives as a message of its own.
      timeline.setNote(row, frame.code === "agent_failed" ? "" : frame.message);
    }
  } else if (frame.code === "cancelled") {
    const asked = timeline.find("m:" + frame.about);
    if (asked) timeline.setNote(asked, unfinished.cancelled);
  } else if (frame.code !== "agent_failed") {
    timeline.showPlain(timeline.addRow("notice", null, {}), frame.message);
  }
  markEnded(frame);
  if (frame.code === "agent_failed") fail(frame.about, true);
}

/** Shows what a frame says. */
export function handle(frame) { frames[frame.type]?.(frame); }

/** Whether a frame belongs into the timeline, so that it waits until the timeline is shown. */
export const isShown = (frame) => ["delta", "done", "message", "file", "ask", "ask_closed", "task", "progress", "status", "gap", "prompt"].includes(frame.type)
  || (frame.type === "error" && Boolean(frame.about));

// -- what was shown before -------------------------------------------------------------------------------

/** Shows an item of the stored timeline before a row. Returns the row, or `before` if there is nothing to show. */
export function showItem(item, before) {
  const place = { before, at: item.at };
  if (item.type === "epoch") {
    return showEpoch(item, place, before);
  }
  return item.type === "frame" ? showFrame(item.frame, place) : showPrompt(item, place);
}

function showFrame(frame, place) {
  switch (frame.type) {
    case "done":
      for (const id of frame.messages || [frame.message]) settle(id);
      return timeline.find("a:" + frame.message)?.dataset.done ? timeline.find("a:" + frame.message)
        : showAnswer(frame.message, frame.fullText, frame.markup, place);
    case "message": return showMessage(frame, place);
    case "file": return showSent(frame, place);
    case "ask": return showAsk(frame, place);
    case "task": return showTask(frame, place);
    case "ask_closed": closeAsk(frame);
  }
  return place.before;
}

function showPrompt(item, place) {
  const id = "m:" + item.message;
  if (item.disposition === "answer") return place.before;
  let answer = timeline.find("a:" + item.message);
  if (item.answer !== null && !answer?.dataset.done) {
    answer = showAnswer(item.message, item.answer, item.markup, place);
    place = { ...place, before: answer };
  }
  let row = timeline.find(id);
  if (!row) {
    row = timeline.addRow("mine", id, place);
    timeline.showPlain(row, item.text);
    if (item.principal && !item.principal.startsWith("web:")) row.prepend(el("span", { class: "sender" }, item.sender || item.principal));
    addFiles(row, item.attachments, item.session, item.message);
    timeline.addActions(row);
  }
  showState(item, row, answer);
  return row;
}

function showState(item, row, answer) {
  if (item.state === "waiting" || item.state === "in_turn") { open.add(item.message); return update(); }
  settle(item.message);
  if (item.state === "answered") return;
  if (item.state === "dead") fail(item.message, row === timeline.all().findLast((one) => one.classList.contains("mine")));
  if (unfinished[item.state] && answer) markUnfinished(answer, item.state);
  else if (item.state === "cancelled") timeline.setNote(row, unfinished.cancelled);
  else if (item.state === "superseded") timeline.setNote(row, "A later message took its place");
  else if (item.state === "refused" && !row.classList.contains("bad")) markRefused(row, "This was not accepted.", true);
}

function addFiles(row, attachments, session, message) {
  if (attachments?.length) row.append(fileList(attachments, (_, place) => attachmentPath(session, message, place)));
}
