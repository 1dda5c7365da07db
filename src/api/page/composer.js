// The field in which messages are written. It grows with its text, and a draft survives a reload.

import * as attachments from "./attachments.js";
import { byId, icon } from "./dom.js";
import * as recorder from "./recorder.js";
import { draft } from "./storage.js";

const field = byId("text");
const send = byId("send");
const stop = byId("stop");

/** The chat whose draft is shown. */
let chat = "main";
let onSend = () => {};
let onStop = () => {};

const hasMouse = matchMedia("(pointer: fine)");

/** `on` has `send(text, files)` and `stop()`. */
export function setUp(on) {
  attachments.setUp({ change: fit });
  recorder.setUp((file) => { attachments.add([file], "voice"); focus(); });
  onSend = on.send;
  onStop = on.stop;
}

/** Shows the draft of a chat. */
export function open(name) {
  chat = name;
  field.value = draft.get(chat);
  attachments.open(chat);
  fit();
  // On a phone the keyboard would cover the conversation.
  if (hasMouse.matches) focus();
}

export function focus() { field.focus({ preventScroll: true }); }

/** Puts a text into the field, behind what is there, and its files into the tray. */
export function put(text, files = []) {
  if (files.length) attachments.putBack(files);
  field.value = field.value.trim() && text ? field.value + "\n" + text : field.value || text;
  save();
  fit();
  focus();
}

export function clear() {
  field.value = "";
  recorder.discard();
  attachments.clear();
  fit();
}

/** Whether there is something to stop. */
export function setRunning(running) {
  const had = document.activeElement === stop;
  stop.hidden = !running;
  if (!running && had) focus();
}

export const isRunning = () => !stop.hidden;

function fit() {
  field.style.height = "auto";
  field.style.height = field.scrollHeight + "px";
  send.disabled = !canSend();
}

/** A message has a text or files, and all its files are uploaded. */
const canSend = () => (field.value.trim() || !attachments.isEmpty()) && attachments.areReady();

function save() { draft.set(chat, field.value); }

function submit() {
  if (!canSend()) return;
  const text = field.value;
  field.value = "";
  const files = attachments.take();
  fit();
  save();
  onSend(text, files);
}

send.append(icon("send"));
stop.append(icon("stop"));
byId("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); focus(); });
field.addEventListener("input", () => { fit(); save(); });
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
stop.addEventListener("click", () => onStop());
// The whole card is the field: a click beside the text begins to write.
byId("field").addEventListener("click", (event) => { if (["field", "line", "buttons", "tray"].includes(event.target.id)) focus(); });
addEventListener("resize", fit);
