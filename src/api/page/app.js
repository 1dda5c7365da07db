// The web chat. It speaks to the gateway that served it and to nobody else: no address and no token is ever
// taken from the query, and whatever people or agents wrote becomes text, never markup.
"use strict";

const KEY = "frontdesk.token";
const $ = (id) => document.getElementById(id);

/** What a fragment says; a fragment never leaves the browser. It is taken out of the address bar at once. */
function fragment() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(null, "", location.pathname);
  return given;
}

const given = fragment();
if (given.get("token")) localStorage.setItem(KEY, given.get("token"));
const chat = given.get("chat") || "main";

let socket = null;
let tries = 0;
let timer = 0;
let session = null;       // the session's key, once known
let seq = 0;              // the last durable line that was shown
let early = null;         // frames that come before the history is shown
let count = 0;
let shows = false;        // whether the history was shown
const waiting = new Map(); // prompts without an acknowledgement: id -> {text, row}; sent again after a break
const open = new Set();    // messages without an answer

// -- what is seen ---------------------------------------------------------------------------------------

function state(text) { $("state").textContent = text; }

function view(name) {
  for (const id of ["login", "chat"]) $(id).hidden = id !== name;
  $("leave").hidden = name !== "chat";
}

function atBottom() {
  const log = $("log");
  return log.scrollHeight - log.scrollTop - log.clientHeight < 60;
}

function toBottom() { $("log").scrollTop = $("log").scrollHeight; }

