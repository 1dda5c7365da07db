// What an operator does: asked once more where it cannot be undone, and its failure said where it happened.

import { byId, el, speak } from "/page/dom.js";

/** Whether the token may change anything. */
export const may = { change: false };

const dialog = byId("confirm");

/** Asks whether to go on. `text` is a string or a list of nodes. */
export function confirmed({ title, text, yes, danger = false }) {
  byId("confirm-title").textContent = title;
  byId("confirm-text").replaceChildren(...(Array.isArray(text) ? text : [el("p", {}, text)]));
  const button = byId("confirm-yes");
  button.textContent = yes;
  button.className = danger ? "danger" : "primary";
  dialog.returnValue = "";
  dialog.showModal();
  byId(danger ? "confirm-no" : "confirm-yes").focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

/** A click beside the dialog closes it. */
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close("no"); });

/** Shows what went wrong at a place, in one sentence; nothing removes it. */
export function problem(place, error) {
  place.querySelector(":scope > .problem")?.remove();
  if (error) place.append(el("p", { class: "problem", role: "alert" }, sentence(error)));
}

/** What an error says, in one sentence. */
export function sentence(error) {
  if (error instanceof TypeError) return "The gateway cannot be reached. Check that it runs, then try again.";
  const text = String(error.message || error).trim();
  const whole = text[0].toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(whole) ? whole : whole + ".";
}

/**
 * A button that does something. `run` does it and may return what a screen reader is told; `ask` is what is asked before;
 * `place` is where a failure is shown; `done` is called afterwards.
 */
export function button(label, { run, ask, place, done, kind = "", about = "" }) {
  const node = el("button", { type: "button", class: kind, "aria-label": about ? `${label} ${about}` : false }, label);
  node.addEventListener("click", async () => {
    if (node.getAttribute("aria-disabled")) return;
    if (ask && !(await confirmed({ yes: label, danger: kind === "danger", ...(typeof ask === "function" ? ask() : ask) }))) return;
    const where = place?.() || node.parentElement;
    // A disabled button would lose the focus.
    node.setAttribute("aria-disabled", "true");
    problem(where, null);
    try {
      speak((await run()) || `${label}: done`);
      await done?.();
    } catch (error) {
      problem(where, error);
    } finally {
      node.removeAttribute("aria-disabled");
    }
  });
  return node;
}

/** Such buttons, for a token that may change something. */
export const buttons = (...all) => (may.change ? all.filter(Boolean) : []);
