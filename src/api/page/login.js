// The view that asks for a token, and what a login link is exchanged for.

import { redeem } from "./api.js";
import { byId } from "./dom.js";
import { keyIn } from "./place.js";
import { forget, person, token } from "./storage.js";

const field = byId("token");
const problem = byId("login-problem");

const reasons = {
  revoked: "This token is no longer valid. Run frontdesk link to get a new link.",
  unknown: "This token is not valid. Check that you copied all of it, or run frontdesk link to get a new link.",
  malformed: "This is neither a token nor a login link. A link looks like http…/#token=…",
  empty: "Paste a token or a login link first.",
  used: "This login link was used already, or is too old. Run frontdesk link to get a new one.",
  unreachable: "The gateway does not answer. Press Log in to try again.",
};

/** Shows why a token is needed; `why` is one of the reasons, or nothing. */
export function explain(why) {
  problem.textContent = reasons[why] || "";
  field.setAttribute("aria-invalid", String(Boolean(why)));
  field.focus();
}

/** Remembers a token, and forgets what another person has left here. */
function remember(value, who) {
  if (who ? who !== person.get() : value !== token.get()) forget();
  token.set(value);
  if (who) person.set(who);
}

/** Takes a token, or what a ticket is exchanged for. Returns what was wrong, or nothing. */
export async function take(key) {
  if (key.ticket === null || key.ticket === undefined) return /^[\w-]+$/.test(key.token) ? remember(key.token) : "malformed";
  try {
    const { token: value, person: who } = await redeem(key.ticket);
    remember(value, who);
  } catch (error) {
    if (error.status === undefined) field.value = location.origin + "/#ticket=" + key.ticket;
    return error.status === undefined ? "unreachable" : error.status === 401 ? "used" : "malformed";
  }
}

/** Calls `enter()` once a person has given what lets them in. */
export function setUp(enter) {
  byId("login-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    const key = keyIn(text);
    if (!key) return explain(text ? "malformed" : "empty");
    field.value = "";
    const why = await take(key);
    explain(why);
    if (!why) enter();
  });
}
