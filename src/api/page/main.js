// The web chat. It connects only to the gateway that served it: no address and no token is ever read from the query.
// Text of people and agents is inserted as text nodes, never as markup.

import { leave } from "./api.js";
import * as asks from "./asks.js";
import * as attachments from "./attachments.js";
import * as banner from "./banner.js";
import * as chatRows from "./chat.js";
import * as composer from "./composer.js";
import * as conversations from "./conversations.js";
import { Connection } from "./connection.js";
import * as epochs from "./epochs.js";
import { byId, el, icon } from "./dom.js";
import * as history from "./history.js";
import * as login from "./login.js";
import * as place from "./place.js";
import * as recorder from "./recorder.js";
import { forget, token } from "./storage.js";
import { showOpenTasks } from "./tasks.js";
import * as timeline from "./timeline.js";

const { chat } = chatRows;

/** Frames that arrive before the timeline is shown; null once it is. */
let early = [];

const connection = new Connection({
  frame: receive,
  state(name, next) {
    banner.show(name, next);
    if (name === "open") resume();
  },
  refused(why) { logout(why); },
});

function receive(frame) {
  if (frame.id === "resume" && frame.result) return resumed(frame.result);
  if (early && chatRows.isShown(frame)) early.push(frame);
  else chatRows.handle(frame);
}

/** The connection is there: asks for what happens from now on; what happened before is read over HTTP. */
function resume() {
  early = [];
  const which = chat.foreign ? { session: chat.foreign } : { chat: chat.name };
  connection.send({ type: "resume", id: "resume", ...which, last_seq: Number.MAX_SAFE_INTEGER, follow: true });
  chatRows.sendKept();
  attachments.retry();
}

async function resumed({ session }) {
  const mine = early;
  chat.session = session;
  epochs.of(session, !chat.foreign);
  try {
    await history.showNewest(session);
    await showOpenTasks(session);
  } catch (error) {
    const row = timeline.addRow("notice", null, {});
    timeline.showPlain(row, `Earlier messages could not be loaded (${error.message}). Reload the page to try again.`);
  }
  // A later connection or another chat has its own.
  if (mine !== early) return;
  early = null;
  mine.forEach(chatRows.handle);
  chatRows.update();
  showAgent(session);
  refreshList();
  conversations.showChannels();
  if (wanted) revealWanted();
}

let refreshing = 0;

/** Reads the list of conversations again, soon. */
function refreshList() {
  clearTimeout(refreshing);
  refreshing = setTimeout(() => {
    if (token.get() && chat.session) conversations.refresh(chat.foreign ? null : chat.session).catch(() => {});
  }, 300);
}

/** The agent is a part of the session's key. */
const agentOf = (session) => decodeURIComponent(session.split(":")[1] || "");

let looking = 0;

/** Reads the timeline once more: resets and what other programs write are told only there. */
function lookAgain() {
  clearTimeout(looking);
  looking = setTimeout(() => {
    if (chat.session && !early) history.showNewest(chat.session).catch(() => {});
  }, 250);
}

// -- views -----------------------------------------------------------------------------------------------

function showView(name) {
  for (const id of ["login", "chat"]) byId(id).hidden = id !== name;
  for (const id of ["leave", "menu", "side"]) byId(id).hidden = name !== "chat";
  if (name !== "chat") byId("console").hidden = true;
}

/** Shows what the chat is called. */
function showTitle(title, isPlain) {
  byId("title").textContent = title;
  document.title = isPlain ? "Frontdesk" : `${title} · Frontdesk`;
}

/** A message that a search has found, to be shown once its chat is open. */
let wanted = null;

function revealWanted() {
  const message = wanted;
  wanted = null;
  history.reveal(chat.session, message).catch(() => {});
}

/** Chats of other channels tell this page nothing, so their timeline is read again from time to time. */
setInterval(() => { if (chat.foreign && !document.hidden) lookAgain(); }, 5000);

/** Opens a chat; one of another channel by its session, to be read only. */
function enter(name, foreign = null) {
  connection.close();
  chatRows.clear();
  history.clear();
  asks.clear();
  epochs.of(null);
  chat.name = name;
  chat.foreign = foreign;
  document.body.classList.toggle("reads", Boolean(foreign));
  byId("composer").hidden = Boolean(foreign);
  byId("readonly").hidden = !foreign;
  byId("readonly").textContent = foreign ? `This conversation is on ${foreign.split(":")[2][0].toUpperCase()}${foreign.split(":")[2].split("@")[0].slice(1)}. You can read it here; answer it there.` : "";
  conversations.setCurrent(name);
  showView("chat");
  chatRows.showKept();
  composer.open(name);
  connection.open();
}

/** Forgets the token and everything else; `why` says what was wrong with it. */
function logout(why) {
  connection.close();
  forget();
  chatRows.clear();
  history.clear();
  asks.clear();
  epochs.of(null);
  composer.clear();
  conversations.clear();
  showTitle("Frontdesk", true);
  banner.show("out");
  showView("login");
  login.explain(why);
}

const examples = ["What can you do?", "Explain this to me step by step: ", "/help"];

/** The empty chat says who answers. */
function showAgent(session) {
  const agent = agentOf(session);
  byId("empty-agent").textContent = agent ? `You write to the agent “${agent}”.` : "";
}

byId("examples").append(...examples.map((text) => {
  const button = el("button", { type: "button" }, text);
  button.addEventListener("click", () => { if (text.startsWith("/")) chatRows.say(text); else composer.put(text); });
  return button;
}));

// -- start -----------------------------------------------------------------------------------------------

byId("leave").append(icon("leave"));
byId("console").append(icon("console"));
byId("leave").addEventListener("click", () => { leave(); logout(); });
banner.setUp(() => connection.tryNow());
asks.setUp({ send: (frame) => connection.send(frame), newId: chatRows.newId });
chatRows.setUp({ send: (frame) => connection.send(frame), lookAgain, moved: refreshList });
epochs.setUp({ resume(epoch) { chatRows.say("/resume " + epoch); composer.focus(); } });
conversations.setUp({ title: showTitle, reveal(message, isOpen) { wanted = message; if (isOpen) revealWanted(); } });
composer.setUp({ send: chatRows.say, stop: chatRows.stop });
login.setUp(() => enter(place.read().chat));
timeline.onBeginning(() => history.showEarlier(chat.session).catch(() => {}));
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && recorder.discard()) return event.preventDefault();
  if (event.key === "Escape" && !event.isComposing && composer.isRunning()) { event.preventDefault(); chatRows.stop(); }
});
// A login link that is opened in this tab changes only the fragment, as does the address of another chat.
addEventListener("hashchange", start);

async function start() {
  const given = place.read();
  const why = given.token || given.ticket ? await login.take(given) : undefined;
  // A link that was used here before leads to where it has led.
  if (token.get() && why !== "malformed") enter(given.chat, given.session); else logout(why);
}

start();
