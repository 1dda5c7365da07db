// Earlier conversations of a chat: the line where one began, and a menu that returns to one.

import { get, sessionPath } from "./api.js";
import { byId, clock, el, icon } from "./dom.js";
import * as timeline from "./timeline.js";

const reasons = {
  first: "",
  new: "New conversation",
  idle: "New conversation, after a pause",
  daily: "New conversation, for a new day",
  "daily,idle": "New conversation, for a new day",
  api: "New conversation, begun by an operator",
  erased: "The conversation before was erased",
  job: "New conversation, for a scheduled run",
};

let onReturn = () => {};

const back = (epoch) => () => { close(); onReturn(epoch); };

/** Shows where a conversation began. Returns its row, or `before` if there is nothing to show. */
export function showEpoch(item, place, before) {
  const id = "e:" + item.epoch;
  const text = reasons[item.reason] ?? "New conversation";
  if (timeline.find(id) || !text) return timeline.find(id) || before;
  const row = timeline.addDivider(id, `${text} · ${clock(new Date(item.at))}`, place);
  if (item.reason === "erased") return row;
  const button = el("button", { type: "button", class: "link" }, "Return to the one before");
  button.addEventListener("click", back(item.epoch - 1));
  row.append(button);
  return row;
}

// -- the menu --------------------------------------------------------------------------------------------

const menu = byId("epochs");
const opener = byId("earlier-chats");

let session = null;
let mayReturn = true;

/** Names the session whose conversations the menu has, and says whether one can go on with them here. */
export function of(key, canReturn = true) {
  session = key;
  mayReturn = canReturn;
  opener.hidden = !key;
  close();
}

function close() {
  menu.hidden = true;
  opener.setAttribute("aria-expanded", "false");
}

async function open() {
  const found = await get(sessionPath(session)).catch(() => null);
  const epochs = (found?.epochs || []).filter((one) => one.messages > 0 || one.epoch === found.epoch);
  menu.replaceChildren(el("p", {}, epochs.length > 1 ? "Conversations in this chat" : "There is no earlier conversation in this chat."),
    ...(epochs.length > 1 ? [el("ul", {}, ...epochs.map((one) => line(one, found.epoch)))] : []));
  menu.hidden = false;
  opener.setAttribute("aria-expanded", "true");
  (menu.querySelector("button") || menu).focus();
}

function line(one, current) {
  const words = one.first_text?.replace(/\s+/g, " ").trim() || "New conversation";
  const about = `${clock(new Date(one.started))} · ${one.messages} ${one.messages === 1 ? "message" : "messages"}`;
  const isCurrent = one.epoch === current;
  const content = [el("span", { class: "name", dir: "auto" }, words), el("span", { class: "size" }, isCurrent ? `${about} · open` : about)];
  if (isCurrent || !mayReturn) return el("li", {}, el("div", { "aria-current": isCurrent ? "true" : null }, ...content));
  const button = el("button", { type: "button", title: "Return to this conversation" }, ...content);
  button.addEventListener("click", back(one.epoch));
  return el("li", {}, button);
}

/** `resume(epoch)` goes on with an earlier conversation. */
export function setUp(options) {
  onReturn = options.resume;
  opener.append(icon("earlier"));
  opener.addEventListener("click", () => (menu.hidden ? open() : close()));
  document.addEventListener("click", (event) => { if (!menu.hidden && !menu.contains(event.target) && !opener.contains(event.target)) close(); });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
    opener.focus();
  });
}
