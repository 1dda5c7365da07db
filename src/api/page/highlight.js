// Colours for code: comments, strings, numbers and the usual keywords of the usual languages. What is not known stays plain.

const WORDS = {
  c: "auto bool break case catch char class const constexpr continue default delete do double else enum explicit extern false final float for friend if inline int long namespace new noexcept nullptr operator override private protected public return short signed sizeof static struct switch template this throw true try typedef typename union unsigned using virtual void volatile while #include #define #ifdef #ifndef #endif #if #else",
  cs: "abstract as async await base bool break case catch class const continue decimal default do double else enum false finally float for foreach get if in int interface internal is long namespace new null object out override private protected public readonly ref return set static string struct switch this throw true try using var virtual void while yield record",
  css: "@media @import @font-face @keyframes @supports !important",
  go: "break case chan const continue default defer else fallthrough false for func go goto if import interface map nil package range return select struct switch true type var string int int64 error bool byte",
  java: "abstract assert boolean break byte case catch char class const continue default do double else enum extends false final finally float for if implements import instanceof int interface long new null package private protected public record return sealed short static super switch synchronized this throw throws true try var void volatile while yield fun val when object data suspend is in",
  js: "as async await break case catch class const continue debugger default delete do else enum export extends false finally for from function get if implements import in instanceof interface let new null of private protected public readonly return set static super switch this throw true try type typeof undefined var void while yield",
  json: "true false null",
  php: "abstract and array as break case catch class const continue declare default do echo else elseif extends false final finally fn for foreach function global if implements instanceof interface match namespace new null or private protected public readonly require return static switch this throw trait true try use var while yield",
  py: "and as assert async await break case class continue def del elif else except False finally for from global if import in is lambda match None nonlocal not or pass raise return self True try while with yield",
  rb: "alias and begin break case class def defined? do else elsif end ensure false for if in module next nil not or redo require rescue retry return self super then true undef unless until when while yield",
  rs: "as async await break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut pub ref return self Self static struct super trait true type unsafe use where while Ok Err Some None",
  sh: "case do done elif else esac export fi for function if in local return set source sudo then until while cd echo exit unset",
  sql: "add all alter and as asc begin between by case check column commit constraint create cross default delete desc distinct drop else end exists foreign from full group having in index inner insert into is join key left like limit not null on or order outer primary references replace returning right rollback select set table then union unique update values view when where with",
  toml: "true false",
  yaml: "true false null yes no",
};

const ALIASES = {
  "c++": "c", cpp: "c", h: "c", hpp: "c", cc: "c", csharp: "cs", scss: "css", golang: "go", kotlin: "java", kt: "java", scala: "java", swift: "java",
  javascript: "js", jsx: "js", mjs: "js", ts: "js", tsx: "js", typescript: "js", jsonc: "json", json5: "json", python: "py", python3: "py", ruby: "rb",
  rust: "rs", bash: "sh", shell: "sh", zsh: "sh", console: "sh", dockerfile: "sh", docker: "sh", makefile: "sh", postgres: "sql", sqlite: "sql",
  postgresql: "sql", mysql: "sql", ini: "toml", yml: "yaml",
};

/** What begins with `#` is a comment there. */
const HASH = new Set(["py", "rb", "rs", "sh", "toml", "yaml"].filter((name) => name !== "rs"));
const CASELESS = new Set(["sql"]);

/** Longer code stays plain: colours are not worth a page that stutters. */
const LONGEST = 60_000;

function grammarOf(name) {
  const keywords = new Set(WORDS[name].split(" "));
  const comments = [];
  if (HASH.has(name) || name === "php") comments.push("(?<=^|\\s)#[^\\n]*");
  if (name === "sql") comments.push("--[^\\n]*");
  if (!HASH.has(name) && !["sql", "css", "json"].includes(name)) comments.push("\\/\\/[^\\n]*");
  if (!HASH.has(name)) comments.push("\\/\\*[^]*?(?:\\*\\/|$)");
  const strings = ["\"(?:[^\"\\\\\\n]|\\\\.)*\"?"];
  if (name === "py") strings.unshift("(?:\"\"\"[^]*?(?:\"\"\"|$)|'''[^]*?(?:'''|$))");
  if (name !== "rs") strings.push("'(?:[^'\\\\\\n]|\\\\.)*'?"); else strings.push("'(?:[^'\\\\\\n]|\\\\.)'");
  if (["js", "go", "sh"].includes(name)) strings.push("`(?:[^`\\\\]|\\\\.)*`?");
  const pattern = `(${comments.join("|")})|(${strings.join("|")})|(\\b(?:0x[\\da-f_]+|\\d[\\d_]*(?:\\.\\d+)?(?:e[+-]?\\d+)?)\\w*)|([#@!]?[\\p{L}_][\\p{L}\\p{N}_?]*)(?=(\\s*\\()?)`;
  return { keywords, caseless: CASELESS.has(name), pattern: new RegExp(pattern, "gimu"), keys: name === "json" || name === "yaml" || name === "toml" };
}

const grammars = new Map();

/** Pieces of code: a string, or a class and a string. */
export function highlight(code, language) {
  const lower = (language || "").toLowerCase();
  const name = ALIASES[lower] || lower;
  if (lower === "diff" || lower === "patch") return diff(code);
  if (!Object.hasOwn(WORDS, name) || code.length > LONGEST) return [code];
  if (!grammars.has(name)) grammars.set(name, grammarOf(name));
  const { keywords, caseless, pattern, keys } = grammars.get(name);
  const pieces = [];
  let last = 0;
  for (const found of code.matchAll(pattern)) {
    const [text, comment, string, number, word, call] = found;
    let kind = comment ? "comment" : string ? "string" : number ? "number" : null;
    if (word && keywords.has(caseless ? word.toLowerCase() : word)) kind = "keyword";
    else if (word && call !== undefined && !keys) kind = "call";
    if (keys && (string || word) && /^\s*[:=]/.test(code.slice(found.index + text.length))) kind = "call";
    if (!kind) continue;
    if (found.index > last) pieces.push(code.slice(last, found.index));
    pieces.push([kind, text]);
    last = found.index + text.length;
  }
  if (last < code.length) pieces.push(code.slice(last));
  return pieces;
}

function diff(code) {
  return code.split(/(?<=\n)/).map((line) => {
    if (/^\+(?!\+\+)/.test(line)) return ["added", line];
    if (/^-(?!--)/.test(line)) return ["removed", line];
    return /^@@/.test(line) ? ["comment", line] : line;
  });
}
