// The view that asks for a token.

import { byId } from "./dom.js";
import { tokenIn } from "./place.js";

const field = byId("token");
const problem = byId("login-problem");

const reasons = {
  revoked: "This token is no longer valid. Run frontdesk link to get a new link.",
  unknown: "This token is not valid. Check that you copied all of it, or run frontdesk link to get a new link.",
  malformed: "This is neither a token nor a login link. A link looks like http…/#token=…",
  empty: "Paste a token or a login link first.",
};

/** Shows why a token is needed; `why` is one of the reasons, or nothing. */
export function explain(why) {
  problem.textContent = reasons[why] || "";
  field.setAttribute("aria-invalid", String(Boolean(why)));
  field.focus();
}

/** Calls `enter(token)` with what a person has given. */
export function setUp(enter) {
  byId("login-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    const token = tokenIn(text);
    if (!token) return explain(text ? "malformed" : "empty");
    field.value = "";
    explain();
    enter(token);
  });
}
