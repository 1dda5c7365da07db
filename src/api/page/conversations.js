// The list of conversations: open, begin, search, name and archive them. The chat's name stands in the address.

import { call, get, sessionPath } from "./api.js";
import { byId, clock, el, icon, iconButton, speak } from "./dom.js";
import * as place from "./place.js";
import * as found from "./search.js";

const side = byId("side");
const list = byId("chats");
const search = byId("search");
const menu = byId("menu");
const select = byId("channel");

/** Wide windows show the list beside the chat, narrow ones above it. */
const isWide = matchMedia("(min-width: 60rem)");

/** The conversations that the gateway knows, the latest first. */
let known = [];
/** The chat that is open. */
let current = place.MAIN;
let showsArchived = false;
let onTitle = () => {};
let onReveal = () => {};

/** How many conversations are listed at first; the rest is read when somebody scrolls to the end. */
const FIRST = 1000;

/** The channel whose conversations are listed. */
let channel = "web";
/** The agent of the chats that can be opened here. */
let agent = "";
/** What the names of this person's chats begin with in the gateway; empty for the owner. */
let own = "";
/** The key after which the list goes on; empty at its end. */
let after = "";
let reading = false;

/** The name of a chat that this page has begun: nobody has chosen it. */
const isNameless = (name) => /^c-[0-9a-f]{12}$/.test(name);

