// Tokens of the API: made, replaced and revoked. A secret is shown once.

import { call } from "/page/api.js";
import { byId, el, iconButton, speak } from "/page/dom.js";
import { button, buttons, may, problem } from "./action.js";
import { ago } from "./format.js";
import * as list from "./list.js";

const scopes = { chat: "may chat", app: "may chat for its users", read: "may read everything", admin: "may do everything" };
const kinds = { valid: "good", expired: "bad", revoked: "" };

/** Shows a secret, until the view is left. */
function showSecret({ name, token }, why) {
  const place = byId("secret");
  const copy = iconButton("copy", "Copy the token", { class: "quiet" });
  copy.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(token); speak("Copied"); } catch { getSelection().selectAllChildren(place.querySelector("code")); }
  });
  place.hidden = false;
  place.replaceChildren(el("strong", {}, `The token of ${name} ${why}`), " It is shown only now.", el("code", { tabindex: "0" }, token), copy);
  place.scrollIntoView({ block: "nearest" });
  speak(`The token of ${name} ${why}`);
}

function actions(row, again) {
  const cell = el("div", { class: "controls" });
  if (row.kind === "owner" || row.state === "revoked") return cell;
  const path = `/api/tokens/${encodeURIComponent(row.name)}`;
  const isBrowser = row.kind === "browser";
  const revoke = isBrowser
    ? { title: `Log out ${row.name}?`, text: `This browser of ${row.holder} needs a new login link then. What it has sent goes on.` }
    : { title: `Revoke the token ${row.name}?`, text: "It is refused at once: its connections close and running answers end. The name is never used again. This cannot be undone." };
  cell.append(...buttons(
    ...(isBrowser ? [] : [button("Replace", {
      about: row.name, place: () => cell, done: again, run: async () => { const made = await call("POST", path + "/rotate", {}); showSecret(made, "was replaced."); return ""; },
      ask: { title: `Replace the token of ${row.name}?`, text: "The old secret is refused at once, and its connections close. The new one does not expire." },
    })]),
    button(isBrowser ? "Log out" : "Revoke", {
      about: row.name, kind: "danger", place: () => cell, done: again, run: () => call("DELETE", path).then(() => `${row.name} is revoked`),
      ask: revoke,
    })));
  return cell;
}

function form(again) {
  const node = el("form", { class: "form" },
    el("div", {}, el("label", { for: "token-name" }, "Name"), el("input", { id: "token-name", type: "text", autocomplete: "off", spellcheck: "false", autocapitalize: "none", placeholder: "anna" })),
    el("div", {}, el("label", { for: "token-scope" }, "May"), el("select", { id: "token-scope" }, el("option", { value: "chat" }, "chat"), el("option", { value: "app" }, "chat for its users"), el("option", { value: "read" }, "read everything"), el("option", { value: "admin" }, "do everything"))),
    el("div", {}, el("label", { for: "token-expires" }, "Expires"), el("select", { id: "token-expires" }, el("option", { value: "" }, "never"), el("option", { value: "86400" }, "in a day"), el("option", { value: "2592000" }, "in 30 days"), el("option", { value: "7776000" }, "in 90 days"))),
    el("button", { type: "submit", class: "primary" }, "Make"));
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem(node, null);
    const name = byId("token-name").value.trim();
    if (!name) return problem(node, "Enter a name: letters from a to z, digits, “-”, “_” and “.”.");
    const expires = byId("token-expires").value;
    try {
      const made = await call("POST", "/api/tokens", { name, scope: byId("token-scope").value, ...(expires ? { expires_s: Number(expires) } : {}) });
      byId("token-name").value = "";
      showSecret(made, "was made.");
      again();
    } catch (error) {
      problem(node, error);
    }
  });
  return el("section", { class: "panel" }, el("h2", {}, "Make a token"), node, el("p", { id: "secret", class: "secret", hidden: true }));
}

export function open(view) {
  const again = { now: () => {} };
  again.now = list.show(view, {
    label: "Tokens",
    head: may.change ? [form(() => again.now())] : [],
    columns: [
      { title: "Token", cell: (row) => [row.name, el("span", { class: "sub" }, row.kind === "owner" ? "the owner's, in the file token" : row.kind === "browser" ? `a browser of ${row.holder}` : `made by ${row.by}`)] },
      { title: "May", cell: (row) => scopes[row.scope] || row.scope },
      { title: "State", cell: (row) => el("span", { class: `state ${kinds[row.state] ?? ""}` }, row.state) },
      { title: "Expires", kind: "when", cell: (row) => (row.expires ? ago(row.expires) : "never") },
      { title: "Last used", kind: "when", cell: (row) => ago(row.last_used) },
      { title: "Made", kind: "when", cell: (row) => ago(row.created) },
      { title: "", kind: "acts", cell: (row) => actions(row, () => again.now()) },
    ],
    path: () => "/api/tokens",
    rows: (json) => json.tokens,
    next: () => null,
    empty: () => list.note("There are no tokens"),
  });
}

