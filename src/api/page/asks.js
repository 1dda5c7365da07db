// Questions to the person who reads this chat: a card with buttons, or with a field for an answer in words.

import { el } from "./dom.js";
import { addRow, find, setNote, showText, textOf } from "./timeline.js";

/** Answers without a reaction of the gateway: frame id -> frame. Sent again after a reconnect. */
export const openAnswers = new Map();

/** What came of questions whose card is not shown yet: the end is newer than the question. */
const ended = new Map();

let send = () => {};
let newId = () => "";

export function setUp(options) { ({ send, newId } = options); }

export function clear() {
  openAnswers.clear();
  ended.clear();
}

/** The words below a question that is closed. People on this page have no names. */
function outcomeOf(card, closed) {
  const answer = card.labels.get(closed.choice) || closed.choice || closed.answer;
  const by = closed.by_name || (closed.by && !closed.by.startsWith("web:") ? closed.by : "");
  switch (closed.state) {
    case "answered": return "Answer: " + answer + (by && " (" + by + ")");
    case "expired": return answer ? "Nobody answered in time, so the default applies: " + answer : "This question has expired";
    default: return "This question was withdrawn";
  }
}

/** `until 14:05`, with the date if that is not today. */
function untilText(deadline) {
  const at = new Date(deadline);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const today = at.toDateString() === new Date().toDateString();
  return "Please answer until " + (today ? time : at.toLocaleDateString() + ", " + time);
}

/** Sends an answer. The card is closed by the gateway's frame, not here: somebody else may have been faster. */
function sendAnswer(card, answer) {
  if (card.dataset.sending) return;
  card.dataset.sending = "1";
  for (const control of card.querySelectorAll(".choices button, .choices input")) control.setAttribute("aria-disabled", "true");
  setNote(card, "sending…");
  const frame = { type: "answer", id: newId(), ask: card.dataset.id.slice(2), ...answer };
  openAnswers.set(frame.id, frame);
  send(frame);
}

/** An answer was refused. The person can choose again, unless the question is closed. */
export function answerRefused(frame) {
  const answer = openAnswers.get(frame.id);
  openAnswers.delete(frame.id);
  const card = find("q:" + answer.ask);
  if (!card || card.dataset.closed) return;
  delete card.dataset.sending;
  for (const control of card.querySelectorAll(".choices button, .choices input")) control.removeAttribute("aria-disabled");
  setNote(card, frame.message);
}

function choiceButton(card, choice) {
  const button = el("button", { type: "button", class: choice.style || null }, choice.label);
  button.addEventListener("click", () => sendAnswer(card, { choice: choice.id }));
  return button;
}

function inputForm(card) {
  const input = el("input", { id: "answer-" + card.dataset.id.slice(2), dir: "auto", autocomplete: "off" });
  const form = el("form", {}, el("label", { for: input.id, class: "unseen" }, "Your answer"), input,
    el("button", { type: "submit", class: "primary" }, "Answer"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value.trim()) sendAnswer(card, { text: input.value });
  });
  return form;
}

/** Shows a question, unless it is shown already. */
export function showAsk(ask, place) {
  const id = "q:" + ask.ask;
  if (find(id)) return find(id);
  const card = addRow("ask", id, place);
  showText(card, ask.text, ask.markup);
  card.labels = new Map(ask.choices.map((choice) => [choice.id, choice.label]));
  const text = textOf(card);
  text.id = "ask-" + ask.ask;
  text.tabIndex = -1;
  const controls = el("div", { class: "choices", role: "group", "aria-labelledby": text.id });
  if (ask.kind === "input") controls.append(inputForm(card));
  else controls.append(...ask.choices.map((choice) => choiceButton(card, choice)));
  if (!ask.may_answer) for (const control of controls.querySelectorAll("button, input")) control.disabled = true;
  card.append(controls);
  setNote(card, ask.may_answer ? untilText(ask.deadline) : "Somebody else has to answer this");
  if (ended.has(ask.ask)) closeAsk(ended.get(ask.ask));
  return card;
}

/** Closes a question: the buttons go, and what came of it is shown. The keyboard's focus stays at the question. */
export function closeAsk(closed) {
  const card = find("q:" + closed.ask);
  for (const [id, answer] of openAnswers) if (answer.ask === closed.ask) openAnswers.delete(id);
  if (!card) { ended.set(closed.ask, closed); return; }
  if (card.dataset.closed) return;
  card.dataset.closed = closed.state;
  const controls = card.querySelector(".choices");
  const focused = controls.contains(document.activeElement);
  controls.remove();
  setNote(card, outcomeOf(card, closed));
  if (focused) textOf(card).focus();
}