function newName() {
  return "c-" + Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What a conversation is called. */
function titleOf(name, row = known.find((one) => nameOf(one) === name)) {
  if (row?.title) return row.title;
  if (isForeign(name)) return foreignTitle(name, row);
  if (name === place.MAIN) return "Main chat";
  if (!isNameless(name)) return name;
  const opening = row?.opening?.replace(/\s+/g, " ").trim();
  return opening ? opening.slice(0, 80) : "New conversation";
}

/** Whether a name is the session of another channel. */
const isForeign = (name) => name.startsWith("agent:");

function foreignTitle(key, row) {
  const [, , from, scope, id] = key.split(":").map(decodeURIComponent);
  const opening = row?.opening?.replace(/\s+/g, " ").trim();
  return opening ? `${opening.slice(0, 80)} (${scope} ${id})` : `${from} ${scope} ${id}`;
}

/** The name of a row: the chat here, the session elsewhere. */
const nameOf = (row) => (row.key && channel !== "web" ? row.key : row.id);

const openedAt = (row) => row.last_user_at || row.created;

/** Reads the next page of the list. */
async function page() {
  const query = new URLSearchParams({ channel, limit: "200", openings: "true", ...(after ? { after } : {}) });
  const { sessions } = await get("/api/sessions?" + query);
  after = sessions.length < 200 ? "" : sessions.at(-1).key;
  return sessions.filter(isListed).map((row) => (channel === "web" ? { ...row, id: row.id.slice(own.length) } : row));
}

/** Whether a row is a chat that is listed: of the page's own channel those with this agent. */
const isListed = (row) => channel !== "web" || (row.scope === "dm" && row.account === "default" && (!agent || row.agent === agent) && row.id.startsWith(own));

function keep(rows) { known = rows.sort((a, b) => openedAt(b).localeCompare(openedAt(a))); }

/** Reads the list again. `session` is that of the chat that is open. */
export async function refresh(session) {
  if (session) {
    const [, of, , , id] = session.split(":").map(decodeURIComponent);
    agent = of;
    own = id.endsWith("/" + current) ? id.slice(0, -current.length) : "";
  }
  const [asked, most] = [channel, Math.max(FIRST, known.length)];
  const rows = [];
  reading = true;
  after = "";
  try {
    do rows.push(...await page()); while (after && rows.length < most);
  } finally {
    reading = false;
  }
  if (asked !== channel) return refresh();
  keep(rows);
  draw();
}

/** Somebody has scrolled to the end of the list. */
async function more() {
  if (reading || !after) return;
  reading = true;
  try {
    keep([...known, ...await page()]);
  } finally {
    reading = false;
  }
  draw();
}

/** Lists the channels whose conversations an admin may read. */
export async function showChannels() {
  const status = await get("/api/status").catch(() => null);
  byId("console").hidden = !status;
  const names = [...new Set((status?.accounts || []).map((one) => one.channel))].filter((name) => name !== "web").sort();
  select.hidden = !names.length;
  const title = (name) => name[0].toUpperCase() + name.slice(1);
  select.replaceChildren(el("option", { value: "web" }, "Chats on this page"), ...names.map((name) => el("option", { value: name }, title(name))));
  select.value = names.includes(channel) ? channel : "web";
}

/** Marks the chat that is open. */
export function setCurrent(name) {
  current = name;
  draw();
}

export function clear() {
  known = [];
  channel = "web";
  select.hidden = true;
  search.value = "";
  found.clear();
  list.replaceChildren();
}

// -- the list --------------------------------------------------------------------------------------------

function draw() {
  onTitle(titleOf(current), current === place.MAIN && !known.find((row) => row.id === current)?.title);
  found.look(search.value.trim());
  if (list.querySelector("input")) return;
  const words = search.value.trim().toLowerCase();
  const rows = [...known];
  if (channel === "web") for (const name of [current, place.MAIN]) if (!isForeign(name) && !rows.some((row) => row.id === name)) rows.unshift({ id: name });
  // The main chat stays at the top.
  rows.sort((a, b) => (b.id === place.MAIN) - (a.id === place.MAIN));
  const fits = (row) => !words || `${titleOf(nameOf(row), row)} ${row.opening || ""}`.toLowerCase().includes(words);
  const here = rows.filter((row) => fits(row) && (words || !row.archived));
  const away = rows.filter((row) => fits(row) && row.archived && !words);
  const focus = focused();
  list.replaceChildren(...here.map(line));
  if (!here.length) list.append(el("li", { class: "none" }, words ? "Nothing found in names and first messages" : "Nothing here"));
  if (away.length) list.append(archiveLine(away.length), ...(showsArchived ? away.map(line) : []));
  focus();
}

/** Remembers which control of the list has the focus, and returns what gives it back when the list is drawn again. */
function focused() {
  const item = list.contains(document.activeElement) ? document.activeElement.closest("li") : null;
  const address = item?.querySelector("a")?.getAttribute("href");
  const place = address ? [...item.children].filter(isControl).indexOf(document.activeElement) : -1;
  return () => {
    if (place < 0) return;
    const link = [...list.querySelectorAll("a")].find((one) => one.getAttribute("href") === address);
    const controls = link ? [...link.closest("li").children].filter(isControl) : [];
    controls[Math.min(place, controls.length - 1)]?.focus({ preventScroll: true });
  };
}

const isControl = (node) => node.matches("a, button");

function archiveLine(count) {
  const button = el("button", { type: "button", class: "fold", "aria-expanded": String(showsArchived) }, `Archived (${count})`);
  button.addEventListener("click", () => { showsArchived = !showsArchived; draw(); list.querySelector(".fold")?.focus(); });
  return el("li", {}, button);
}

function line(row) {
  const name = nameOf(row);
  const title = titleOf(name, row);
  const link = el("a", { href: fragment(name), dir: "auto", "aria-current": name === current ? "page" : null, title: row.key ? `${title}\n${clock(new Date(openedAt(row)))}` : title }, title);
  link.addEventListener("click", (event) => { event.preventDefault(); go(name); });
  const item = el("li", {}, link);
  if (row.running || row.waiting) item.append(el("span", { class: "busy", role: "img", "aria-label": "is answering" }));
  if (!row.key) return item;
  const rename = iconButton("rename", "Rename " + title, { class: "quiet" });
  rename.addEventListener("click", () => edit(item, row));
  item.append(rename);
  if (name !== place.MAIN) {
    const archive = iconButton(row.archived ? "restore" : "archive", (row.archived ? "Restore " : "Archive ") + title, { class: "quiet" });
    archive.addEventListener("click", () => change(row, { archived: !row.archived }, row.archived ? "Restored" : "Archived"));
    item.append(archive);
  }
  return item;
}

function edit(item, row) {
  const field = el("input", { "aria-label": "Name of the conversation", maxlength: "80", dir: "auto" });
  field.value = titleOf(nameOf(row), row);
  let isOver = false;
  const end = (save) => {
    if (isOver) return;
    isOver = true;
    const title = field.value.trim();
    field.remove();
    if (save && title !== titleOf(nameOf(row), row)) change(row, { title: title || null }, "Renamed"); else draw();
    [...list.querySelectorAll("a")].find((link) => link.getAttribute("aria-current"))?.focus();
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") end(true);
    if (event.key === "Escape") { event.stopPropagation(); end(false); }
  });
  field.addEventListener("blur", () => end(true));
  item.replaceChildren(field);
  field.focus();
  field.select();
}

