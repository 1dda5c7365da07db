// Background tasks, and one of them with its text and result.

import { call, get } from "/page/api.js";
import { el, icon } from "/page/dom.js";
import { button, buttons } from "./action.js";
import { ago } from "./format.js";
import * as list from "./list.js";
import * as place from "./place.js";

const kinds = { queued: "busy", running: "busy", waiting: "busy", succeeded: "good", failed: "bad", cancelled: "", timed_out: "bad", lost: "bad" };
const words = { timed_out: "took too long", waiting: "waits for an answer", lost: "was cut off" };

export const stateOf = (state) => el("span", { class: `state ${kinds[state] ?? ""}` }, words[state] || state);

const isOpen = (row) => ["queued", "running", "waiting"].includes(row.state);

function actions(row, again) {
  const cell = el("div", { class: "controls" });
  cell.append(...buttons(isOpen(row)
    ? button("Cancel", {
      about: row.id, place: () => cell, done: again, run: () => call("POST", `/api/tasks/${row.id}/cancel`, {}).then(() => `Task ${row.id} is cancelled`),
      ask: { title: `Cancel task ${row.id}?`, text: row.title },
    })
    : row.state !== "succeeded" && button("Run again", { about: row.id, place: () => cell, done: again, run: () => call("POST", `/api/tasks/${row.id}/retry`, {}).then((task) => `Task ${task.id} was handed over`) })));
  return cell;
}

export function open(view) {
  const again = { now: () => {} };
  again.now = list.show(view, {
    label: "Tasks",
    filters: [{ name: "state", label: "State", options: [["", "All"], ["open", "Open"], ["queued", "Queued"], ["running", "Running"], ["succeeded", "Succeeded"], ["failed", "Failed"], ["cancelled", "Cancelled"], ["timed_out", "Took too long"], ["lost", "Was cut off"]] }],
    columns: [
      { title: "Task", cell: (row) => [el("a", { href: place.to("task", row.id) }, row.title || row.id), el("span", { class: "sub" }, `${row.id}, handed over by ${row.owner_name || row.owner}`)] },
      { title: "State", cell: (row) => stateOf(row.state) },
      { title: "Progress", cell: (row) => (isOpen(row) ? [row.progress.percent === null ? "" : `${row.progress.percent} %`, row.progress.text ? el("span", { class: "sub" }, row.progress.text) : ""] : row.error?.message) },
      { title: "Agent", kind: "minor", cell: (row) => row.agent },
      { title: "Handed over", kind: "when", cell: (row) => ago(row.created) },
      { title: "", kind: "acts", cell: (row) => actions(row, () => again.now()) },
    ],
    path: (values, cursor) => "/api/tasks" + list.query({ ...values, cursor, limit: 50 }),
    rows: (json) => json.tasks,
    every: 10_000,
    empty: ({ state }) => (state ? list.note("No task is in this state")
      : list.note("No background tasks yet", "Send /background and a text in a chat, and the agent works on it while the chat goes on.")),
  });
}

export async function openOne(view, { about: id, title }) {
  const task = await get("/api/tasks/" + encodeURIComponent(id));
  const back = el("a", { class: "back", href: place.to("tasks") }, icon("back"), "Tasks");
  if (!task) return view.replaceChildren(back, list.note("There is no such task"));
  title(`Task ${task.id}`);
  const fact = (name, ...value) => [el("dt", {}, name), el("dd", {}, ...value)];
  view.replaceChildren(back, el("h2", {}, task.title), el("dl", { class: "facts" },
    ...fact("State", stateOf(task.state)), ...(task.error ? fact("Why", task.error.message) : []), ...fact("Agent", task.agent),
    ...fact("Handed over by", task.owner_name ? `${task.owner_name} (${task.owner})` : task.owner, " ", ago(task.created)),
    ...(task.started ? fact("Began", ago(task.started)) : []), ...(task.finished ? fact("Ended", ago(task.finished)) : []),
    ...fact("Session", el("a", { href: place.to("session", task.session) }, el("code", {}, task.session))),
    ...(task.to ? fact("Result goes to", el("code", {}, task.to)) : [])),
  el("section", {}, el("h2", {}, "Task"), el("p", { class: "body-text" }, task.text)),
  ...(task.result?.text ? [el("section", {}, el("h2", {}, "Result"), el("p", { class: "body-text" }, task.result.text))] : []),
  actions(task, () => openOne(view, { about: id, title })));
}
