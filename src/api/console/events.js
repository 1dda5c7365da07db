// What happens, as it happens: messages, turns, outgoing parts, changes by admins and of health, the latest first.

import { get } from "/page/api.js";
import { el } from "/page/dom.js";
import { channelName, ms, sessionName } from "./format.js";
import * as list from "./list.js";
import * as place from "./place.js";
import { follow } from "./stream.js";

/** How often the audit is read, in milliseconds, and how many events are held. */
const [AUDIT, HELD] = [4000, 500];

const kinds = { message: "Messages", turn: "Turns", part: "Outgoing", audit: "Changes", health: "Health" };
const parts = { queued: "waits to be sent", streaming: "is being written", sending: "is being sent", sent: "was sent", unknown: "may have arrived", dead: "was not delivered", dropped: "was dropped", later: "is tried again later", gone: "was not delivered" };
const outcomes = { accepted: "accepted", refused: "refused", duplicate: "received again", dropped: "not for an agent", noted: "kept as context", dead: "could not be read", asked: "asks to be let in", answered: "answers a question" };

const toSession = (session) => (session ? place.to("session", session) : place.to("sessions"));

const of = (account) => channelName(...account.split("@"));

const audited = (row) => ({ id: `a ${row.id}`, at: row.at, kind: "audit", isBad: row.outcome.startsWith("refused"), link: place.to("audit"),
  text: `${row.by}: ${row.action} ${row.subject} (${row.outcome.replaceAll("_", " ")})` });

const account = (one, at) => ({ id: `h ${one.channel}@${one.account} ${one.state} ${one.error || ""} ${one.since}`, at, kind: "health", isBad: !one.ready, link: place.to("overview"),
  text: `${channelName(one.channel, one.account)} is ${one.state}` + (one.error && !one.ready ? `: ${one.error}` : "") });

/** The events of the stream, by their names. */
const live = {
  message: (e) => ({ kind: "message", isBad: e.outcome === "dead", link: toSession(e.session),
    text: `Message ${e.message || ""} on ${of(e.account)} ${outcomes[e.outcome] || e.outcome}` + (e.session ? ` in ${sessionName(e.session)}` : "") }),
  turn: (e) => ({ kind: "turn", link: toSession(e.session),
    text: e.state === "running" ? `Turn ${e.turn} began in ${sessionName(e.session)}` : `Turn ${e.turn} ended in ${sessionName(e.session)} after ${ms(e.seconds * 1000)}` }),
  part: (e) => ({ kind: "part", isBad: ["dead", "unknown", "gone"].includes(e.outcome), link: place.to("outbox"),
    text: `${e.part} on ${of(e.account)} ${parts[e.outcome] || "is sent in another form"}` + (e.cause ? `: ${e.cause}` : "") }),
};

/** What happened before the view was opened, as far as lists tell it. */
async function before() {
  const [{ sessions }, { parts: rows }] = await Promise.all([get("/api/sessions?order=recent&limit=30"), get("/api/outbox?limit=50")]);
  return [
    ...sessions.map((row) => ({ id: `m ${row.key} ${row.active}`, at: row.active, kind: "message", link: toSession(row.key), text: `Message in ${row.title || sessionName(row.key)}` })),
    ...rows.map((row) => ({ id: `p ${row.id}`, at: row.created, kind: "part", isBad: ["dead", "unknown"].includes(row.state), link: row.session ? toSession(row.session) : place.to("outbox", "", { state: row.state }),
      text: `${row.kind[0].toUpperCase()}${row.kind.slice(1)} ${row.id} to ${row.to} ${parts[row.state] || row.state}` + (row.error ? `: ${row.error}` : "") })),
  ];
}

const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

function rowOf({ id, at, kind, text, link, isBad }) {
  return el("li", { "data-id": id, class: isBad ? "bad" : false }, el("time", { datetime: at, title: new Date(at).toLocaleString() }, clock(at)),
    el("span", { class: "kind" }, kinds[kind]), el("a", { href: link }, text));
}

export async function open(view) {
  const known = new Map();
  const shown = new Set(Object.keys(kinds));
  let [isPaused, drawn, count] = [false, 0, 0];
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
    draw();
  });

  function draw() {
    if (isPaused && log.children.length) return;
    const all = [...known.values()].filter(({ kind }) => shown.has(kind)).sort((a, b) => b.at.localeCompare(a.at) || b.n - a.n).slice(0, HELD);
    const rows = new Map([...log.children].map((row) => [row.dataset.id, row]));
    const next = new Set(all.map(({ id }) => id));
    // Rows that are there stay, so that a screen reader reads only what is new.
    for (const [id, row] of rows) if (!next.has(id)) row.remove();
    all.forEach((event, n) => {
      const row = rows.get(event.id) || rowOf(event);
      if (log.children[n] !== row) log.insertBefore(row, log.children[n] || null);
    });
    body.replaceChildren(all.length ? region : list.note("Nothing has happened yet", "Messages, answers and changes appear here as they happen."));
  }

  function add(...events) {
    for (const event of events) if (!known.has(event.id)) known.set(event.id, { ...event, n: ++count });
    if (known.size > 4 * HELD) for (const { id } of [...known.values()].sort((a, b) => a.at.localeCompare(b.at)).slice(0, 2 * HELD)) known.delete(id);
    // Many events at once are drawn once.
    drawn ||= setTimeout(() => { drawn = 0; draw(); }, 150);
  }

  async function readAudit() {
    if (document.hidden) return;
    const { audit } = await get("/api/audit?limit=30");
    add(...audit.map(audited));
  }

  view.replaceChildren(el("div", { class: "section-head" }, el("div", { class: "chips", role: "group", "aria-label": "Kinds of events" }, ...toggles), pause), problem, body);
  add(...await before());
  await readAudit();
  place.whileOpen(setInterval(() => readAudit().catch(() => {}), AUDIT));
  place.onLeave(follow("/api/events", {
    take(name, json, id) {
      if (name === "account") add(account(json, json.since));
      else if (live[name]) add({ id: `e ${id} ${json.at}`, at: json.at, ...live[name](json) });
    },
    state: (isOpen) => problem.replaceChildren(...(isOpen ? [] : [el("p", { class: "problem", role: "alert" }, "The gateway cannot be reached. New events appear when it answers again.")])),
  }));
}
