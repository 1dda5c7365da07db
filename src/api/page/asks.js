// Questions to the person who reads this chat: a card with buttons, or with a field for an answer in words.
"use strict";

const openAnswers = new Map(); // answers without a reaction of the gateway: frame id -> frame; sent again after a reconnect

function findAsk(id) { return findRow("q:" + id); }

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
  for (const control of card.querySelectorAll("button, input")) control.setAttribute("aria-disabled", "true");
  setNote(card, "sending…");
  const frame = { type: "answer", id: newId(), ask: card.dataset.id.slice(2), ...answer };
  openAnswers.set(frame.id, frame);
  sendFrame(frame);
}

/** An answer was refused. The person can choose again, unless the question is closed. */
function answerRefused(frame) {
  const answer = openAnswers.get(frame.id);
  openAnswers.delete(frame.id);
  const card = findAsk(answer.ask);
  if (!card || card.dataset.closed) return;
  delete card.dataset.sending;
  for (const control of card.querySelectorAll("button, input")) control.removeAttribute("aria-disabled");
  setNote(card, frame.message);
}

function choiceButton(card, choice) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = choice.label;
  if (choice.style) button.className = choice.style;
  button.addEventListener("click", () => sendAnswer(card, { choice: choice.id }));
  return button;
}

function inputForm(card) {
  const form = document.createElement("form");
  const label = document.createElement("label");
  const input = document.createElement("input");
  const send = document.createElement("button");
  input.id = "answer-" + card.dataset.id.slice(2);
  input.dir = "auto";
  input.autocomplete = "off";
  label.htmlFor = input.id;
  label.className = "unseen";
  label.textContent = "Your answer";
  send.type = "submit";
  send.textContent = "Answer";
  form.append(label, input, send);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value.trim()) sendAnswer(card, { text: input.value });
  });
  return form;
}

/** Shows a question, unless it is shown already. `move` puts its row where it belongs. */
function showAsk(ask, move) {
  if (findAsk(ask.ask)) return;
  const follows = atBottom();
  const card = addRow("ask", ask.text, "q:" + ask.ask);
  if (move) move(card);
  card.labels = new Map(ask.choices.map((choice) => [choice.id, choice.label]));
  const text = card.querySelector(".text");
  text.id = "ask-" + ask.ask;
  text.tabIndex = -1;
  const controls = document.createElement("div");
  controls.className = "choices";
  controls.setAttribute("role", "group");
  controls.setAttribute("aria-labelledby", text.id);
  if (ask.kind === "input") controls.append(inputForm(card));
  else controls.append(...ask.choices.map((choice) => choiceButton(card, choice)));
  if (!ask.may_answer) for (const control of controls.querySelectorAll("button, input")) control.disabled = true;
  card.append(controls);
  setNote(card, ask.may_answer ? untilText(ask.deadline) : "Somebody else has to answer this");
  if (follows) toBottom();
}

/** Closes a question: the buttons go, and what came of it is shown. The keyboard's focus stays at the question. */
function closeAsk(closed) {
  const card = findAsk(closed.ask);
  for (const [id, answer] of openAnswers) if (answer.ask === closed.ask) openAnswers.delete(id);
  if (!card || card.dataset.closed) return;
  card.dataset.closed = closed.state;
  const controls = card.querySelector(".choices");
  const focused = controls.contains(document.activeElement);
  controls.remove();
  setNote(card, outcomeOf(card, closed));
  if (focused) card.querySelector(".text").focus();
}

/** Puts a question behind the message that led to it and earlier questions, before the answer. */
function place(card, turn) {
  const message = turn && [...$("log").children].reverse().find((row) => row.dataset.turn === turn);
  if (!message) return;
  let next = message.nextElementSibling;
  while (next && next !== card && next.classList.contains("ask")) next = next.nextElementSibling;
  if (next !== card) $("log").insertBefore(card, next);
}

/** Shows the questions of this chat after a reload. */
async function showAsks() {
  const query = "/api/asks?state=all&session=" + encodeURIComponent(session);
  const asks = [];
  let before = null;
  do {
    const page = await getJson(query + (before ? "&before=" + before : ""));
    asks.push(...page.asks);
    before = page.next;
  } while (before);
  for (const ask of asks.reverse()) {
    showAsk({ ...ask, ask: ask.id }, (card) => place(card, ask.turn));
    if (ask.state !== "open") closeAsk({ ...ask, ask: ask.id });
  }
}
