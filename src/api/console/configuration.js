// The configuration in use, without secrets, and a reload of which one sees first what it would change.

import { call, get } from "/page/api.js";
import { el } from "/page/dom.js";
import { button, may } from "./action.js";
import * as list from "./list.js";

const words = { added: "new", removed: "removed", restarted: "restarted" };

const line = (sign, text) => el("li", {}, el("span", { class: "sign" }, sign), text);

/** What a reload changes, as a list; empty if that is nothing. */
function changes(plan) {
  const accounts = plan.accounts.filter((one) => one.change !== "kept");
  const agents = plan.agents.filter((one) => one.change !== "kept");
  return [
    ...accounts.map((one) => line(words[one.change] || one.change, `account ${one.account}` + (one.another_login ? ", as another bot than before" : ""))),
    ...agents.map((one) => line(words[one.change] || one.change, `agent ${one.agent}`
      + (one.waiting ? `; ${one.waiting} waiting messages are refused` : "") + (one.running ? `; ${one.running} running turns end` : ""))),
    ...plan.routes.map((one) => line("changed", `${one.place}: agent ${one.agent_before} becomes ${one.agent}` + (one.role === one.role_before ? "" : `, role ${one.role_before || "none"} becomes ${one.role || "none"}`))),
    ...plan.changes.map((key) => line("changed", el("code", {}, key))),
    ...plan.restart.map((key) => line("after restart", el("code", {}, key))),
    ...plan.notes.map((note) => line("note", note)),
    ...plan.unfinished.map((note) => line("not done", note)),
  ];
}

/** The section in which a reload is looked at and made. */
function reloadPanel(again) {
  const result = el("div", { role: "status" });
  const panel = el("section", { class: "panel" }, el("h2", {}, "Reload"),
    el("p", {}, "Reads the configuration file again. First you see what would change; connections and agents that do not change are not touched."));
  const apply = button("Apply these changes", {
    kind: "primary", place: () => panel,
    run: async () => {
      const plan = await call("POST", "/api/config/reload", {});
      result.replaceChildren(el("h3", {}, "The configuration is in use"), el("ul", { class: "changes" }, ...(changes(plan).length ? changes(plan) : [el("li", {}, "Nothing was changed")])));
      await again();
      return "The configuration is in use";
    },
  });
  const look = button("Show what would change", {
    place: () => panel,
    run: async () => {
      result.replaceChildren();
      const lines = changes(await call("POST", "/api/config/reload", { plan: true }));
      if (!lines.length) {
        result.replaceChildren(el("p", { class: "fact" }, "Nothing: the file says what is in use already. Change it, then look again."));
        return "Nothing would change";
      }
      result.replaceChildren(el("ul", { class: "changes" }, ...lines), el("div", { class: "controls" }, apply));
      return `${lines.length} changes`;
    },
  });
  panel.append(el("div", { class: "controls" }, look), result);
  return panel;
}

export async function open(view) {
  const shown = el("div", { class: "rows" });
  async function show() {
    try {
      const { config } = await get("/api/config");
      if (!config) return shown.replaceChildren(list.note("No configuration is shown", "This gateway was started by another program, which has its configuration."));
      const text = JSON.stringify(config, null, 2);
      shown.replaceChildren(el("section", {}, el("h2", {}, "In use"), el("pre", { class: "source", tabindex: "0", "aria-label": "The configuration in use" }, text)));
    } catch (error) {
      shown.replaceChildren(list.failed(error, show));
    }
  }
  view.replaceChildren(el("p", { class: "lead" }, "What the gateway uses now. Secrets are left out. Edit the file on the machine, or with frontdesk config set."),
    ...(may.change ? [reloadPanel(show)] : []), shown);
  await show();
}

