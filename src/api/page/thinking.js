// The line that shows that an agent works, and which tool runs, until it writes.

import { el } from "./dom.js";
import * as timeline from "./timeline.js";

/** What the agent does at the moment, in its words; empty if it does not say. */
let step = "";

export function setStep(text) { step = text || ""; }

/** Shows the line, or removes it. `writes`: an answer is being shown; `asks`: a question waits for a person. */
export function show(works, writes, asks) {
  if (!works) step = "";
  const row = document.querySelector("#rows > li.thinking");
  if (!works || (writes && !step) || asks) return row?.remove();
  if (!row) return showStep(add());
  showStep(row);
  // It stays behind what was written meanwhile.
  const next = row.nextElementSibling;
  if (next && !next.classList.contains("unsent")) row.parentNode.insertBefore(row, timeline.firstUnsent());
}

function add() {
  const row = timeline.addRow("thinking", null, {});
  timeline.textOf(row).append(el("i"), el("i"), el("i"), el("span", { class: "step", dir: "auto" }));
  return row;
}

function showStep(row) {
  const line = row.querySelector(".step");
  const words = step ? step[0].toUpperCase() + step.slice(1) : "Thinking…";
  if (line.textContent !== words) line.textContent = words;
  line.classList.toggle("unseen", !step);
}
