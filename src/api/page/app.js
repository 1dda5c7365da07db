// The web chat. It connects only to the gateway that served it: no address and no token is ever read from the query.
// Text of people and agents is inserted as text nodes, never as markup.
"use strict";

const KEY = "frontdesk.token";
const $ = (id) => document.getElementById(id);

/** The parameters in the URL's fragment, which browsers never send. The fragment is removed from the address bar. */
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
let seq = 0;              // the sequence number of the last stored frame that was shown
let early = null;         // frames that arrive before the history is shown
let count = 0;
let historyShown = false; // whether the history was shown
const waiting = new Map(); // prompts without an acknowledgement: id -> {text, row}; sent again after a reconnect
const open = new Set();    // messages without an answer

// -- display ---------------------------------------------------------------------------------------------

function showState(text) { $("state").textContent = text; }

function showView(name) {
  for (const id of ["login", "chat"]) $(id).hidden = id !== name;
  $("leave").hidden = name !== "chat";
}

function atBottom() {
  const log = $("log");
  return log.scrollHeight - log.scrollTop - log.clientHeight < 60;
}

function toBottom() { $("log").scrollTop = $("log").scrollHeight; }

/** Shows text with fenced code in blocks of its own. Only text nodes are created. */
function showText(node, text) {
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

function addRow(kind, text, id) {
  const follows = atBottom();
  const row = document.createElement("li");
  row.className = kind;
  if (id) row.dataset.id = id;
  const content = document.createElement("div");
  content.className = "text";
  showText(content, text);
  row.append(content);
  $("log").append(row);
  if (follows || kind === "mine") toBottom(); else $("down").hidden = false;
  return row;
}

function setNote(row, text) {
  let node = row.querySelector(".note");
  if (!node) {
    node = document.createElement("span");
    node.className = "note";
    row.append(node);
  }
  node.textContent = text;
}

function findRow(id) {
  return [...$("log").children].reverse().find((row) => row.dataset.id === id) || null;
}

/** The row of a message's answer. It is created when it is first needed. */
function answerRow(message) {
  return findRow("a:" + message) || addRow("theirs", "", "a:" + message);
}

function updateStopButton() { $("stop").hidden = open.size === 0; }

function markEnded(frame) {
  for (const id of frame.messages || [frame.about || frame.message]) open.delete(id);
  updateStopButton();
}

// -- frames of the gateway -------------------------------------------------------------------------------

/** The note below an unfinished answer, whose text stays. */
const unfinished = { cancelled: "(stopped)", dead: "(interrupted, /retry)" };

const frames = {
  ready() {
    tries = 0;
    showState("Connected");
    // At first the history is loaded over HTTP, so no frame is requested again: every number is lower than this one.
    const since = historyShown ? seq : Number.MAX_SAFE_INTEGER;
    early = historyShown ? null : [];
    sendFrame(session ? { type: "resume", id: "resume", session, last_seq: since }
                 : { type: "resume", id: "resume", chat, last_seq: since });
    for (const [id, prompt] of waiting) sendFrame({ type: "prompt", id, chat, text: prompt.text });
    for (const answer of openAnswers.values()) sendFrame(answer);
  },
  accepted(frame) {
    session = frame.session;
    const prompt = waiting.get(frame.id);
    if (!prompt) return;
    waiting.delete(frame.id);
    setNote(prompt.row, "");
    // After a reconnect the history may have shown it already.
    if (findRow("m:" + frame.message)) prompt.row.remove();
    else prompt.row.dataset.id = "m:" + frame.message;
    if (!findRow("a:" + frame.message)) open.add(frame.message);
    updateStopButton();
  },
  delta(frame) {
    const row = answerRow(frame.message);
    if (row.dataset.done) return;
    if (Number(row.dataset.attempt || 0) < frame.attempt) {
      row.dataset.attempt = frame.attempt;
      row.dataset.text = "";
    }
    row.dataset.text += frame.text;
    row.setAttribute("aria-busy", "true");
    const follows = atBottom();
    showText(row.querySelector(".text"), row.dataset.text);
    if (follows) toBottom(); else $("down").hidden = false;
  },
  done(frame) {
    const row = answerRow(frame.message);
    const follows = atBottom();
    row.dataset.done = "1";
    delete row.dataset.text;
    row.removeAttribute("aria-busy");
    setNote(row, "");
    showText(row.querySelector(".text"), frame.fullText);
    if (follows) toBottom(); else $("down").hidden = false;
    markEnded(frame);
  },
  message(frame) {
    addRow(frame.kind === "notice" ? "notice" : "theirs", frame.text);
  },
  ask(frame) {
    showAsk(frame);
    if (frame.reply) markEnded(frame);
  },
  ask_closed(frame) { closeAsk(frame); },
  task(frame) { showTask(frame); },
  progress(frame) { showProgress(frame); },
  status(frame) { markEnded(frame); },
  gap() {
    for (const row of $("log").querySelectorAll('li[aria-busy="true"]')) setNote(row, "Some of this answer is missing; the whole answer follows");
  },
  typing() {},
  pong() {},
  error(frame) {
    if (openAnswers.has(frame.id)) return answerRefused(frame);
    const prompt = waiting.get(frame.id);
    if (prompt) {
      waiting.delete(frame.id);
      prompt.row.classList.add("bad");
      setNote(prompt.row, frame.message);
      return;
    }
    if (frame.about) {
      const row = findRow("a:" + frame.about);
      if (row) {
        row.removeAttribute("aria-busy");
        // The reason of a failure arrives as a message of its own.
        setNote(row, { agent_failed: "", cancelled: unfinished.cancelled }[frame.code] ?? frame.message);
      } else if (frame.code !== "agent_failed") {
        addRow("notice", frame.message);
      }
      markEnded(frame);
      return;
    }
    showState(frame.message);
  },
};

function handleFrame(frame) {
  if (frame.id === "resume" && frame.result) return resumed(frame.result);
  const show = frames[frame.type];
  if (!show) return;
  if (early && ["delta", "done", "message", "ask", "ask_closed", "task", "progress", "status", "gap"].includes(frame.type)) {
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
  if (historyShown) return;
  const since = result.seq;
  try {
    await showHistory();
    await showAsks();
    await showTasks();
  } catch (error) {
    addRow("notice", "Earlier messages could not be loaded (" + error.message + "). Reload the page to try again.");
  }
  historyShown = true;
  seq = since;
  const later = early || [];
  early = null;
  later.forEach(handleFrame);
}

/** What the API returns at this path; null if there is no such thing. */
async function getJson(path) {
  const reply = await fetch(path, {
    headers: { Authorization: "Bearer " + localStorage.getItem(KEY) },
    cache: "no-store",
  });
  if (reply.status === 404) return null;
  if (!reply.ok) throw new Error("status " + reply.status);
  return reply.json();
}

async function showHistory() {
  const rows = [];
  // A page of large messages ends early: `next` is the cursor of the next page.
  for (let before = ""; before !== null && rows.length < 100;) {
    const query = "/messages?limit=" + (100 - rows.length) + (before && "&before=" + encodeURIComponent(before));
    const page = await getJson("/api/session/" + encodeURIComponent(session) + query);
    if (!page) return;
    rows.push(...page.messages);
    before = page.next;
  }
  rows.sort((a, b) => Number(a.message.slice(1)) - Number(b.message.slice(1)));
  for (const row of rows) {
    if (!findRow("m:" + row.message)) addRow("mine", row.text, "m:" + row.message);
    if (row.turn) findRow("m:" + row.message).dataset.turn = row.turn;
    if (row.answer !== null) {
      frames.done({ message: row.message, fullText: row.answer });
      if (unfinished[row.state]) setNote(findRow("a:" + row.message), unfinished[row.state]);
    }
    else if (row.state === "waiting" || row.state === "in_turn") open.add(row.message);
    else if (row.state !== "answered") setNote(findRow("m:" + row.message), row.state);
  }
  updateStopButton();
  toBottom();
}

// -- connection ------------------------------------------------------------------------------------------

function sendFrame(frame) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
}

function connect() {
  clearTimeout(timer);
  const token = localStorage.getItem(KEY);
  if (!token || !/^[\w-]+$/.test(token)) return showView("login");
  showView("chat");
  showState("Connecting…");
  const scheme = location.protocol === "https:" ? "wss://" : "ws://";
  const mine = socket = new WebSocket(scheme + location.host + "/ws", ["frontdesk.v1", "bearer." + token]);
  let wasOpen = false;
  socket.onopen = () => { wasOpen = true; };
  socket.onmessage = (event) => { if (mine === socket) handleFrame(JSON.parse(event.data)); };
  socket.onclose = (event) => {
    if (mine !== socket) return;
    socket = null;
    if (event.code === 1008) return logout("This token is no longer valid. Open a new login link.");
    // Browsers do not tell a page why a handshake was refused, so the reason is asked over HTTP.
    if (wasOpen) reconnect(); else refusalReason().then((text) => (text ? logout(text) : reconnect()));
  };
}

async function refusalReason() {
  try {
    const reply = await fetch("/api/status", {
      headers: { Authorization: "Bearer " + localStorage.getItem(KEY) },
      cache: "no-store",
    });
    return reply.status === 401 ? "This token is not valid. Open a new login link, or paste the token again." : null;
  } catch {
    return null;
  }
}

function reconnect() {
  const wait = Math.min(30000, 500 * 2 ** tries++) * (0.5 + Math.random() / 2);
  showState("Not connected; trying again…");
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
  openAnswers.clear();
  open.clear();
  session = null;
  seq = 0;
  historyShown = false;
  showState("Not logged in");
  if (text) $("login-why").textContent = text;
  showView("login");
  $("token").focus();
}

// -- input -----------------------------------------------------------------------------------------------

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("") + count++;
}

function submitPrompt() {
  const text = $("text").value;
  if (!text.trim()) return;
  const id = newId();
  const row = addRow("mine", text);
  setNote(row, "sending…");
  waiting.set(id, { text, row });
  sendFrame({ type: "prompt", id, chat, text });
  $("text").value = "";
  fitComposer();
}

function fitComposer() {
  const text = $("text");
  text.style.height = "auto";
  text.style.height = text.scrollHeight + 2 + "px";
}

$("composer").addEventListener("submit", (event) => { event.preventDefault(); submitPrompt(); $("text").focus(); });
$("text").addEventListener("input", fitComposer);
$("text").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submitPrompt();
});
$("stop").addEventListener("click", () => sendFrame({ type: "abort", chat }));
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
// Opening a login link in a tab that shows the page already changes only the fragment.
addEventListener("hashchange", () => {
  const token = fragment().get("token");
  if (!token) return;
  logout();
  localStorage.setItem(KEY, token);
  connect();
});

connect();
