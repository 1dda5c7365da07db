// The list of conversations: open, begin, search, name and archive them. The chat's name stands in the address.

import { call, get, sessionPath } from "./api.js";
import { byId, clock, el, icon, iconButton, speak } from "./dom.js";
import * as place from "./place.js";

const side = byId("side");
const list = byId("chats");
const search = byId("search");
const menu = byId("menu");

/** Wide windows show the list beside the chat, narrow ones above it. */
const isWide = matchMedia("(min-width: 60rem)");

/** The conversations that the gateway knows, the latest first. */
let known = [];
/** The chat that is open. */
let current = place.MAIN;
let showsArchived = false;
let onTitle = () => {};

/** The most conversations that are listed. */
const MOST = 1000;

/** The name of a chat that this page has begun: nobody has chosen it. */
const isNameless = (name) => /^c-[0-9a-f]{12}$/.test(name);

function newName() {
  return "c-" + Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What a conversation is called. */
function titleOf(name, row = known.find((one) => one.id === name)) {
  if (row?.title) return row.title;
  if (name === place.MAIN) return "Main chat";
  if (!isNameless(name)) return name;
  const opening = row?.opening?.replace(/\s+/g, " ").trim();
  return opening ? opening.slice(0, 80) : "New conversation";
}

const openedAt = (row) => row.last_user_at || row.created;

/** Reads the list again. */
export async function refresh(agent) {
  const rows = [];
  for (let after = ""; rows.length < MOST;) {
    const page = await get("/api/sessions?channel=web&limit=200&openings=true" + (after && "&after=" + encodeURIComponent(after)));
    rows.push(...page.sessions);
    if (page.sessions.length < 200) break;
    after = page.sessions.at(-1).key;
  }
  known = rows.filter((row) => row.scope === "dm" && row.account === "default" && (!agent || row.agent === agent))
    .sort((a, b) => openedAt(b).localeCompare(openedAt(a)));
  draw();
}

/** Marks the chat that is open. */
export function setCurrent(name) {
  current = name;
  draw();
}

export function clear() {
  known = [];
  search.value = "";
  list.replaceChildren();
}

// -- the list --------------------------------------------------------------------------------------------

function draw() {
  onTitle(titleOf(current), current === place.MAIN && !known.find((row) => row.id === current)?.title);
  if (list.querySelector("input")) return;
  const words = search.value.trim().toLowerCase();
  const rows = [...known];
  for (const name of [current, place.MAIN]) if (!rows.some((row) => row.id === name)) rows.unshift({ id: name });
  // The main chat stays at the top.
  rows.sort((a, b) => (b.id === place.MAIN) - (a.id === place.MAIN));
  const fits = (row) => !words || `${titleOf(row.id, row)} ${row.opening || ""}`.toLowerCase().includes(words);
  const here = rows.filter((row) => fits(row) && (words || !row.archived));
  const away = rows.filter((row) => fits(row) && row.archived && !words);
  list.replaceChildren(...here.map(line));
  if (!here.length) list.append(el("li", { class: "none" }, "Nothing found"));
  if (away.length) list.append(archiveLine(away.length), ...(showsArchived ? away.map(line) : []));
}

function archiveLine(count) {
  const button = el("button", { type: "button", class: "fold", "aria-expanded": String(showsArchived) }, `Archived (${count})`);
  button.addEventListener("click", () => { showsArchived = !showsArchived; draw(); list.querySelector(".fold")?.focus(); });
  return el("li", {}, button);
}

function line(row) {
  const title = titleOf(row.id, row);
  const link = el("a", { href: place.fragment(row.id) || "#", dir: "auto", "aria-current": row.id === current ? "page" : null, title: row.key ? `${title}\n${clock(new Date(openedAt(row)))}` : title }, title);
  link.addEventListener("click", (event) => { event.preventDefault(); go(row.id); });
  const item = el("li", {}, link);
  if (row.running || row.waiting) item.append(el("span", { class: "busy", role: "img", "aria-label": "is answering" }));
  if (!row.key) return item;
  const rename = iconButton("rename", "Rename " + title, { class: "quiet" });
  rename.addEventListener("click", () => edit(item, row));
  item.append(rename);
  if (row.id !== place.MAIN) {
    const archive = iconButton(row.archived ? "restore" : "archive", (row.archived ? "Restore " : "Archive ") + title, { class: "quiet" });
    archive.addEventListener("click", () => change(row, { archived: !row.archived }, row.archived ? "Restored" : "Archived"));
    item.append(archive);
  }
  return item;
}

function edit(item, row) {
  const field = el("input", { "aria-label": "Name of the conversation", maxlength: "80", dir: "auto" });
  field.value = titleOf(row.id, row);
  let isOver = false;
  const end = (save) => {
    if (isOver) return;
    isOver = true;
    const title = field.value.trim();
    field.remove();
    if (save && title !== titleOf(row.id, row)) change(row, { title: title || null }, "Renamed"); else draw();
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
  location.hash = place.fragment(name) || "#chat=main";
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
