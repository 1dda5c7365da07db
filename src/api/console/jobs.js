// Scheduled jobs, and one of them with its runs and next times.

import { call, get } from "/page/api.js";
import { el, icon } from "/page/dom.js";
import { button, buttons } from "./action.js";
import { ago } from "./format.js";
import * as list from "./list.js";
import * as place from "./place.js";

const kinds = { active: "good", paused: "", disabled: "bad", done: "" };
const runKinds = { due: "busy", running: "busy", succeeded: "good", failed: "bad", skipped: "", missed: "" };

const state = (all, name) => el("span", { class: `state ${all[name] ?? ""}` }, name);

const path = (id, rest = "") => `/api/cron/jobs/${encodeURIComponent(id)}${rest}`;

const schedule = ({ kind, expr, timezone }) => (kind === "every" ? `every ${expr}` : kind === "at" ? `at ${expr}` : `${expr} (${timezone})`);

function actions(row, again, removed = again) {
  const cell = el("div", { class: "controls" });
  const post = (what, said) => () => call("POST", path(row.id, what), {}).then(() => `${row.id} ${said}`);
  cell.append(...buttons(
    button("Run now", { about: row.id, place: () => cell, done: again, run: post("/run", "runs now") }),
    row.state === "active" && button("Pause", { about: row.id, place: () => cell, done: again, run: post("/pause", "is paused") }),
    ["paused", "disabled"].includes(row.state) && button("Resume", { about: row.id, place: () => cell, done: again, run: post("/resume", "goes on") }),
    row.source !== "config" && button("Remove", {
      about: row.id, kind: "danger", place: () => cell, done: removed, run: () => call("DELETE", path(row.id)).then(() => `${row.id} is removed`),
      ask: { title: `Remove the job ${row.id}?`, text: "It never runs again, and the list of its runs is gone. This cannot be undone." },
    })));
  return cell;
}

export function open(view) {
  const again = { now: () => {} };
  again.now = list.show(view, {
    label: "Jobs",
    filters: [{ name: "state", label: "State", options: [["", "All"], ["active", "Active"], ["paused", "Paused"], ["disabled", "Disabled"], ["done", "Done"]] }],
    columns: [
      { title: "Job", cell: (row) => [el("a", { href: place.to("job", row.id) }, row.id), el("span", { class: "sub" }, row.title)] },
      { title: "When", cell: (row) => schedule(row.schedule) },
      { title: "State", cell: (row) => [state(kinds, row.state), row.reason ? el("span", { class: "sub" }, row.reason) : ""] },
      { title: "Last run", cell: (row) => (row.last ? [state(runKinds, row.last.state), el("span", { class: "sub" }, ago(row.last.at))] : "none yet") },
      { title: "Next run", kind: "when", cell: (row) => (row.next ? ago(row.next) : null) },
      { title: "", kind: "acts", cell: (row) => actions(row, () => again.now()) },
    ],
    path: (values, cursor) => "/api/cron/jobs" + list.query({ ...values, cursor, limit: 50 }),
    rows: (json) => json.jobs,
    every: 5000,
    empty: ({ state: chosen }) => (chosen ? list.note("No job is in this state")
      : list.note("No scheduled jobs yet", "Ask an agent to do something every morning, or make one on the command line:", el("p", {}, el("code", {}, "frontdesk cron add news --cron \"0 8 * * *\" --task \"Tell me the news\"")))),
  });
}

export async function openOne(view, { about: id, title }) {
  const back = el("a", { class: "back", href: place.to("jobs") }, icon("back"), "Jobs");
  const job = await get(path(id));
  if (!job) return view.replaceChildren(back, list.note("There is no such job"));
  title(job.id);
  const fact = (name, ...value) => [el("dt", {}, name), el("dd", {}, ...value)];
  const again = () => openOne(view, { about: id, title });
  const to = { announce: "told in", direct: "answered in the chat", silent: "not told", webhook: "posted to" }[job.delivery.mode] || job.delivery.mode;
  const runs = el("div");
  view.replaceChildren(back, el("dl", { class: "facts" },
    ...fact("State", state(kinds, job.state), job.reason ? `, ${job.reason}` : ""), ...fact("When", schedule(job.schedule)),
    ...fact("Next runs", job.upcoming.length ? job.upcoming.map((at) => new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })).join("; ") : "none"),
    ...fact("Agent", job.agent), ...fact("Result is", `${to} ${job.delivery.to || job.delivery.url || ""}`), ...fact("Owner", job.owner_name ? `${job.owner_name} (${job.owner})` : job.owner),
    ...fact("Made by", { config: "the configuration file", cli: "the command line", api: "the API", chat: "a chat", agent: "an agent" }[job.source] || job.source),
    ...fact("Session", el("a", { href: place.to("session", job.session) }, el("code", {}, job.session)))),
  el("section", {}, el("h2", {}, "What it does"), el("p", { class: "body-text" }, job.task)),
  actions(job, again, () => { location.hash = place.to("jobs"); }),
  el("section", {}, el("h2", {}, "Runs"), runs));
  list.show(runs, {
    label: "Runs",
    columns: [
      { title: "Scheduled", cell: (row) => [new Date(row.scheduled).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }), el("span", { class: "sub" }, row.manual ? `${row.id}, run by hand` : row.id)] },
      { title: "State", cell: (row) => state(runKinds, row.state) },
      { title: "Result", kind: "text", cell: (row) => (row.text ? el("span", { class: "text-of" }, row.text) : row.error?.message || (row.missed ? `${row.missed.count}${row.missed.or_more ? " or more" : ""} missed` : null)) },
      { title: "Ended", kind: "when", cell: (row) => (row.finished ? ago(row.finished) : null) },
    ],
    path: (_, cursor) => path(id, "/runs") + list.query({ cursor, limit: 20 }),
    rows: (json) => json.runs,
    every: 5000,
    empty: () => list.note("It has not run yet", "“Run now” runs it at once."),
  });
}

