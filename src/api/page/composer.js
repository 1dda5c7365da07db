// The field in which messages are written. It grows with its text, and a draft survives a reload.

import { byId, icon } from "./dom.js";
import { draft } from "./storage.js";

const field = byId("text");
const send = byId("send");
const stop = byId("stop");

/** The chat whose draft is shown. */
let chat = "main";
let onSend = () => {};
let onStop = () => {};

const hasMouse = matchMedia("(pointer: fine)");

/** `on` has `send(text)` and `stop()`. */
export function setUp(on) {
  onSend = on.send;
  onStop = on.stop;
}

/** Shows the draft of a chat. */
export function open(name) {
  chat = name;
  field.value = draft.get(chat);
  fit();
  // On a phone the keyboard would cover the conversation.
  if (hasMouse.matches) focus();
}

export function focus() { field.focus({ preventScroll: true }); }

/** Puts a text into the field, behind what is there. */
export function put(text) {
  field.value = field.value.trim() ? field.value + "\n" + text : text;
  save();
  fit();
  focus();
}

export function clear() {
  field.value = "";
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
  send.disabled = !field.value.trim();
}

function save() { draft.set(chat, field.value); }

function submit() {
  const text = field.value;
  if (!text.trim()) return;
  clear();
  save();
  onSend(text);
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
byId("field").addEventListener("click", (event) => { if (event.target.id === "field" || event.target.id === "buttons") focus(); });
addEventListener("resize", fit);
