// What happens, as it happens: messages, outgoing parts, changes by admins and changes of health, the latest first.

import { get } from "/page/api.js";
import { el } from "/page/dom.js";
import { sentence } from "./action.js";
import { channelName, sessionName } from "./format.js";
import * as list from "./list.js";
import * as place from "./place.js";

/** How often the gateway is asked, in milliseconds, and how many events are held. */
const [EVERY, HELD] = [2500, 500];

const kinds = { message: "Messages", part: "Outgoing", audit: "Changes", health: "Health" };
const parts = { queued: "waits to be sent", streaming: "is being written", sending: "is being sent", sent: "was sent", unknown: "may have arrived", dead: "was not delivered", dropped: "was dropped" };

/** What each source has: events with an id that changes when there is something new to say. */
const sources = {
  async message() {
    const { sessions } = await get("/api/sessions?order=recent&limit=30");
    return sessions.map((row) => ({ id: `m ${row.key} ${row.active}`, at: row.active, kind: "message", text: `Message in ${row.title || sessionName(row.key)}`, link: place.to("session", row.key) }));
  },
  async part() {
    const { parts: rows } = await get("/api/outbox?limit=50");
    return rows.map((row) => ({
      id: `p ${row.id} ${row.state} ${row.attempts}`, at: row.state === "sent" || row.attempts < 2 ? row.created : row.next_at, kind: "part", isBad: row.state === "dead" || row.state === "unknown",
      text: `${row.kind[0].toUpperCase()}${row.kind.slice(1)} ${row.id} to ${row.to} ${parts[row.state] || row.state}` + (row.error ? `: ${row.error}` : ""),
      link: row.session ? place.to("session", row.session) : place.to("outbox", "", { state: row.state }),
    }));
  },
  async audit() {
    const { audit } = await get("/api/audit?limit=30");
    return audit.map((row) => ({ id: `a ${row.id}`, at: row.at, kind: "audit", isBad: row.outcome.startsWith("refused"), text: `${row.by}: ${row.action} ${row.subject} (${row.outcome.replaceAll("_", " ")})`, link: place.to("audit") }));
  },
  async health() {
    const { accounts } = await get("/api/status");
    return accounts.map((one) => ({ id: `h ${one.channel}@${one.account} ${one.state} ${one.since}`, at: one.since, kind: "health", isBad: !one.ready,
      text: `${channelName(one.channel, one.account)} is ${one.state}` + (one.error && !one.ready ? `: ${one.error}` : ""), link: place.to("overview") }));
  },
};

const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export async function open(view) {
  const known = new Map();
  const shown = new Set(Object.keys(kinds));
  let isPaused = false;
  const log = el("ol", { class: "events" });
  const region = el("div", { role: "log", "aria-label": "Events" }, log);
  const body = el("div", { class: "rows" }, region);
  const problem = el("div");

  const toggles = Object.entries(kinds).map(([kind, name]) => {
    const node = el("button", { type: "button", "aria-pressed": "true" }, name);
    node.addEventListener("click", () => {
      const on = !shown.delete(kind);
      if (on) shown.add(kind);
      node.setAttribute("aria-pressed", String(on));
      draw();
    });
    return node;
  });
  const pause = el("button", { type: "button", "aria-pressed": "false" }, "Pause");
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Go on" : "Pause";
    if (!isPaused) read();
  });

  function draw() {
    const all = [...known.values()].filter(({ kind }) => shown.has(kind)).sort((a, b) => b.at.localeCompare(a.at)).slice(0, HELD);
    const rows = new Map([...log.children].map((row) => [row.dataset.id, row]));
    // Rows that are there stay, so that a screen reader reads only what is new.
    const next = all.map((event) => rows.get(event.id) || rowOf(event));
    if (next.some((row, n) => log.children[n] !== row) || next.length !== log.children.length) log.replaceChildren(...next);
    body.replaceChildren(all.length ? region : list.note("Nothing has happened yet", "Messages, answers and changes appear here as they happen."));
  }

  function rowOf({ id, at, kind, text, link, isBad }) {
    return el("li", { "data-id": id, class: isBad ? "bad" : false }, el("time", { datetime: at, title: new Date(at).toLocaleString() }, clock(at)),
      el("span", { class: "kind" }, kinds[kind]), el("a", { href: link }, text));
  }

  async function read() {
    if (isPaused || document.hidden) return;
    try {
      const found = await Promise.all(Object.values(sources).map((source) => source()));
      for (const event of found.flat()) if (!known.has(event.id)) known.set(event.id, event);
      const old = [...known.values()].sort((a, b) => b.at.localeCompare(a.at)).slice(2 * HELD);
      for (const { id } of old) known.delete(id);
      problem.replaceChildren();
      draw();
    } catch (error) {
      problem.replaceChildren(el("p", { class: "problem", role: "alert" }, `${sentence(error)} New events appear when it answers again.`));
    }
  }

  view.replaceChildren(el("div", { class: "section-head" }, el("div", { class: "chips", role: "group", "aria-label": "Kinds of events" }, ...toggles), pause), problem, body);
  await read();
  place.whileOpen(setInterval(read, EVERY));
}
