// Events that could not be read, and one of them as it arrived.

import { call, get } from "/page/api.js";
import { el, icon } from "/page/dom.js";
import { button, buttons } from "./action.js";
import { sizeOf } from "/page/files.js";
import { ago } from "./format.js";
import * as list from "./list.js";
import * as place from "./place.js";

function drop(row, again) {
  const cell = el("div", { class: "controls" });
  cell.append(...buttons(button("Drop", {
    about: String(row.id), kind: "danger", place: () => cell, done: again, run: () => call("DELETE", `/api/dead-letters/${row.id}`).then(() => "Dropped"),
    ask: { title: "Drop this dead letter?", text: "Its content is deleted. This cannot be undone." },
  })));
  return cell;
}

export function open(view) {
  const again = { now: () => {} };
  const all = el("div", { class: "controls" }, ...buttons(button("Drop all", {
    kind: "danger", place: () => all, done: () => again.now(), run: () => call("DELETE", "/api/dead-letters").then(({ dropped }) => `${dropped} dropped`),
    ask: { title: "Drop all dead letters?", text: "Their content is deleted. This cannot be undone." },
  })));
  const limit = 50;
  again.now = list.show(view, {
    label: "Dead letters",
    head: [el("p", { class: "lead" }, "Events that a platform has sent and Frontdesk could not read. They are kept as they arrived, so that a fault can be found; an event cannot be taken in again. The newest 1,000 are kept.")],
    columns: [
      { title: "Event", cell: (row) => [el("a", { href: place.to("dead-letter", String(row.id)) }, row.kind), el("span", { class: "sub" }, `${row.source}, ${row.event}`)] },
      { title: "Why", kind: "text", cell: (row) => row.reason },
      { title: "Size", kind: "num", cell: (row) => sizeOf(row.size) },
      { title: "Received", kind: "when", cell: (row) => ago(row.received) },
      { title: "", kind: "acts", cell: (row) => drop(row, () => again.now()) },
    ],
    path: (_, cursor) => "/api/dead-letters" + list.query({ before: cursor, limit }),
    rows: (json) => { all.hidden = !json.dead_letters.length; return json.dead_letters; },
    next: (json) => (json.dead_letters.length < limit ? null : json.dead_letters.at(-1).id),
    empty: () => list.note("No dead letters", "Every event could be read."),
  });
  view.append(all);
}

export async function openOne(view, { about: id, title }) {
  const back = el("a", { class: "back", href: place.to("dead-letters") }, icon("back"), "Dead letters");
  const row = await get("/api/dead-letters/" + encodeURIComponent(id));
  if (!row) return view.replaceChildren(back, list.note("There is no such dead letter", "It was dropped, or a newer one took its place."));
  title(row.kind);
  const fact = (name, ...value) => [el("dt", {}, name), el("dd", {}, ...value)];
  view.replaceChildren(back, el("dl", { class: "facts" }, ...fact("Source", row.source), ...fact("Event", el("code", {}, row.event)), ...fact("Why", row.reason),
    ...fact("Received", ago(row.received)), ...fact("Size", sizeOf(row.size), row.cut ? ", of which the beginning is kept" : ""),
    ...(row.session ? fact("Session", el("a", { href: place.to("session", row.session) }, el("code", {}, row.session))) : [])),
  el("pre", { class: "source", tabindex: "0", "aria-label": "Content" }, row.body), drop(row, () => { location.hash = place.to("dead-letters"); }));
}
