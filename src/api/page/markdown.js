// A tree of Markdown as nodes of the page, and the change of what is shown into another tree without touching what stays:
// a selection survives, and a screen reader hears only what is new.

import { el, iconButton } from "./dom.js";
import { picture } from "./files.js";
import { blocks } from "./grammar.js";
import { highlight } from "./highlight.js";

/** The tree of a stored text: the gateway's, or one paragraph if the gateway says that there is no markup. */
export function treeOf(text, markup) { return markup || [{ type: "paragraph", children: [text] }]; }

/** Shows a tree. */
export function show(node, tree) {
  const shown = document.createDocumentFragment();
  const outline = [];
  shown.append(...tree.map((block) => render(block, outline)));
  morph(node, shown);
}

/** The text of an answer that is being written. Blocks that cannot change any more are neither parsed nor touched again. */
export class GrowingText {
  /** Lines that belong to blocks that are complete, their number of nodes, and their headings. */
  lines = 0;
  nodes = 0;
  outline = [];

  constructor(node) { this.node = node; }

  show(text) {
    const rest = text.replace(/\r\n?/g, "\n").split("\n").slice(this.lines);
    const found = blocks(rest, 0);
    const outline = [...this.outline];
    const shown = document.createDocumentFragment();
    // The last two blocks may still change: a table needs its second line, a list may go on.
    const settled = Math.max(0, found.length - 2);
    found.forEach((block, index) => {
      shown.append(render(block.node, outline));
      if (index === settled - 1) this.outline = [...outline];
    });
    morph(this.node, shown, this.nodes);
    if (settled) {
      this.lines += found[settled - 1].end;
      this.nodes += settled;
    }
  }
}

// -- nodes -----------------------------------------------------------------------------------------------

function children(node, outline) { return (node.children || []).map((child) => render(child, outline)); }

function words(nodes, inLink) {
  return nodes.flatMap((node) => (typeof node === "string" ? (inLink ? [node] : linked(node)) : [inlineNode(node, inLink)]));
}

