// Questions of agents that wait for a person, and their answers.

import { call } from "/page/api.js";
import { el } from "/page/dom.js";
import { GrowingText } from "/page/markdown.js";
import { button, may, problem } from "./action.js";
import { ago, sessionName } from "./format.js";
import * as list from "./list.js";
import * as place from "./place.js";

const kinds = { open: "busy", answered: "good", expired: "bad", cancelled: "" };
const words = { cancelled: "withdrawn" };

function text(row) {
  const node = el("div", { class: "prose" });
  new GrowingText(node).show(row.text);
  return node;
}

/** The choices as buttons, or a field for an answer in words. */
function answers(row, again) {
  const cell = el("div", { class: "controls" });
  if (row.state !== "open" || !row.may_answer || !may.change) return cell;
  const give = (answer) => call("POST", "/api/asks/" + row.id, answer).then(() => "Answered");
  cell.append(...row.choices.map((choice) => button(choice.label, {
    about: `to ${row.id}`, kind: choice.style === "danger" ? "danger" : choice.style === "primary" ? "primary" : "", place: () => cell, done: again,
    run: () => give({ choice: choice.id }),
  })));
  if (!row.choices.length) {
    const id = "answer-" + row.id;
    const field = el("input", { id, type: "text", autocomplete: "off" });
    const form = el("form", { class: "line-form" }, el("label", { for: id, class: "unseen" }, `Answer to ${row.id}`), field, el("button", { type: "submit", class: "primary" }, "Answer"));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      problem(cell, null);
      try { await give({ text: field.value }); again(); } catch (error) { problem(cell, error); }
    });
    cell.append(form);
  }
  return cell;
}

function answerOf(row) {
  const given = row.choices.find((choice) => choice.id === row.choice)?.label || row.choice || row.answer;
  return given ? [given, row.by ? el("span", { class: "sub" }, row.by_name ? `${row.by_name} (${row.by})` : row.by) : ""] : null;
}

export function open(view) {
  const again = { now: () => {} };
  again.now = list.show(view, {
    label: "Questions",
    filters: [{ name: "state", label: "State", options: [["", "Open"], ["answered", "Answered"], ["expired", "Expired"], ["cancelled", "Withdrawn"], ["all", "All"]] }],
    columns: [
      { title: "Question", cell: (row) => [text(row), el("span", { class: "sub" }, `${row.id}, `, el("a", { href: place.to("session", row.session) }, sessionName(row.session)))] },
      { title: "State", cell: (row) => el("span", { class: `state ${kinds[row.state] ?? ""}` }, words[row.state] || row.state) },
      { title: "Answer", cell: answerOf },
      { title: "For", kind: "minor", cell: (row) => (row.audience === "admins" ? "admins" : row.audience.join(", ")) },
      { title: "Asked", kind: "when", cell: (row) => ago(row.created) },
      { title: "Until", kind: "when", cell: (row) => (row.state === "open" ? ago(row.deadline) : null) },
      { title: "", kind: "acts", cell: (row) => answers(row, () => again.now()) },
    ],
    path: (values, cursor) => "/api/asks" + list.query({ ...values, before: cursor, limit: 50 }),
    rows: (json) => json.asks,
    every: 5000,
    empty: ({ state }) => (state ? list.note("No question is in this state")
      : list.note("No agent asks anything", "When an agent asks for a permission or a choice, its turn waits and the question appears here.")),
  });
}
