// Times, durations and amounts in words.

import { el } from "/page/dom.js";

/** `3 min`, for a number of seconds. */
export function span(seconds) {
  if (seconds < 1) return "under 1 s";
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  const days = Math.floor(seconds / 86400);
  return days === 1 ? "1 day" : `${days} days`;
}

function agoWords(text) {
  const seconds = (Date.now() - new Date(text)) / 1000;
  return Math.abs(seconds) < 5 ? "now" : seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
}

/** How long ago something was, or in how long it will be, with the exact time as a title. */
export function ago(text) {
  if (!text) return "never";
  return el("time", { class: "ago", datetime: text, title: new Date(text).toLocaleString() }, agoWords(text));
}

/** Brings such times up to date. */
export function updateTimes(node) {
  for (const time of node.querySelectorAll("time.ago")) time.textContent = agoWords(time.getAttribute("datetime"));
}

export const number = (n) => n.toLocaleString();

/** Millionths of the currency of the price table. */
export const money = (micro) => (micro / 1e6).toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: micro < 10_000 ? 6 : 2 });

/** `1.2 s`, for milliseconds. */
export function ms(value) {
  if (value === null) return "none";
  if (value < 1000) return `${value < 10 && value % 1 ? value.toFixed(1) : Math.round(value)} ms`;
  if (value < 60_000) return `${(value / 1000).toFixed(value < 10_000 ? 1 : 0)} s`;
  return span(value / 1000);
}

/** `1 message`, `2 messages`. */
export const plural = (n, one, many = one + "s") => `${number(n)} ${n === 1 ? one : many}`;

const names = { telegram: "Telegram", discord: "Discord", slack: "Slack", web: "Web", http: "HTTP" };

/** The name of a channel, with the account if it is not the default one. */
export function channelName(channel, account = "default") {
  const name = names[channel] || channel;
  return account === "default" ? name : `${name} (${account})`;
}

/** What a session is called: its title, or what its key says. */
export function sessionTitle(row) {
  if (row.title) return row.title;
  return sessionName(row.key);
}

export function sessionName(key) {
  const [, , from, scope, ...id] = key.split(":").map((part) => { try { return decodeURIComponent(part); } catch { return part; } });
  const [channel, account] = from.split("@");
  return `${channelName(channel, account)}, ${scope === "dm" ? "private chat" : scope} ${id.join(" ")}`;
}
