// Sessions, with the latest first.

import { el } from "/page/dom.js";
import { ago, channelName, number, sessionName } from "./format.js";
import * as list from "./list.js";
import * as place from "./place.js";

const opening = (row) => (row.opening || "").replace(/\s+/g, " ").trim().slice(0, 120);

function stateOf(row) {
  if (row.running) return el("span", { class: "state busy" }, row.waiting ? `runs, ${number(row.waiting)} wait` : "runs");
  if (row.waiting) return el("span", { class: "state busy" }, `${number(row.waiting)} wait`);
  return row.archived ? "archived" : "quiet";
}

export function open(view, { status }) {
  const channels = [...new Set(status.accounts.map((one) => one.channel))].sort();
  const agents = status.agents.map((one) => one.name);
  const choice = (all, name) => [["", name], ...all];
  list.show(view, {
    label: "Sessions",
    filters: [
      { name: "find", label: "Find a session", placeholder: "Title or key" },
      { name: "order", label: "Order", options: [["recent", "Latest message first"], ["key", "By key"], ["busy", "Only busy ones"]] },
      { name: "channel", label: "Channel", options: choice(channels.map((one) => [one, channelName(one)]), "All") },
      ...(agents.length > 1 ? [{ name: "agent", label: "Agent", options: choice(agents.map((one) => [one, one]), "All") }] : []),
    ],
    columns: [
      { title: "Session", cell: (row) => [
        el("a", { href: place.to("session", row.key) }, row.title || opening(row) || sessionName(row.key)),
        el("span", { class: "sub" }, el("code", {}, row.key))] },
      { title: "Channel", kind: "minor", cell: (row) => channelName(row.channel, row.account) },
      { title: "Agent", kind: "minor", cell: (row) => row.agent },
      { title: "State", cell: stateOf },
      { title: "Resets", kind: "num minor", cell: (row) => number(row.last_epoch - 1) },
      { title: "Last message", kind: "when", cell: (row) => ago(row.active || row.last_user_at) },
    ],
    path: ({ order = "recent", find, agent, channel }, cursor) => {
      const common = { after: cursor, limit: 50, openings: true };
      if (order === "busy") return "/api/sessions" + list.query({ ...common, busy: true });
      // By key there is no search: the keys are in order, and the browser's own search finds one on the page.
      if (order === "key" && !find && !agent) return "/api/sessions" + list.query({ ...common, channel });
      return "/api/sessions" + list.query({ ...common, order: "recent", find, agent, channel });
    },
    rows: (json) => json.sessions,
    every: 10_000,
    empty: ({ find, order, channel, agent }) => (find || channel || agent ? list.note("No session fits", "Change the filters, or search for a part of the key.")
      : order === "busy" ? list.note("Nothing waits and nothing runs", "Sessions appear here while they wait for an answer.")
        : list.note("Nobody has written yet", "Open the chat and say hello; the session appears here.", el("p", {}, el("a", { href: "/" }, "Open the chat")))),
  });
}
