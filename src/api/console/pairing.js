// People who wait to be let in: two taps, or the code that they were given.

import { call, get } from "/page/api.js";
import { el, speak } from "/page/dom.js";
import { button, buttons, may, problem } from "./action.js";
import { ago, channelName } from "./format.js";
import { failed, note } from "./list.js";
import * as place from "./place.js";

/** The requests as they were shown last, so that nothing moves while somebody decides. */
const read = async () => (await get("/api/pairing")).requests;

function who({ shown, principal }) { return shown ? `${shown} (${principal})` : principal; }

function requestCard(request, again) {
  const name = request.shown || request.user;
  const decide = (what) => call("POST", `/api/pairing/requests/${request.id}/${what}`, {});
  const card = el("li", { class: "card request" },
    el("div", { class: "card-head" }, el("strong", {}, name), el("span", { class: "word" }, channelName(request.platform, request.account))),
    el("p", { class: "fact" }, el("code", {}, request.principal), " asked ", ago(request.asked)),
    el("div", { class: "controls" }, ...buttons(
      button("Let in", {
        about: name, kind: "primary", place: () => card, done: again,
        ask: {
          title: `Let ${name} in?`,
          text: [el("p", {}, el("code", {}, request.principal), ` may write to your agents in private from now on, and is told so.`),
            el("p", {}, "Names can be chosen freely. If you are not sure who this is, ask them for their code and enter it instead.")],
        },
        run: async () => { await decide("approve"); return `${name} is let in`; },
      }),
      button("Refuse", {
        about: name, place: () => card, done: again, run: async () => { await decide("deny"); return `${name} is refused`; },
        ask: { title: `Refuse ${name}?`, text: `${who(request)} gets no access and is not told. They can ask again later.` },
      }))));
  return card;
}

/** Shows the requests in a section that is hidden without any. */
export async function showWaiting(section) {
  const requests = await read();
  const state = JSON.stringify(requests.map((one) => one.id));
  if (section.dataset.state === state && requests.length) return;
  section.dataset.state = state;
  section.hidden = !requests.length;
  const again = () => showWaiting(section);
  section.replaceChildren(el("h2", {}, requests.length === 1 ? "Somebody waits to be let in" : `${requests.length} people wait to be let in`),
    el("ul", { class: "cards" }, ...requests.map((request) => requestCard(request, again))));
}

function codeForm(again) {
  const field = el("input", { id: "code", type: "text", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", placeholder: "ABCD2345", maxlength: "12" });
  const form = el("form", { class: "line-form" }, el("label", { for: "code" }, "Code"), field, el("button", { type: "submit", class: "primary" }, "Let in"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem(form, null);
    const code = field.value.trim();
    if (!code) return problem(form, "Enter the code that the person was given.");
    try {
      const { approved } = await call("POST", `/api/pairing/${encodeURIComponent(code)}/approve`, {});
      field.value = "";
      speak(`${who(approved)} is let in`);
      again();
    } catch (error) {
      problem(form, error);
    }
  });
  return form;
}

export async function open(view) {
  const list = el("div", { class: "rows" });
  const head = may.change ? [el("section", { class: "panel" }, el("h2", {}, "Somebody has told you their code"), codeForm(show))] : [];
  view.replaceChildren(list, ...head);
  async function show() {
    try {
      const requests = await read();
      const state = JSON.stringify(requests.map((one) => one.id));
      if (list.dataset.state === state) return;
      list.dataset.state = state;
      list.replaceChildren(requests.length ? el("ul", { class: "cards", "aria-label": "People who wait" }, ...requests.map((one) => requestCard(one, show)))
        : note("Nobody waits to be let in", "Whoever writes to one of your accounts for the first time appears here, with the code that they were given."));
    } catch (error) {
      delete list.dataset.state;
      list.replaceChildren(failed(error, show));
    }
  }
  await show();
  place.whileOpen(setInterval(() => { if (!document.hidden) show(); }, 5000));
}
