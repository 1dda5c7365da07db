// Markdown of an answer that is still being written. When the answer is stored, the gateway sends the tree that its own
// parser has made, and that takes the place of this one; so this parser only has to be quick and to agree in the usual
// cases. It gives the same tree: a string is text, anything else has a `type`.

const FENCE = /^ {0,3}(`{3,}|~{3,})([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?:[ \t]+|$)/;
const TABLE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const DEEPEST = 12;

/** The blocks of a text, each with the line at which it ends. */
export function parse(text) { return blocks(text.replace(/\r\n?/g, "\n").split("\n"), 0).map((block) => block.node); }

/** The top-level blocks, with the number of lines that each ends at. */
export function blocks(lines, depth) {
  const found = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) { at += 1; continue; }
    const [node, end] = block(lines, at, depth);
    found.push({ node, end });
    at = end;
  }
  return found;
}

function block(lines, at, depth) {
  const line = lines[at];
  const fence = FENCE.exec(line);
  if (fence) return code(lines, at, fence);
  const heading = HEADING.exec(line);
  if (heading) return [{ type: "heading", level: heading[1].length, children: inline(heading[2] || "") }, at + 1];
  if (RULE.test(line)) return [{ type: "rule" }, at + 1];
  if (depth < DEEPEST && QUOTE.test(line)) return quote(lines, at, depth);
  if (depth < DEEPEST && ITEM.test(line)) return list(lines, at, depth);
  if (line.includes("|") && at + 1 < lines.length && TABLE.test(lines[at + 1])) {
    const align = cells(lines[at + 1]).map(alignment);
    if (cells(line).length === align.length && (align.length > 1 || lines[at + 1].includes("|"))) return table(lines, at, align);
  }
  return paragraph(lines, at, depth);
}

function code(lines, at, [opening, fence, info]) {
  const indent = opening.search(/\S/);
  const text = [];
  const [language, ...more] = info.trim().split(/\s+/);
  if (more.length) text.push(more.join(" "));
  let end = at + 1;
  for (; end < lines.length; end += 1) {
    const closing = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(lines[end]);
    if (closing && closing[1][0] === fence[0] && closing[1].length >= fence.length) { end += 1; break; }
    text.push(lines[end].slice(Math.min(indent, lines[end].search(/\S|$/))));
  }
  const node = { type: "pre", text: text.join("\n") };
  if (language) node.language = language;
  return [node, end];
}

function quote(lines, at, depth) {
  const inner = [];
  let end = at;
  for (; end < lines.length; end += 1) {
    if (QUOTE.test(lines[end])) inner.push(lines[end].replace(QUOTE, ""));
    else if (lines[end].trim() && inner.at(-1).trim() && !begins(lines[end])) inner.push(lines[end]);
    else break;
  }
  return [{ type: "quote", children: blocks(inner, depth + 1).map((block) => block.node) }, end];
}

/** Whether a line begins a block and cannot go on with a paragraph. */
function begins(line) {
  return FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line);
}

function list(lines, at, depth) {
  const first = ITEM.exec(lines[at])[2];
  const kind = first.at(-1);
  const node = { type: "list", children: [] };
  if (/\d/.test(first)) node.start = parseInt(first, 10);
  let end = at;
  let isLoose = false;
  while (end < lines.length) {
    const begun = ITEM.exec(lines[end]);
    if (!begun || begun[2].at(-1) !== kind || RULE.test(lines[end])) break;
    const [item, next, loose] = listItem(lines, end, begun, depth);
    node.children.push(item);
    isLoose ||= loose;
    end = next;
    let blank = end;
    while (blank < lines.length && !lines[blank].trim()) blank += 1;
    const another = blank < lines.length && ITEM.exec(lines[blank]);
    if (blank > end && another && another[2].at(-1) === kind && !RULE.test(lines[blank])) { isLoose = true; end = blank; }
  }
  if (!isLoose) for (const item of node.children) loosen(item);
  return [node, end];
}

/** In a list without blank lines, words stand in their item without a paragraph. */
function loosen(item) {
  item.children = item.children.flatMap((child) => (child.type === "paragraph" ? child.children : [child]));
}

function listItem(lines, at, begun, depth) {
  const width = begun[0].length;
  const inner = [lines[at].slice(width)];
  let end = at + 1;
  for (; end < lines.length; end += 1) {
    const line = lines[end];
    const indent = line.search(/\S|$/);
    if (!line.trim()) {
      const next = lines.slice(end).find((later) => later.trim());
      if (next === undefined || next.search(/\S/) < width) break;
      inner.push("");
    } else if (indent >= width) inner.push(line.slice(width));
    else if (inner.at(-1).trim() && !begins(line)) inner.push(line.trimStart());
    else break;
  }
  const item = { type: "item", children: [] };
  const task = /^\[([ xX])\][ \t]+/.exec(inner[0]);
  if (task) {
    item.done = task[1] !== " ";
    inner[0] = inner[0].slice(task[0].length);
  }
  const found = blocks(inner, depth + 1);
  item.children = found.map((block) => block.node);
  const loose = found.slice(0, -1).some((block) => !(inner[block.end] ?? "").trim() && block.end < inner.length
    || !(inner[block.end - 1] ?? "").trim());
  return [item, end, loose];
}

function cells(line) {
  const found = [];
  let cell = "";
  let inCode = false;
  const bare = line.trim().replace(/^\|/, "").replace(/\|$/, "");
  for (let at = 0; at < bare.length; at += 1) {
    if (bare[at] === "\\" && bare[at + 1] === "|") { cell += "|"; at += 1; continue; }
    if (bare[at] === "|" && !inCode) { found.push(cell.trim()); cell = ""; continue; }
    cell += bare[at];
  }
  return [...found, cell.trim()];
}

function alignment(cell) {
  if (cell.startsWith(":")) return cell.endsWith(":") ? "center" : "left";
  return cell.endsWith(":") ? "right" : null;
}

function table(lines, at, align) {
  const row = (line) => ({ type: "row", children: cells(line).map((cell) => ({ type: "cell", children: inline(cell) })) });
  const node = { type: "table", align, children: [row(lines[at])] };
  let end = at + 2;
  for (; end < lines.length && lines[end].trim() && !begins(lines[end]); end += 1) {
    const next = row(lines[end]);
    while (next.children.length < align.length) next.children.push({ type: "cell", children: [] });
    node.children.push(next);
  }
  return [node, end];
}

function paragraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim()) {
    const heading = /^ {0,3}(=+|-+)[ \t]*$/.exec(lines[end]);
    if (heading) {
      const words = lines.slice(at, end).map((line) => line.trim()).join("\n");
      return [{ type: "heading", level: heading[1][0] === "=" ? 1 : 2, children: inline(words) }, end + 1];
    }
    const item = ITEM.exec(lines[end]);
    // A number other than 1 does not begin a list within a paragraph.
    if (item ? !/\d/.test(item[2]) || parseInt(item[2], 10) === 1 : begins(lines[end])) break;
    end += 1;
  }
  const words = lines.slice(at, end).map((line) => line.trimStart().replace(/(?: {2,}|\\)$/, "")).join("\n");
  return [{ type: "paragraph", children: inline(words.trimEnd()) }, end];
}

// -- words -----------------------------------------------------------------------------------------------

const MARKS = [["***", "bold", "italic"], ["___", "bold", "italic"], ["**", "bold"], ["__", "bold"], ["~~", "strike"], ["*", "italic"], ["_", "italic"], ["~", "strike"]];
const SPECIAL = /[\\`*_~[!<&]/;
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: "\"", apos: "'", nbsp: "\u00a0" };

