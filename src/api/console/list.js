// A list with filters, in pages that the gateway cuts. What is chosen stands in the address, so that a reload keeps it.

import { get } from "/page/api.js";
import { el } from "/page/dom.js";
import { sentence } from "./action.js";
import { updateTimes } from "./format.js";
import * as place from "./place.js";

/** How many parts of a list a search reads by itself. */
const PARTS = 20;

/** A note in the place of a list: what is not there, and what to do next. */
export function note(title, ...text) {
  return el("div", { class: "note-card" }, el("h2", {}, title), ...text.map((one) => (typeof one === "string" ? el("p", {}, one) : one)));
}

/** Says that a list could not be read, with a button that tries again. */
export function failed(error, again) {
  const retry = el("button", { type: "button" }, "Try again");
  retry.addEventListener("click", again);
  return el("div", { class: "note-card bad", role: "alert" }, el("h2", {}, "This could not be loaded"), el("p", {}, sentence(error)), retry);
}

function filterField({ name, label, options, placeholder }, values, change) {
  const id = "filter-" + name;
  let field;
  if (options) {
    field = el("select", { id }, ...options.map(([value, text]) => el("option", { value }, text)));
    field.value = values[name] ?? options[0][0];
    field.addEventListener("change", () => change(name, field.value));
  } else {
    field = el("input", { id, type: "search", placeholder: placeholder || label, autocomplete: "off", spellcheck: "false" });
    field.value = values[name] || "";
    let timer = 0;
    const apply = () => { clearTimeout(timer); change(name, field.value.trim()); };
    field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(apply, 300); });
    field.addEventListener("keydown", (event) => { if (event.key === "Enter") apply(); });
  }
  return el("div", { class: options ? "filter" : "filter search" }, el("label", { for: id, class: options ? "" : "unseen" }, label), field);
}

const nameOf = (node) => node.getAttribute("aria-label") || node.textContent;

/** Gives the focus to what was focused before the rows were drawn again, or else to the list. */
function refocus(node, name) {
  const same = [...node.querySelectorAll("a, button")].find((one) => nameOf(one) === name);
  if (same) return same.focus({ preventScroll: true });
  node.setAttribute("tabindex", "-1");
  node.focus({ preventScroll: true });
}

/** A table of rows. Columns have `title` and `cell(row)`; the first one names the row. */
function table(label, columns) {
  const head = el("tr", { role: "row" }, ...columns.map(({ title, kind }) => el("th", { role: "columnheader", scope: "col", class: kind || false }, title || el("span", { class: "unseen" }, "Actions"))));
  const body = el("tbody", { role: "rowgroup" });
  const node = el("table", { class: "list", role: "table", "aria-label": label }, el("thead", { role: "rowgroup" }, head), body);
  const show = (row) => {
    const cells = columns.map(({ title, kind, cell }, n) => {
      const content = cell(row);
      const parts = (Array.isArray(content) ? content : [content]).filter((part) => part !== null && part !== undefined && part !== "");
      return el(n ? "td" : "th", { role: n ? "cell" : "rowheader", scope: n ? false : "row", class: kind || false, "data-title": title, "data-empty": parts.length === 0 }, el("div", { class: "cell" }, ...parts));
    });
    body.append(el("tr", { role: "row" }, ...cells));
  };
  return { node, show, clear: () => body.replaceChildren() };
}

/**
 * Shows a list in `view`. `path(values, cursor)` is what to read, `rows(json)` and `next(json)` what it says; `empty(values)`
 * is shown in place of no rows. Returns a function that reads it again.
 */
export function show(view, { label, filters = [], columns, path, rows, next = (json) => json.next, empty, head = [], every = 0 }) {
  const values = place.values();
  const count = el("p", { class: "count", role: "status" });
  const bar = el("div", { class: "filters", role: "search", "aria-label": label });
  const rowsOf = table(label, columns);
  const more = el("button", { type: "button", class: "more", hidden: true }, "Show more");
  const body = el("div", { class: "rows" });
  let cursor = null;
  let shown = 0;
  let reading = 0;
  /** The first page as it was read last: what has not changed is not drawn again. */
  let last = "";

  const change = (name, value) => {
    if (value) values[name] = value; else delete values[name];
    place.keep(values);
    again();
  };
  bar.append(...filters.map((filter) => filterField(filter, values, change)));

  /** Reads a page. A search goes on by itself while it has found nothing, for this many parts. */
  async function page(isFirst, parts = PARTS) {
    const mine = ++reading;
    more.disabled = true;
    try {
      const json = await get(path(values, isFirst ? null : cursor));
      if (mine !== reading) return;
      const all = rows(json || {});
      const text = JSON.stringify(json);
      if (isFirst && text === last) return updateTimes(rowsOf.node);
      last = isFirst ? text : "";
      const focused = rowsOf.node.contains(document.activeElement) ? nameOf(document.activeElement) : null;
      if (isFirst) { rowsOf.clear(); shown = 0; }
      all.forEach(rowsOf.show);
      shown += all.length;
      cursor = json ? next(json) : null;
      const goesOn = !shown && cursor && parts > 1;
      more.hidden = !cursor || goesOn;
      more.textContent = shown || !cursor ? "Show more" : "Go on with older ones";
      const none = goesOn ? note("Searching…", "Older ones are read.") : note("Nothing found so far", "The newest part of the list has nothing that fits.");
      body.replaceChildren(shown ? rowsOf.node : cursor ? none : empty(values));
      if (isFirst && focused) refocus(rowsOf.node, focused);
      if (goesOn) return page(false, parts - 1);
      count.textContent = shown ? `${shown}${cursor ? " or more" : ""} shown` : "";
    } catch (error) {
      if (mine !== reading) return;
      last = "";
      if (isFirst) body.replaceChildren(failed(error, again)); else body.append(failed(error, () => { body.lastChild.remove(); page(false); }));
      more.hidden = true;
    } finally {
      more.disabled = false;
    }
  }

  const again = () => page(true);
  more.addEventListener("click", () => page(false));
  view.replaceChildren(...head, ...(filters.length ? [bar] : []), body, el("div", { class: "foot" }, more, count));
  again();
  // A list of which more was asked for stays as it is: it would jump back to its beginning.
  if (every) place.whileOpen(setInterval(() => { if (!document.hidden && shown <= 50 && !values.find && !rowsOf.node.querySelector(".problem")) again(); }, every));
  return again;
}

/** A query from values that are set. */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return given.length ? "?" + new URLSearchParams(given) : "";
}
