// Background tasks of this chat: a card with the title, the state, and how far the agent is.
"use strict";

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

function findTask(id) { return findRow("b:" + id); }

/** Whether nothing follows any more. */
function hasEnded(state) { return !["queued", "running", "waiting"].includes(state); }

/** Removes the bar and the line of a task that does not run. */
function hideProgress(card) {
  for (const node of card.querySelectorAll("progress, .step")) node.remove();
}

/** Shows a task in its present state. */
function showTask(task) {
  const follows = atBottom();
  let card = findTask(task.task);
  if (!card) {
    card = addRow("task", task.title, "b:" + task.task);
    card.setAttribute("aria-label", "Background task " + task.task);
  }
  // A new attempt begins at nothing.
  if (card.dataset.attempt !== String(task.attempt) || task.state === "queued" || hasEnded(task.state)) hideProgress(card);
  card.dataset.attempt = task.attempt;
  card.dataset.state = task.state;
  const why = task.error && task.state !== "cancelled" ? " " + task.error.message : "";
  setNote(card, "Background task " + task.task + " " + (taskStates[task.state] || task.state) + "." + why);
  if (follows) toBottom();
}

/** Shows how far a running task is. */
function showProgress(progress) {
  const card = findTask(progress.task);
  if (!card || hasEnded(card.dataset.state) || Number(card.dataset.attempt) > progress.attempt) return;
  const follows = atBottom();
  let bar = card.querySelector("progress");
  if (!bar) {
    bar = document.createElement("progress");
    bar.max = 100;
    bar.setAttribute("aria-label", "Progress of background task " + progress.task);
    const step = document.createElement("span");
    step.className = "step";
    card.querySelector(".note").before(bar, step);
  }
  if (progress.percent === null) bar.removeAttribute("value"); else bar.value = progress.percent;
  const percent = progress.percent === null ? "" : progress.percent + " %";
  card.querySelector(".step").textContent = [percent, progress.text].filter(Boolean).join(" · ");
  if (follows) toBottom();
}

/** Shows the open tasks of this chat after a reload. */
async function showTasks() {
  const page = await getJson("/api/tasks?state=open&limit=200");
  for (const task of page.tasks.filter((task) => task.origin === session).reverse()) {
    showTask({ ...task, task: task.id });
    const { percent, text } = task.progress;
    if (percent !== null || text !== null) showProgress({ task: task.id, attempt: task.attempt, percent, text });
  }
}