/** The nodes of a stretch of words. */
export function inline(text, inLink = false) {
  const nodes = [];
  const add = (node) => {
    if (typeof node === "string" && typeof nodes.at(-1) === "string") nodes[nodes.length - 1] += node;
    else if (node !== "") nodes.push(node);
  };
  let at = 0;
  while (at < text.length) {
    const next = text.slice(at).search(SPECIAL);
    if (next !== 0) {
      add(next < 0 ? text.slice(at) : text.slice(at, at + next));
      if (next < 0) break;
      at += next;
    }
    const [node, length] = special(text, at, inLink);
    for (const one of Array.isArray(node) ? node : [node]) add(one);
    at += length;
  }
  return nodes;
}

function special(text, at, inLink) {
  const rest = text.slice(at);
  switch (rest[0]) {
    case "\\":
      return /^\\[!-/:-@[-`{-~]/.test(rest) ? [rest[1], 2] : ["\\", 1];
    case "`": return inlineCode(rest);
    case "&": {
      const entity = /^&(\w+);/.exec(rest);
      return entity && ENTITIES[entity[1]] ? [ENTITIES[entity[1]], entity[0].length] : ["&", 1];
    }
    case "<": {
      const link = /^<([a-z][a-z0-9+.-]{1,31}:[^\s<>]*)>/i.exec(rest);
      if (link && !inLink) return [{ type: "link", url: link[1], children: [link[1]] }, link[0].length];
      return ["<", 1];
    }
    case "!":
      if (rest[1] !== "[") return ["!", 1];
      return link(rest.slice(1), inLink, 1) || ["!", 1];
    case "[": return link(rest, inLink, 0) || ["[", 1];
    default: return emphasis(text, at, inLink);
  }
}

function inlineCode(rest) {
  const ticks = /^`+/.exec(rest)[0];
  for (let end = ticks.length; (end = rest.indexOf(ticks, end)) >= 0; ) {
    const run = /^`+/.exec(rest.slice(end))[0].length;
    if (run !== ticks.length) { end += run; continue; }
    let inner = rest.slice(ticks.length, end).replaceAll("\n", " ");
    if (/^ .*[^ ].* $/.test(inner)) inner = inner.slice(1, -1);
    return [{ type: "code", text: inner }, end + ticks.length];
  }
  return [ticks, ticks.length];
}

function link(rest, inLink, before) {
  const found = /^\[((?:[^[\]\\]|\\.|\[[^\]]*\])*)\]\(\s*(?:<([^>\n]*)>|((?:[^\s()\\]|\\.|\([^\s()]*\))*))(?:\s+(?:"[^"]*"|'[^']*'|\([^)]*\)))?\s*\)/.exec(rest);
  if (!found) return null;
  const url = (found[2] ?? found[3] ?? "").replace(/\\([!-/:-@[-`{-~])/g, "$1");
  const children = inline(found[1], true);
  if (inLink) return [children, found[0].length + before];
  return [{ type: "link", url, children: children.length ? children : [url] }, found[0].length + before];
}

function emphasis(text, at, inLink) {
  const before = text[at - 1] ?? " ";
  const word = (char) => /[\p{L}\p{N}]/u.test(char);
  for (const [mark, ...kinds] of MARKS) {
    if (!text.startsWith(mark, at)) continue;
    const from = at + mark.length;
    if (!text[from] || /\s/.test(text[from])) continue;
    if (mark[0] === "_" && word(before)) continue;
    for (let end = from; (end = text.indexOf(mark, end + 1)) > 0; ) {
      const after = text[end + mark.length] ?? " ";
      const fits = !/\s/.test(text[end - 1]) && text[end - 1] !== "\\" && !(mark[0] === "_" && word(after))
        && !(mark.length === 1 && (after === mark || text[end - 1] === mark))
        && !(mark.length === 2 && after === mark[0] && text[end - 1] !== mark[0]);
      if (!fits || insideCode(text.slice(from, end))) continue;
      let node = inline(text.slice(from, end), inLink);
      for (const kind of kinds) node = [{ type: kind, children: node }];
      return [node, end + mark.length - at];
    }
  }
  const run = new RegExp(`^\\${text[at]}+`).exec(text.slice(at))[0];
  return [run, run.length];
}

/** Whether a stretch ends within inline code. */
function insideCode(text) { return (text.match(/`+/g) || []).length % 2 === 1; }
