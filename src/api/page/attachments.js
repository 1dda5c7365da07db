// Files of the message that is being written: chosen, pasted or dropped, uploaded at once, and removed again. An upload is
// remembered over a reload; a file that could not be uploaded yet is kept as long as the page is open.

import { call, get } from "./api.js";
import { byId, el, icon, iconButton, speak } from "./dom.js";
import { nameOf, sizeOf } from "./files.js";
import { draftFiles, token } from "./storage.js";

const tray = byId("tray");
const picker = byId("picker");

/** What is in the tray: {key, name, size, kind, blob, state, done, note, file}. States: waits, moves, ready, failed. */
let list = [];
let chat = "main";
let limits = null;
let onChange = () => {};

/** Whether every file can be sent. */
export const areReady = () => list.every((one) => one.state === "ready");
export const isEmpty = () => !list.length;

/** Takes the files out of the tray: the message has them now. */
export function take() {
  const files = list.map(({ file, name, size, kind, mime }) => ({ file, name, size, kind, mime }));
  list = [];
  changed();
  return files;
}

/** Puts files back that a message had. */
export function putBack(files) {
  list.push(...files.map((file) => ({ ...file, key: file.file, state: "ready" })));
  changed();
}

/** Shows the files of a chat's draft. */
export function open(name) {
  for (const one of list) one.request?.abort();
  chat = name;
  list = draftFiles.get(chat).map((file) => ({ ...file, key: file.file, state: "ready" }));
  draw();
}

/** Forgets the files. */
export function clear() {
  for (const one of list) one.request?.abort();
  list = [];
  limits = null;
  draw();
}

function changed() {
  const ready = list.filter((one) => one.state === "ready");
  draftFiles.set(chat, ready.map(({ file, name, size, kind, mime }) => ({ file, name, size, kind, mime })));
  draw();
}

// -- adding ----------------------------------------------------------------------------------------------

/** Adds files, and uploads them. `kind` is voice for a recording. */
export function add(files, kind) {
  for (const blob of files) {
    const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const one = { key, name: blob.name || "file", size: blob.size, kind, blob, state: "waits", note: "" };
    list.push(one);
    upload(one);
  }
  draw();
}

/** Uploads what could not be uploaded before. */
export function retry() { for (const one of list) if (one.state === "waits") upload(one); }

function fail(one, note) {
  Object.assign(one, { state: "failed", note });
  speak(`${one.name}: ${note}`);
  changed();
}

async function upload(one) {
  one.state = "moves";
  one.done = 0;
  try {
    limits ??= await get("/api/files");
  } catch {
    one.state = "waits";
    return draw();
  }
  if (!list.includes(one) || one.request) return;
  if (one.size > limits.max_bytes) return fail(one, `Too large: a file may have at most ${sizeOf(limits.max_bytes)}.`);
  if (!one.size) return fail(one, "This is empty, or a folder.");
  if (list.indexOf(one) >= limits.max_files) return fail(one, `A message has at most ${limits.max_files} files.`);
  const request = one.request = new XMLHttpRequest();
  const query = new URLSearchParams({ name: one.name, ...(one.kind === "voice" ? { kind: "voice" } : {}) });
  request.open("POST", "/api/files?" + query);
  request.setRequestHeader("Authorization", "Bearer " + token.get());
  request.setRequestHeader("Content-Type", one.blob.type || "application/octet-stream");
  // A reply that was lost makes no second upload.
  request.setRequestHeader("Idempotency-Key", one.key);
  request.upload.onprogress = (event) => { one.done = event.loaded / event.total; move(one); };
  request.onload = () => { one.request = null; received(one, request); };
  request.onerror = () => { one.request = null; one.state = "waits"; setTimeout(retry, 5000); draw(); };
  request.send(one.blob);
  draw();
}

function received(one, request) {
  let reply = {};
  try { reply = JSON.parse(request.responseText); } catch { /* not from the gateway */ }
  if (request.status === 503) { one.state = "waits"; setTimeout(retry, 3000); return draw(); }
  if (request.status !== 201) return fail(one, reply.error?.message || "It was not taken. Try again.");
  Object.assign(one, { state: "ready", file: reply.file, kind: reply.kind, mime: reply.mime, name: reply.name || one.name });
  speak(`${one.name} is uploaded`);
  changed();
}

function remove(one) {
  const place = list.indexOf(one);
  list = list.filter((other) => other !== one);
  one.request?.abort();
  if (one.file) call("DELETE", "/api/files/" + encodeURIComponent(one.file)).catch(() => {});
  changed();
  (tray.querySelectorAll("button")[Math.min(place, list.length - 1)] || byId("text")).focus();
}

// -- the tray --------------------------------------------------------------------------------------------

const words = { waits: "Waits for the connection", moves: "Uploading", ready: "", failed: "" };

function draw() {
  tray.hidden = !list.length;
  tray.replaceChildren(...list.map(line));
  onChange();
}

function line(one) {
  const item = el("li", { class: one.state, "data-key": one.key });
  const picture = one.blob && /^image\/(png|jpeg|gif|webp)$/.test(one.blob.type);
  if (picture) {
    one.url ??= URL.createObjectURL(one.blob);
    item.append(el("img", { src: one.url, alt: "" }));
  } else item.append(icon(one.kind === "voice" ? "mic" : "file"));
  const name = nameOf(one);
  item.append(el("span", { class: "name", dir: "auto", title: name }, name),
    el("span", { class: "size" }, one.note || [words[one.state], sizeOf(one.size)].filter(Boolean).join(" · ")));
  if (one.state === "moves") item.append(el("progress", { max: "1", value: String(one.done || 0), "aria-label": "Upload of " + name }));
  const button = iconButton("close", "Remove " + name, { class: "quiet" });
  button.addEventListener("click", () => remove(one));
  item.append(button);
  return item;
}

function move(one) {
  const bar = tray.querySelector(`[data-key="${one.key}"] progress`);
  if (bar) bar.value = one.done;
}

// -- where files come from -------------------------------------------------------------------------------

/** `change` is called when the tray has changed. */
export function setUp(options) {
  onChange = options.change;
  const page = byId("chat");
  byId("attach").append(icon("attach"));
  byId("attach").addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => { add([...picker.files]); picker.value = ""; byId("text").focus(); });
  byId("text").addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    add([...event.clipboardData.files]);
  });
  let depth = 0;
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const show = (count) => { depth = Math.max(0, count); byId("drop").hidden = depth === 0; };
  page.addEventListener("dragenter", (event) => { if (hasFiles(event)) { event.preventDefault(); show(depth + 1); } });
  page.addEventListener("dragleave", (event) => { if (hasFiles(event)) show(depth - 1); });
  page.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  page.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    show(0);
    add([...event.dataTransfer.files]);
    byId("text").focus();
  });
}
