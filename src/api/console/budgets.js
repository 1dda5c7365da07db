// Budgets: what was used today, its limits, and other limits for one person, chat or agent.

import { call } from "/page/api.js";
import { byId, el, speak } from "/page/dom.js";
import { button, buttons, may, problem } from "./action.js";
import { ago, money, number } from "./format.js";
import * as list from "./list.js";
import * as place from "./place.js";

const scopes = { agent: "Agents", person: "People", chat: "Chats" };

/** What was used of a limit: red once it is reached. */
function used(value, limit, write) {
  if (limit === null) return [write(value), el("span", { class: "sub" }, "no limit")];
  const share = limit ? value / limit : 1;
  return [el("span", { class: share >= 1 ? "state bad" : share >= 0.8 ? "state busy" : "" }, write(value)), el("span", { class: "sub" }, `of ${write(limit)}`)];
}

function actions(row, again) {
  const cell = el("div", { class: "controls" });
  const fill = el("button", { type: "button", "aria-label": `Change ${row.subject}` }, "Change");
  fill.addEventListener("click", () => edit(row));
  cell.append(...buttons(fill, row.set && button("As configured", {
    about: row.subject, place: () => cell, done: again, run: () => call("POST", "/api/budgets", { scope: row.scope, subject: row.subject }).then(() => `${row.subject} is as configured again`),
    ask: { title: "Use the configured limits again?", text: `${row.subject} has what the configuration says from now on.` },
  })));
  return cell;
}

function edit(row) {
  const { limits } = row;
  byId("budget-form").closest("details").open = true;
  byId("budget-scope").value = row.scope;
  byId("budget-subject").value = row.subject;
  byId("budget-turns").value = limits.turns ?? "";
  byId("budget-tokens").value = limits.tokens ?? "";
  byId("budget-cost").value = limits.cost_micro === null ? "" : limits.cost_micro / 1e6;
  byId("budget-turns").focus();
}

function form(again) {
  const field = (id, label, attributes) => el("div", {}, el("label", { for: id }, label), el("input", { id, autocomplete: "off", spellcheck: "false", ...attributes }));
  const amount = { type: "number", min: "0", step: "1", placeholder: "as configured" };
  const node = el("form", { class: "form", id: "budget-form" },
    el("div", {}, el("label", { for: "budget-scope" }, "Whose"), el("select", { id: "budget-scope" }, el("option", { value: "person" }, "Person"), el("option", { value: "chat" }, "Chat"), el("option", { value: "agent" }, "Agent"))),
    field("budget-subject", "Name", { type: "text", placeholder: "telegram:123" }),
    field("budget-turns", "Turns a day", amount), field("budget-tokens", "Tokens a day", amount), field("budget-cost", "Cost a day", { ...amount, step: "any" }),
    el("div", {}, el("label", { for: "budget-span" }, "Until"), el("select", { id: "budget-span" }, el("option", { value: "" }, "it is changed"), el("option", { value: "3600" }, "in an hour"), el("option", { value: "86400" }, "tomorrow"), el("option", { value: "604800" }, "in a week"))),
    el("button", { type: "submit", class: "primary" }, "Set"));
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem(node, null);
    const given = (id, factor = 1) => (byId(id).value === "" ? {} : { [id.slice(7) === "cost" ? "cost_micro" : id.slice(7)]: Math.round(Number(byId(id).value) * factor) });
    const limits = { ...given("budget-turns"), ...given("budget-tokens"), ...given("budget-cost", 1e6) };
    const subject = byId("budget-subject").value.trim();
    if (!subject) return problem(node, "Enter the person, the chat or the agent.");
    if (!Object.keys(limits).length) return problem(node, "Enter at least one limit; 0 is no limit.");
    const span = byId("budget-span").value;
    try {
      await call("POST", "/api/budgets", { scope: byId("budget-scope").value, subject, ...limits, ...(span ? { for_s: Number(span) } : {}) });
      speak(`The limits of ${subject} are set`);
      again();
    } catch (error) {
      problem(node, error);
    }
  });
  return el("section", { class: "panel" }, el("details", {}, el("summary", {}, "Set limits for one person, chat or agent"),
    el("p", { class: "fact" }, "They take the place of the configured ones. 0 is no limit; an empty field stays as configured."), node));
}

export function open(view) {
  const again = { now: () => {} };
  again.now = list.show(view, {
    label: "Budgets",
    head: may.change ? [form(() => again.now())] : [],
    filters: [{ name: "scope", label: "Of", options: Object.entries(scopes) }],
    columns: [
      { title: "Name", cell: (row) => [row.subject, row.set ? el("span", { class: "sub" }, `set by ${row.set.by}`, ...(row.set.until ? [", ends ", ago(row.set.until)] : [])) : ""] },
      { title: "Turns today", kind: "num", cell: (row) => used(row.turns, row.limits.turns, number) },
      { title: "Tokens today", kind: "num", cell: (row) => used(row.input_tokens + row.output_tokens, row.limits.tokens, number) },
      { title: "Cost today", kind: "num", cell: (row) => used(row.cost_micro, row.limits.cost_micro, money) },
      { title: "", kind: "acts", cell: (row) => actions(row, () => again.now()) },
    ],
    path: ({ scope = "agent" }, cursor) => "/api/budgets" + list.query({ scope, after: cursor, limit: 50 }),
    rows: (json) => json.budgets,
    empty: () => list.note(`${scopes[place.values().scope || "agent"]} have used nothing today`, "Who uses an agent today, and who has limits of their own, appears here."),
  });
}
