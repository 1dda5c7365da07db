// Outgoing messages: what waits, what was sent, and what did not arrive, with retry and drop.

import { call } from "/page/api.js";
import { el } from "/page/dom.js";
import { button, buttons } from "./action.js";
import { ago } from "./format.js";
import * as list from "./list.js";
import * as place from "./place.js";

const kinds = { queued: "busy", streaming: "busy", sending: "busy", sent: "good", unknown: "bad", dead: "bad", dropped: "" };
const words = { dead: "not delivered", unknown: "may have arrived" };

function actions(row, again) {
  const cell = el("div", { class: "controls" });
  const post = (what, said) => () => call("POST", `/api/outbox/${row.id}/${what}`, {}).then(() => `${row.id} ${said}`);
  const canRetry = ["dead", "unknown"].includes(row.state);
  const canDrop = canRetry || row.state === "queued";
  cell.append(...buttons(
    canRetry && button("Retry", {
      about: row.id, place: () => cell, done: again, run: post("retry", "is sent again"),
      ...(row.state === "unknown" ? { ask: { title: `Send ${row.id} again?`, text: "It may have arrived already; then it appears twice." } } : {}),
    }),
    canDrop && button("Drop", {
      about: row.id, kind: "danger", place: () => cell, done: again, run: post("drop", "is dropped"),
      ask: { title: `Drop ${row.id}?`, text: `It is never sent to ${row.to}. This cannot be undone.` },
    })));
  return cell;
}

function text(row) {
  return [row.text ? el("span", { class: "text-of" }, row.text) : el("span", { class: "sub" }, row.act),
    row.error ? el("span", { class: "reason" }, row.error) : ""];
}

export function open(view) {
  const again = { now: () => {} };
  again.now = list.show(view, {
    label: "Outbox",
    filters: [{ name: "state", label: "State", options: [["", "All"], ["queued", "Waits"], ["dead", "Not delivered"], ["unknown", "May have arrived"], ["sent", "Sent"], ["dropped", "Dropped"]] }],
    columns: [
      { title: "To", cell: (row) => [row.session ? el("a", { href: place.to("session", row.session) }, row.to) : row.to, el("span", { class: "sub" }, `${row.id}, ${row.kind}`)] },
      { title: "Message", kind: "text", cell: text },
      { title: "State", cell: (row) => [el("span", { class: `state ${kinds[row.state] ?? ""}` }, words[row.state] || row.state),
        row.held_until ? el("span", { class: "sub" }, "quiet until ", ago(row.held_until)) : ""] },
      { title: "Tries", kind: "num", cell: (row) => String(row.attempts) },
      { title: "Written", kind: "when", cell: (row) => ago(row.created) },
      { title: "", kind: "acts", cell: (row) => actions(row, () => again.now()) },
    ],
    path: (values, cursor) => "/api/outbox" + list.query({ ...values, before: cursor, limit: 50 }),
    rows: (json) => json.parts,
    every: 10_000,
    empty: ({ state }) => ({
      dead: list.note("Everything was delivered", "Messages that a platform refuses for good appear here, with its reason."),
      queued: list.note("Nothing waits to be sent", "Messages appear here while their platform cannot be reached, or in quiet hours."),
    })[state] || (state ? list.note("No message is in this state") : list.note("Nothing was sent yet", "Answers, notices and results appear here before they are sent.")),
  });
}
