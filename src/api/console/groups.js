// The groups and channels that a platform shows to its bot.

import { el } from "/page/dom.js";
import { channelName } from "./format.js";
import * as list from "./list.js";
import * as place from "./place.js";

const idOf = (one) => (one.account === "default" ? one.channel : `${one.channel}@${one.account}`);

export function open(view, { status }) {
  const accounts = status.accounts.filter((one) => one.channel !== "web");
  if (!accounts.length) {
    view.replaceChildren(list.note("No account has groups", "Connect Telegram, Discord or Slack, and the groups that the bot is in appear here.", el("p", {}, el("code", {}, "frontdesk onboard"))));
    return;
  }
  const first = place.values().account || idOf(accounts[0]);
  list.show(view, {
    label: "Groups",
    head: [el("p", { class: "lead" }, "What each platform shows to its bot. The configuration decides which groups are served, with which agent and role; in a chat, an admin can send /gateway allow-here.")],
    filters: [{ name: "account", label: "Account", options: accounts.map((one) => [idOf(one), channelName(one.channel, one.account)]) }],
    columns: [
      { title: "Group", cell: (row) => [row.name || row.id, el("span", { class: "sub" }, el("code", {}, row.id), row.topic ? ` ${row.topic}` : "")] },
      { title: "Kind", cell: (row) => row.kind },
      { title: "In", cell: (row) => row.within },
      { title: "Members", kind: "num", cell: (row) => (row.members === null ? null : String(row.members)) },
      { title: "Served", cell: (row) => el("span", { class: `state ${row.served ? "good" : ""}` }, row.archived ? "archived" : row.served ? "served" : row.joined === false ? "not joined" : "not served") },
    ],
    path: (values, cursor) => `/api/channel/${encodeURIComponent(values.account || first)}/groups` + list.query({ from: cursor }),
    rows: (json) => json.groups,
    empty: () => list.note("No groups", "The bot is in no group that the platform tells of. Add it to one, then reload this list."),
  });
}

