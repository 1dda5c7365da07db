// Background tasks of this chat: a card with the title, the state, and how far the agent is.

import { get } from "./api.js";
import { el } from "./dom.js";
import { addRow, find, setNote, showPlain } from "./timeline.js";

const taskStates = {
  queued: "waits for a free place",
  running: "is running",
  waiting: "waits for an answer",
  succeeded: "is done",
  failed: "has failed",
  cancelled: "was cancelled",
  timed_out: "took too long",
  lost: "was cut off",
};

/** Whether nothing follows any more. */
function hasEnded(state) { return !["queued", "running", "waiting"].includes(state); }

/** Removes the bar and the line of a task that does not run. */
function hideProgress(card) {
  for (const node of card.querySelectorAll("progress, .step")) node.remove();
}

/** Shows a task in this state, unless its card shows a later one. */
export function showTask(task, place) {
  const id = "b:" + task.task;
  let card = find(id);
  if (card && Number(card.dataset.seq) >= (task.seq || 0)) {
    // Its place is that of its first state.
    if (place?.before && place.before !== card) place.before.before(card);
    return card;
  }
  if (!card) {
    card = addRow("task", id, place);
    card.setAttribute("aria-label", "Background task " + task.task);
  }
  showPlain(card, task.title);
  // A new attempt begins at nothing.
  if (card.dataset.attempt !== String(task.attempt) || task.state === "queued" || hasEnded(task.state)) hideProgress(card);
  card.dataset.seq = task.seq || 0;
  card.dataset.attempt = task.attempt;
  card.dataset.state = task.state;
  const why = task.error && task.state !== "cancelled" ? " " + task.error.message : "";
  setNote(card, "Background task " + task.task + " " + (taskStates[task.state] || task.state) + "." + why);
  // It moves, though nobody knows yet how far the agent is.
  if (task.state === "running" && !card.querySelector("progress")) showProgress({ ...task, percent: null, text: null });
  return card;
}

/** Shows how far a running task is. */
export function showProgress(progress) {
  const card = find("b:" + progress.task);
  if (!card || hasEnded(card.dataset.state) || Number(card.dataset.attempt) > progress.attempt) return;
  let bar = card.querySelector("progress");
  if (!bar) {
    bar = el("progress", { max: "100", "aria-label": "Progress of background task " + progress.task });
    card.querySelector(".note").before(bar, el("span", { class: "step" }));
  }
  if (progress.percent === null) bar.removeAttribute("value"); else bar.value = progress.percent;
  const percent = progress.percent === null ? "" : progress.percent + " %";
  card.querySelector(".step").textContent = [percent, progress.text].filter(Boolean).join(" · ");
}

/** Shows the open tasks of a session that its newest rows do not show, after a reload. */
export async function showOpenTasks(session) {
  const page = await get("/api/tasks?state=open&limit=200");
  for (const task of page.tasks.filter((task) => task.origin === session).reverse()) {
    showTask({ ...task, task: task.id });
    const { percent, text } = task.progress;
    if (percent !== null || text !== null) showProgress({ task: task.id, attempt: task.attempt, percent, text });
  }
}
