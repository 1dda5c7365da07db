// The operator's console: finds the view that the address names, and keeps the navigation. It connects only to the gateway
// that served it. Text of people and agents is inserted as text nodes, never as markup.

import { get, leave } from "/page/api.js";
import { byId, el, icon } from "/page/dom.js";
import * as login from "/page/login.js";
import { forget, token } from "/page/storage.js";
import { may } from "./action.js";
import * as audit from "./audit.js";
import * as budgets from "./budgets.js";
import * as configuration from "./configuration.js";
import * as deadletters from "./deadletters.js";
import * as events from "./events.js";
import * as groupsView from "./groups.js";
import * as jobs from "./jobs.js";
import { failed, note } from "./list.js";
import * as outbox from "./outbox.js";
import * as overview from "./overview.js";
import * as pairing from "./pairing.js";
import * as people from "./people.js";
import * as place from "./place.js";
import * as questions from "./questions.js";
import * as sessions from "./sessions.js";
import * as tasks from "./tasks.js";
import * as tokens from "./tokens.js";
import * as transcript from "./transcript.js";

/** The views: where they stand in the navigation, their names, and what opens them. */
const groups = [
  ["", { overview: ["Overview", overview.open] }],
  ["Who may write", { pairing: ["Pairing", pairing.open], people: ["People", people.open], groups: ["Groups", groupsView.open] }],
  ["Work", {
    sessions: ["Sessions", sessions.open], session: ["", transcript.open, "sessions"], questions: ["Questions", questions.open], tasks: ["Tasks", tasks.open], task: ["", tasks.openOne, "tasks"],
    jobs: ["Jobs", jobs.open], job: ["", jobs.openOne, "jobs"],
  }],
  ["Delivery", { outbox: ["Outbox", outbox.open], "dead-letters": ["Dead letters", deadletters.open], "dead-letter": ["", deadletters.openOne, "dead-letters"] }],
  ["Gateway", {
    budgets: ["Budgets", budgets.open], tokens: ["Tokens", tokens.open], audit: ["Audit", audit.open], events: ["Events", events.open], configuration: ["Configuration", configuration.open],
  }],
];
const views = Object.assign({}, ...groups.map(([, all]) => all));

const view = byId("view");
const side = byId("side");
const menu = byId("menu");
const isWide = matchMedia("(min-width: 60rem)");

/** The links of the navigation, by the names of their views. */
const links = new Map();

byId("nav").append(...groups.flatMap(([title, all]) => {
  const entries = Object.entries(all).filter(([, [name]]) => name).map(([key, [name]]) => {
    const link = el("a", { href: place.to(key) }, el("span", { class: "name" }, name));
    links.set(key, link);
    return el("li", {}, link);
  });
  const list = el("ul", { "aria-label": title || "Console" }, ...entries);
  return title ? [el("p", { class: "group", "aria-hidden": "true" }, title), list] : [list];
}));

/** Shows a number beside a link of the navigation, if there is something to do. */
function badge(name, n, words) {
  const link = links.get(name);
  if (!link) return;
  link.querySelector(".badge")?.remove();
  if (n) link.append(el("span", { class: "badge" }, n > 999 ? "999+" : String(n), el("span", { class: "unseen" }, " " + words)));
}

/** Reads the status for the navigation; returns it, or null if the token may not read it. */
async function refresh() {
  const status = await get("/api/status");
  may.change = status.caller.scope === "admin";
  document.body.classList.toggle("reads-only", !may.change);
  const { pairing = 0 } = status;
  badge("pairing", pairing, "wait");
  badge("questions", status.totals.asks, "open");
  badge("outbox", status.totals.dead_parts, "not delivered");
  badge("dead-letters", status.totals.dead_letters, "kept");
  byId("state").textContent = may.change ? "" : "Read only";
  return status;
}

function showView(name) {
  for (const id of ["login", "view", "transcript"]) byId(id).hidden = id !== name;
  const isIn = name !== "login";
  for (const id of ["leave", "menu", "side", "chat-link"]) byId(id).hidden = !isIn;
}

// -- navigation on narrow windows ------------------------------------------------------------------------

function setMenu(isOpen) {
  const shows = isWide.matches || isOpen;
  document.body.classList.toggle("closed", !shows);
  byId("shade").hidden = isWide.matches || !isOpen;
  byId("page").inert = !isWide.matches && isOpen;
  side.inert = !shows;
  menu.setAttribute("aria-expanded", String(shows));
}

menu.append(icon("menu"));
menu.addEventListener("click", () => { setMenu(true); document.body.classList.add("moves"); links.get(place.read().name)?.focus(); });
byId("shade").addEventListener("click", () => setMenu(false));
isWide.addEventListener("change", () => setMenu(false));
side.addEventListener("keydown", (event) => { if (event.key === "Escape" && !isWide.matches) { setMenu(false); menu.focus(); } });

// -- start -----------------------------------------------------------------------------------------------

function logout(why) {
  place.leave();
  forget();
  view.replaceChildren();
  byId("title").textContent = "Console";
  byId("state").textContent = "";
  setMenu(false);
  showView("login");
  login.explain(why);
}

/** Why the console cannot be shown. */
function refused(error) {
  if (error.status === 401) return logout("unknown");
  showView("view");
  if (error.status === 403) {
    byId("side").hidden = byId("menu").hidden = true;
    view.replaceChildren(note("This token is for chats", "The console needs a token with the scope admin or read. Log out and use another one, or open the chat.",
      el("p", {}, el("a", { href: "/" }, "Open the chat"))));
    return;
  }
  view.replaceChildren(failed(error, open));
}

let opened = 0;

async function open() {
  const mine = ++opened;
  place.leave();
  const { name, about } = place.read();
  const [title, run, parent] = views[name] || views.overview;
  showView("view");
  setMenu(false);
  for (const [key, link] of links) link.toggleAttribute("aria-current", key === (parent || name));
  for (const [key, link] of links) if (key === (parent || name)) link.setAttribute("aria-current", "page");
  byId("title").textContent = title || about;
  document.title = `${title || about} · Frontdesk`;
  try {
    const status = await refresh();
    if (mine !== opened) return;
    await run(view, { about, status, title(text) { byId("title").textContent = text; document.title = `${text} · Frontdesk`; }, showView });
  } catch (error) {
    if (mine === opened) refused(error);
  }
}

/** A login link, in this tab or at the start: what it carries is taken out of the address at once. */
async function start() {
  const given = new URLSearchParams(location.hash.slice(1));
  const key = { token: given.get("token"), ticket: given.get("ticket") };
  let why;
  if (key.token !== null || key.ticket !== null) {
    history.replaceState(null, "", location.pathname);
    why = await login.take(key);
  }
  // A link that was used here before leads to where it has led.
  if (!token.get() || why === "malformed") return logout(why);
  open();
}

byId("leave").append(icon("leave"));
byId("leave").addEventListener("click", () => { leave(); logout(); });
byId("chat-link").append(icon("chat"));
login.setUp(open);
addEventListener("hashchange", async () => { await start(); if (!byId("view").hidden) byId("title").focus({ preventScroll: true }); });
setInterval(() => { if (!document.hidden && token.get() && byId("login").hidden) refresh().catch(() => {}); }, 15_000);
start();
