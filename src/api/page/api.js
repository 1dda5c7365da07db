// Requests to the gateway that served the page.

import { token } from "./storage.js";

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** A request. Returns the JSON of the reply, or null if there is no such thing. */
export async function call(method, path, body) {
  const headers = { Authorization: "Bearer " + token.get() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const reply = await fetch(path, { method, headers, cache: "no-store", body: body && JSON.stringify(body) });
  if (reply.status === 404 && method === "GET") return null;
  const json = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Refused(reply.status, json.error?.message || "status " + reply.status);
  return json;
}

/** Exchanges a login ticket. Returns the token and the person. */
export async function redeem(ticket) {
  const headers = { "Content-Type": "application/json" };
  const reply = await fetch("/api/login", { method: "POST", headers, cache: "no-store", body: JSON.stringify({ ticket }) });
  const json = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Refused(reply.status, json.error?.message || "status " + reply.status);
  return json;
}

/** Ends this browser's token, if it came from a login link. */
export function leave() {
  const headers = { Authorization: "Bearer " + token.get() };
  fetch("/api/login", { method: "DELETE", headers, cache: "no-store", keepalive: true }).catch(() => {});
}

/** The content of a file. */
export async function content(path) {
  const reply = await fetch(path, { headers: { Authorization: "Bearer " + token.get() }, cache: "no-store" });
  if (!reply.ok) throw new Refused(reply.status, reply.status === 404 ? "This file is no longer kept." : "status " + reply.status);
  return reply.blob();
}

export const get = (path) => call("GET", path);

/** The path of a session: its key is percent-encoded once. */
export const sessionPath = (key, rest = "") => "/api/session/" + encodeURIComponent(key) + rest;
