// People: who may write, who is blocked, and how somebody is let in by their id.

import { call } from "/page/api.js";
import { byId, el, speak } from "/page/dom.js";
import { button, buttons, may, problem } from "./action.js";
import { ago, channelName } from "./format.js";
import * as list from "./list.js";

const sources = { config: "configuration file", pairing: "pairing", cli: "command line", api: "API", chat: "chat" };

const scopes = { dm: "private chat", admin: "admin" };
const scopeName = (scope) => scopes[scope] || scope.replace(/^group:/, "group ");

const path = (principal, rest = "", query = {}) => `/api/access/${encodeURIComponent(principal)}${rest}${list.query(query)}`;

/** The row in which a button stands: there a failure is shown. */
const cellOf = (node) => () => node;

function personActions(row, again) {
  const name = row.shown || row.principal;
  const cell = el("div", { class: "controls" });
  cell.append(...buttons(
    row.source !== "config" && button("Revoke", {
      about: name, place: cellOf(cell), done: again,
      run: async () => (await call("DELETE", path(row.principal, "", { scope: row.scope }))).said,
      ask: { title: `Take access from ${name}?`, text: `${row.principal} may not write any more (${scopeName(row.scope)}). Waiting messages are refused, and running answers end.` },
    }),
    button("Block", {
      about: name, kind: "danger", place: cellOf(cell), done: again,
      run: async () => (await call("POST", path(row.principal, "/block"), {})).said,
      ask: { title: `Block ${name}?`, text: `${row.principal} may not write anywhere, whatever is granted. Waiting messages are refused, and running answers end.` },
    })));
  return cell;
}

const columns = (again) => [
  { title: "Person", cell: (row) => [row.shown || row.user, el("span", { class: "sub" }, el("code", {}, row.principal))] },
  { title: "On", cell: (row) => channelName(row.platform, row.account) },
  { title: "May write in", kind: "word", cell: (row) => scopeName(row.scope) },
  { title: "Let in by", cell: (row) => (row.by ? `${row.by}, ${sources[row.source] || row.source}` : sources[row.source] || row.source) },
  { title: "Since", kind: "when", cell: (row) => (row.created ? ago(row.created) : null) },
  { title: "", kind: "acts", cell: (row) => personActions(row, () => again.now()) },
];

/** What the file allows beside single people. */
function configured(rows) {
  const who = (row) => ({ everybody: "Everybody", role: `Everybody with the role ${row.id}`, person: row.id, bot: `The bot ${row.id}` })[row.who] || row.who;
  return el("section", {}, el("h2", {}, "The configuration file also allows"), el("ul", { class: "changes" }, ...rows.map((row) => el("li", {},
    `${who(row)} on ${channelName(row.platform, row.account)} may ${row.may}`, row.scope ? ` (${scopeName(row.scope)})` : ""))));
}

function blocked(rows, again) {
  const items = rows.map((row) => {
    const item = el("li", { class: "card" }, el("div", { class: "card-head" }, el("strong", {}, row.user), el("span", { class: "word" }, channelName(row.platform, row.account))),
      el("p", { class: "fact" }, el("code", {}, row.principal), ` blocked by ${row.by}, `, ago(row.created)));
    item.append(el("div", { class: "controls" }, ...buttons(button("Unblock", {
      about: row.principal, place: cellOf(item), done: again, run: async () => (await call("DELETE", path(row.principal, "/block"))).said,
    }))));
    return item;
  });
  return el("section", {}, el("h2", {}, "Blocked"), el("ul", { class: "cards" }, ...items));
}

/** The form that lets somebody in by their id. */
function grantForm(accounts, again) {
  const options = accounts.filter((one) => one.channel !== "web").map((one) => {
    const value = one.account === "default" ? one.channel : `${one.channel}@${one.account}`;
    return el("option", { value }, channelName(one.channel, one.account));
  });
  if (!options.length) return [];
  const form = el("form", { class: "form" },
    el("div", {}, el("label", { for: "grant-account" }, "On"), el("select", { id: "grant-account" }, ...options)),
    el("div", {}, el("label", { for: "grant-user" }, "Id of the person"), el("input", { id: "grant-user", type: "text", autocomplete: "off", spellcheck: "false" })),
    el("div", {}, el("label", { for: "grant-scope" }, "May write in"), el("select", { id: "grant-scope" }, el("option", { value: "dm" }, "the private chat"), el("option", { value: "group" }, "one group"), el("option", { value: "admin" }, "everywhere, as an admin"))),
    el("div", { id: "grant-group-field", hidden: true }, el("label", { for: "grant-group" }, "Id of the group"), el("input", { id: "grant-group", type: "text", autocomplete: "off", spellcheck: "false" })),
    el("button", { type: "submit", class: "primary" }, "Let in"));
  form.addEventListener("change", () => { byId("grant-group-field").hidden = byId("grant-scope").value !== "group"; });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem(form, null);
    const [platform, account] = byId("grant-account").value.split("@");
    const kind = byId("grant-scope").value;
    const user = byId("grant-user").value.trim();
    if (!user) return problem(form, "Enter the id that the platform has given to the person.");
    const scope = kind === "group" ? "group:" + byId("grant-group").value.trim() : kind;
    try {
      const done = await call("POST", "/api/access", { platform, ...(account ? { account } : {}), user, scope });
      byId("grant-user").value = "";
      speak(`${done.principal} is let in`);
      again();
    } catch (error) {
      problem(form, error);
    }
  });
  return [el("section", { class: "panel" }, el("details", {}, el("summary", {}, "Let somebody in by their id"), form))];
}

export function open(view, { status }) {
  const others = el("div");
  const again = { now: () => {} };
  const head = may.change ? grantForm(status.accounts, () => again.now()) : [];
  again.now = list.show(view, {
    label: "People",
    head,
    filters: [{ name: "find", label: "Find a person", placeholder: "Name or id" }],
    columns: columns(again),
    path: (values, cursor) => "/api/access" + list.query({ ...values, after: cursor, limit: 50 }),
    rows: (json) => {
      // Everything but the people is only on the first page.
      if (json.configured.length || json.blocked.length) {
        others.replaceChildren(...(json.blocked.length ? [blocked(json.blocked, () => again.now())] : []), ...(json.configured.length ? [configured(json.configured)] : []));
      } else if (!others.children.length || !json.access.length) others.replaceChildren();
      return json.access;
    },
    empty: (values) => (values.find ? list.note("Nobody has this name or id")
      : list.note("Nobody was let in by name yet", "Whoever writes for the first time appears under Pairing; here you can let somebody in by their id.")),
  });
  view.append(others);
}