/** Text with its addresses as links. */
function linked(text) {
  const nodes = [];
  let last = 0;
  for (const found of text.matchAll(/\bhttps:\/\/[^\s<>"'`|\\^{}\u0000-\u001f]+/gi)) {
    let url = found[0].replace(/[.,:;!?*_~'"»“”]+$/u, "");
    while (url.endsWith(")") && url.split(")").length > url.split("(").length) url = url.slice(0, -1);
    if (!isSafe(url)) continue;
    nodes.push(text.slice(last, found.index), anchor(url, [url]));
    last = found.index + url.length;
  }
  nodes.push(text.slice(last));
  return nodes.filter((node) => node !== "");
}

/** Whether an address may be opened from the page. */
function isSafe(url) {
  try {
    const { protocol, host } = new URL(url);
    return (protocol === "https:" && host !== "") || protocol === "mailto:";
  } catch {
    return false;
  }
}

/** The path of a file of this gateway, if an address is one: as an image it is shown. */
function ownFile(address) {
  try {
    const { origin, pathname } = new URL(address, location.origin);
    return origin === location.origin && /^\/api\/session\/[^/]+\/files\/(m\d+\.\d+|o\d+)$/.test(pathname) ? pathname : null;
  } catch {
    return null;
  }
}

function anchor(url, content) { return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...content); }

function inlineNode(node, inLink) {
  switch (node.type) {
    case "bold": return el("strong", {}, ...words(node.children, inLink));
    case "italic": return el("em", {}, ...words(node.children, inLink));
    case "strike": return el("s", {}, ...words(node.children, inLink));
    case "code": return el("code", { dir: "ltr" }, node.text);
    case "link": return linkNode(node);
    default: return render(node, []);
  }
}

/** A link. An address that the page may not open is written out. */
function linkNode(node) {
  const content = words(node.children, true);
  const own = ownFile(node.url);
  if (own) return picture({ name: content.map((one) => one.textContent ?? one).join("") }, own);
  if (isSafe(node.url)) return anchor(node.url, content);
  const shown = el("span", { class: "link" }, ...content);
  if (node.url && shown.textContent !== node.url) shown.append(" (", el("code", { dir: "ltr" }, node.url), ")");
  return shown;
}

function render(node, outline) {
  if (typeof node === "string") return document.createTextNode(node);
  switch (node.type) {
    case "paragraph": return el("p", { dir: "auto" }, ...words(node.children));
    case "heading": return heading(node, outline);
    case "quote": return el("blockquote", { dir: "auto" }, ...children(node, outline));
    case "list": return list(node, outline);
    case "pre": return code(node);
    case "table": return table(node);
    case "rule": return el("hr");
    default: return inlineNode(node, false);
  }
}

/** A heading. Its level for screen readers follows from the headings around it, so that none is skipped. */
function heading(node, outline) {
  while (outline.length && outline.at(-1) >= node.level) outline.pop();
  outline.push(node.level);
  return el("h" + Math.min(outline.length + 1, 6), { dir: "auto", class: "level" + node.level }, ...words(node.children));
}

function list(node, outline) {
  const items = node.children.map((item) => {
    const row = el("li", { dir: "auto", class: item.done === undefined ? null : "todo" });
    if (item.done !== undefined) row.append(el("span", { class: item.done ? "tick done" : "tick", role: "img", "aria-label": item.done ? "done" : "to do" }));
    const isBlock = (child) => ["paragraph", "heading", "quote", "list", "pre", "table", "rule"].includes(child.type);
    for (const child of item.children) row.append(...(isBlock(child) ? [render(child, outline)] : words([child])));
    return row;
  });
  return node.start === undefined ? el("ul", {}, ...items) : el("ol", { start: node.start }, ...items);
}

function code(node) {
  const pieces = highlight(node.text, node.language);
  const spans = pieces.map((piece) => (typeof piece === "string" ? piece : el("span", { class: "hl-" + piece[0] }, piece[1])));
  return el("figure", { class: "code", dir: "ltr" },
    el("figcaption", {}, el("span", {}, node.language || "text"), iconButton("copy", "Copy code", { class: "copy quiet" })),
    el("pre", { tabindex: "0", role: "group", "aria-label": node.language ? `Code, ${node.language}` : "Code" }, el("code", {}, ...spans)));
}

function table(node) {
  const [head, ...rows] = node.children;
  const cell = (tag) => (one, index) => el(tag, { dir: "auto", scope: tag === "th" ? "col" : null, class: node.align[index] }, ...words(one.children));
  return el("div", { class: "table", tabindex: "0", role: "group", "aria-label": "Table" },
    el("table", {},
      el("thead", {}, el("tr", {}, ...head.children.map(cell("th")))),
      el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.children.map(cell("td")))))));
}

// -- change ----------------------------------------------------------------------------------------------

/** Gives a node the children of another one, from one of them on. Nodes that are the same stay. */
function morph(node, wanted, from = 0) {
  let index = from;
  for (const next of [...wanted.childNodes]) {
    const now = node.childNodes[index];
    if (!now) node.append(next);
    else if (!become(now, next)) now.replaceWith(next);
    index += 1;
  }
  while (node.childNodes.length > index) node.lastChild.remove();
}

/** Changes a node into another one, if they are of one kind. */
function become(now, next) {
  if (now.nodeType !== next.nodeType) return false;
  if (now.nodeType === Node.TEXT_NODE) {
    if (next.data.startsWith(now.data)) now.appendData(next.data.slice(now.data.length));
    else if (now.data !== next.data) now.data = next.data;
    return true;
  }
  if (now.localName !== next.localName) return false;
  // A picture that is loaded stays.
  if (now.dataset.path && now.dataset.path === next.dataset.path) return true;
  if (now.localName === "svg") return now.isEqualNode(next);
  for (const { name } of [...now.attributes]) if (!next.hasAttribute(name)) now.removeAttribute(name);
  for (const { name, value } of next.attributes) if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  morph(now, next);
  return true;
}