async function change(row, what, said) {
  try {
    const { title, archived } = await call("PATCH", sessionPath(row.key), what);
    Object.assign(row, { title, archived });
    speak(said);
  } catch (error) {
    speak(error.message);
  }
  draw();
}

// -- moving ----------------------------------------------------------------------------------------------

/** Opens a chat: the page follows its address. */
function go(name) {
  if (!isWide.matches) close();
  if (name === current) return byId("text").focus();
  location.hash = fragment(name);
}

const fragment = (name) => (isForeign(name) ? place.sessionFragment(name) : place.fragment(name) || "#chat=main");

/** The chat of a session: here its name, elsewhere its key. */
function nameIn(session) {
  const [, of, from, scope, id, thread] = session.split(":");
  if (from !== "web") return session;
  const name = decodeURIComponent(id);
  return scope === "dm" && thread === undefined && (!agent || decodeURIComponent(of) === agent) && name.startsWith(own) ? name.slice(own.length) : null;
}

/** Opens the chat of a message that was found. */
function reveal(session, message) {
  onReveal(message);
  const name = nameIn(session);
  if (name === current) { if (!isWide.matches) close(); return onReveal(message, true); }
  go(name);
}

function isOpen() { return !document.body.classList.contains(isWide.matches ? "narrow" : "closed"); }

function open() {
  document.body.classList.add("moves");
  document.body.classList.remove("narrow", "closed");
  apply();
  if (!isWide.matches) search.focus({ preventScroll: true });
}

function close() {
  document.body.classList.add(isWide.matches ? "narrow" : "closed");
  apply();
}

/** What is not shown, or is behind the list, cannot be reached by the keyboard either. */
function apply() {
  side.inert = !isOpen();
  byId("page").inert = !isWide.matches && isOpen();
  byId("shade").hidden = isWide.matches || !isOpen();
  menu.setAttribute("aria-expanded", String(isOpen()));
}

export function setUp(options) {
  onTitle = options.title;
  onReveal = options.reveal;
  found.setUp({ open: reveal, title(session) { const name = nameIn(session); return name === null ? null : titleOf(name); } });
  const end = () => { const view = list.parentNode; if (view.scrollHeight - view.scrollTop - view.clientHeight < 300) more().catch(() => {}); };
  list.parentNode.addEventListener("scroll", end, { passive: true });
  select.addEventListener("change", () => { channel = select.value; known = []; draw(); refresh().catch(() => {}); });
  byId("new").append(icon("new"), "New conversation");
  byId("new").addEventListener("click", () => go(newName()));
  menu.append(icon("menu"));
  menu.addEventListener("click", () => (isOpen() ? close() : open()));
  byId("shade").addEventListener("click", () => { close(); menu.focus(); });
  search.addEventListener("input", draw);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || side.hidden) return;
    const covers = !isWide.matches && isOpen();
    if (search.value && document.activeElement === search) { search.value = ""; draw(); }
    else if (covers) { close(); menu.focus(); }
    else return;
    event.stopPropagation();
  });
  isWide.addEventListener("change", () => {
    document.body.classList.remove("moves");
    document.body.classList.add("closed");
    apply();
  });
  document.body.classList.add("closed");
  apply();
}