/** Text with its fenced code set apart. Only text nodes are made. */
function fill(node, text) {
  node.replaceChildren();
  text.split(/^```[^\n]*\n?/m).forEach((piece, index) => {
    if (index % 2 === 0) {
      if (piece) node.append(piece);
      return;
    }
    const pre = document.createElement("pre");
    pre.textContent = piece.replace(/\n$/, "");
    node.append(pre);
  });
}

function line(kind, text, id) {
  const follows = atBottom();
  const row = document.createElement("li");
  row.className = kind;
  if (id) row.dataset.id = id;
  const said = document.createElement("div");
  said.className = "said";
  fill(said, text);
  row.append(said);
  $("log").append(row);
  if (follows || kind === "mine") toBottom(); else $("down").hidden = false;
  return row;
}

function note(row, text) {
  let node = row.querySelector(".note");
  if (!node) {
    node = document.createElement("span");
    node.className = "note";
    row.append(node);
  }
  node.textContent = text;
}

function find(id) {
  return [...$("log").children].reverse().find((row) => row.dataset.id === id) || null;
}

/** The line of a message's answer, made when there is something in it. */
function answer(message) {
  return find("a:" + message) || line("theirs", "", "a:" + message);
}

function settle() { $("stop").hidden = open.size === 0; }

function ended(frame) {
  for (const id of frame.messages || [frame.about || frame.message]) open.delete(id);
  settle();
}

// -- what the gateway says --------------------------------------------------------------------------------

/** What stands below an answer that was cut off; what was shown of it stays. */
const unfinished = { cancelled: "(stopped)", dead: "(interrupted, /retry)" };

const frames = {
  ready() {
    tries = 0;
    state("Connected");
    // The first time the history says what was; a number beyond every line asks for none of them.
    const since = shows ? seq : Number.MAX_SAFE_INTEGER;
    early = shows ? null : [];
    tell(session ? { type: "resume", id: "resume", session, last_seq: since }
                 : { type: "resume", id: "resume", chat, last_seq: since });
    for (const [id, prompt] of waiting) tell({ type: "prompt", id, chat, text: prompt.text });
  },
  accepted(frame) {
    session = frame.session;
    const prompt = waiting.get(frame.id);
    if (!prompt) return;
    waiting.delete(frame.id);
    note(prompt.row, "");
    // The history may have shown it already, after a break.
    if (find("m:" + frame.message)) prompt.row.remove();
    else prompt.row.dataset.id = "m:" + frame.message;
    if (!find("a:" + frame.message)) open.add(frame.message);
    settle();
  },
  delta(frame) {
    const row = answer(frame.message);
    if (row.dataset.done) return;
    if (Number(row.dataset.attempt || 0) < frame.attempt) {
      row.dataset.attempt = frame.attempt;
      row.dataset.text = "";
    }
    row.dataset.text += frame.text;
    row.setAttribute("aria-busy", "true");
    const follows = atBottom();
    fill(row.querySelector(".said"), row.dataset.text);
    if (follows) toBottom(); else $("down").hidden = false;
  },
  done(frame) {
    const row = answer(frame.message);
    const follows = atBottom();
    row.dataset.done = "1";
    delete row.dataset.text;
    row.removeAttribute("aria-busy");
    note(row, "");
    fill(row.querySelector(".said"), frame.fullText);
    if (follows) toBottom(); else $("down").hidden = false;
    ended(frame);
  },
  message(frame) {
    line(frame.kind === "notice" ? "notice" : "theirs", frame.text);
  },
  status(frame) { ended(frame); },
  gap() {
    for (const row of $("log").querySelectorAll('li[aria-busy="true"]')) note(row, "pieces are missing; the whole answer follows");
  },
  typing() {},
  pong() {},
  error(frame) {
    const prompt = waiting.get(frame.id);
    if (prompt) {
      waiting.delete(frame.id);
      prompt.row.classList.add("bad");
      note(prompt.row, frame.message);
      return;
    }
    if (frame.about) {
      const row = find("a:" + frame.about);
      if (row) {
        row.removeAttribute("aria-busy");
        // Why an agent failed is a line of its own.
        note(row, { agent_failed: "", cancelled: unfinished.cancelled }[frame.code] ?? frame.message);
      } else if (frame.code !== "agent_failed") {
        line("notice", frame.message);
      }
      ended(frame);
      return;
    }
    state(frame.message);
  },
};

function hear(frame) {
  if (frame.id === "resume" && frame.result) return resumed(frame.result);
  const show = frames[frame.type];
  if (!show) return;
  if (early && ["delta", "done", "message", "status", "gap"].includes(frame.type)) {
    early.push(frame);
    return;
  }
  if (frame.seq) {
    if (frame.session === session && frame.seq <= seq) return;
    seq = Math.max(seq, frame.seq);
  }
  show(frame);
}

async function resumed(result) {
  session = result.session;
  if (shows) return;
  const since = result.seq;
  try {
    await showHistory();
  } catch (error) {
    line("notice", "The history could not be loaded: " + error.message);
  }
  shows = true;
  seq = since;
  const later = early || [];
  early = null;
  later.forEach(hear);
}

async function showHistory() {
  const rows = [];
  // A page ends early where messages are large: `next` says where the list goes on.
  for (let before = ""; before !== null && rows.length < 100;) {
    const path = "/messages?limit=" + (100 - rows.length) + (before && "&before=" + encodeURIComponent(before));
    const reply = await fetch("/api/session/" + encodeURIComponent(session) + path, {
      headers: { Authorization: "Bearer " + localStorage.getItem(KEY) },
      cache: "no-store",
    });
    if (reply.status === 404) return;
    if (!reply.ok) throw new Error("status " + reply.status);
    const page = await reply.json();
    rows.push(...page.messages);
    before = page.next;
  }
  rows.sort((a, b) => Number(a.message.slice(1)) - Number(b.message.slice(1)));
  for (const row of rows) {
    if (!find("m:" + row.message)) line("mine", row.text, "m:" + row.message);
    if (row.answer !== null) {
      frames.done({ message: row.message, fullText: row.answer });
      if (unfinished[row.state]) note(find("a:" + row.message), unfinished[row.state]);
    }
    else if (row.state === "waiting" || row.state === "in_turn") open.add(row.message);
    else if (row.state !== "answered") note(find("m:" + row.message), row.state);
  }
  settle();
  toBottom();
}

// -- the connection ---------------------------------------------------------------------------------------

function tell(frame) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
}

function connect() {
  clearTimeout(timer);
  const token = localStorage.getItem(KEY);
  if (!token || !/^[\w-]+$/.test(token)) return view("login");
  view("chat");
  state("Connecting…");
  const scheme = location.protocol === "https:" ? "wss://" : "ws://";
  const mine = socket = new WebSocket(scheme + location.host + "/ws", ["frontdesk.v1", "bearer." + token]);
  let wasOpen = false;
  socket.onopen = () => { wasOpen = true; };
  socket.onmessage = (event) => { if (mine === socket) hear(JSON.parse(event.data)); };
  socket.onclose = (event) => {
    if (mine !== socket) return;
    socket = null;
    if (event.code === 1008) return logout("This token is not valid any more.");
    // A refused handshake says no reason to a page, so we ask in another way.
    if (wasOpen) again(); else why().then((text) => (text ? logout(text) : again()));
  };
}

async function why() {
  try {
    const reply = await fetch("/api/status", {
      headers: { Authorization: "Bearer " + localStorage.getItem(KEY) },
      cache: "no-store",
    });
    return reply.status === 401 ? "This token is not valid." : null;
  } catch {
    return null;
  }
}

function again() {
  const wait = Math.min(30000, 500 * 2 ** tries++) * (0.5 + Math.random() / 2);
  state("Not connected; trying again…");
  timer = setTimeout(connect, wait);
}

function logout(text) {
  clearTimeout(timer);
  localStorage.removeItem(KEY);
  const old = socket;
  socket = null;
  if (old) old.close();
  $("log").replaceChildren();
  waiting.clear();
  open.clear();
  session = null;
  seq = 0;
  shows = false;
  state("Not logged in");
  if (text) $("login-why").textContent = text;
  view("login");
  $("token").focus();
}

// -- what the person does ---------------------------------------------------------------------------------

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("") + count++;
}

function say() {
  const text = $("text").value;
  if (!text.trim()) return;
  const id = newId();
  const row = line("mine", text);
  note(row, "sending…");
  waiting.set(id, { text, row });
  tell({ type: "prompt", id, chat, text });
  $("text").value = "";
  grow();
}

function grow() {
  const text = $("text");
  text.style.height = "auto";
  text.style.height = text.scrollHeight + 2 + "px";
}

$("composer").addEventListener("submit", (event) => { event.preventDefault(); say(); $("text").focus(); });
$("text").addEventListener("input", grow);
$("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  say();
});
$("stop").addEventListener("click", () => tell({ type: "abort", chat }));
$("leave").addEventListener("click", () => logout());
$("down").addEventListener("click", toBottom);
$("log").addEventListener("scroll", () => { if (atBottom()) $("down").hidden = true; });
$("login-form").addEventListener("submit", (event) => {
  event.preventDefault();
  localStorage.setItem(KEY, $("token").value.trim());
  $("token").value = "";
  connect();
});
addEventListener("online", () => { if (!socket && localStorage.getItem(KEY)) connect(); });
// A login link that is opened in a tab that shows the page already changes only the fragment.
addEventListener("hashchange", () => {
  const token = fragment().get("token");
  if (!token) return;
  logout();
  localStorage.setItem(KEY, token);
  connect();
});

connect();
