// The first view: what is wrong, who waits to be let in, the accounts and agents, and charts.

import { call, get } from "/page/api.js";
import { el, icon } from "/page/dom.js";
import { button, buttons, problem } from "./action.js";
import { chart } from "./chart.js";
import { ago, channelName, money, ms, number, plural, span } from "./format.js";
import { failed } from "./list.js";
import * as pairing from "./pairing.js";
import * as place from "./place.js";

/** How often the state is read, and how often the charts, in milliseconds. */
const [STATE, CHARTS] = [5000, 20_000];

export async function open(view, { status }) {
  const health = el("section", { class: "health", "aria-label": "Health" });
  const waiting = el("section", { class: "waiting", "aria-label": "Waiting to be let in", hidden: true });
  const accounts = el("ul", { class: "cards", "aria-label": "Accounts" });
  const agents = el("ul", { class: "cards", "aria-label": "Agents" });
  const numbers = el("dl", { class: "numbers" });
  const [charts, showCharts] = chartsOf();
  view.replaceChildren(health, waiting, numbers, el("section", {}, el("h2", {}, "Accounts"), accounts), charts,
    el("section", {}, el("h2", {}, "Agents"), agents));

  const refresh = async () => {
    try {
      show(await get("/api/status"));
    } catch (error) {
      showHealth(health, "bad", "The state is not known", [error.status ? error.message : "The gateway cannot be reached. The console tries again by itself."]);
    }
  };
  function show(status) {
    const isWell = status.status === "ok";
    showHealth(health, isWell ? "good" : "bad", isWell ? "Everything works" : plural(status.reasons.length, "problem"),
      isWell ? [el("span", {}, `Version ${status.version}, started `, ago(status.started))] : status.reasons);
    const state = JSON.stringify([status.accounts, status.agents]);
    if (accounts.dataset.state !== state || !accounts.contains(document.activeElement)) {
      accounts.dataset.state = state;
      accounts.replaceChildren(...[...status.accounts].sort(byTrouble).map((one) => accountCard(one, refresh)));
      agents.replaceChildren(...[...status.agents].sort((a, b) => Boolean(b.problem) - Boolean(a.problem)).map(agentCard));
    }
    showNumbers(numbers, status);
  }
  show(status);
  const people = () => pairing.showWaiting(waiting);
  await Promise.all([showCharts(), people().catch(() => {})]);
  place.whileOpen(setInterval(() => { if (!document.hidden) { refresh(); people().catch(() => {}); } }, STATE));
  place.whileOpen(setInterval(() => { if (!document.hidden) showCharts(); }, CHARTS));
}

function showHealth(node, kind, title, lines) {
  const text = title + lines.map((line) => line.textContent || line).join();
  if (node.dataset.text === text) return;
  node.dataset.text = text;
  node.className = `health ${kind}`;
  const list = lines.length > 1 || kind === "bad" ? el("ul", {}, ...lines.map((line) => el("li", {}, line))) : el("p", {}, ...lines);
  node.replaceChildren(el("span", { class: "sign" }, icon(kind === "good" ? "done" : "warning")), el("div", {}, el("h2", {}, title), list));
}

const byTrouble = (a, b) => a.ready - b.ready || `${a.channel}@${a.account}`.localeCompare(`${b.channel}@${b.account}`);

function accountCard(one, refresh) {
  const isStopped = one.state.startsWith("stopped");
  const kind = one.ready ? "good" : isStopped ? "off" : "bad";
  const id = one.account === "default" ? one.channel : `${one.channel}@${one.account}`;
  const name = channelName(one.channel, one.account);
  const switchTo = (what) => call("POST", `/api/channel/${encodeURIComponent(id)}/${what}`, {});
  const controls = el("div", { class: "controls" }, ...buttons(isStopped
    ? button("Connect", { about: name, run: () => switchTo("start"), done: refresh, place: () => card })
    : button("Disconnect", {
      about: name, run: () => switchTo("stop"), done: refresh, place: () => card, kind: "plain",
      ask: { title: `Disconnect ${name}?`, text: `No message is received on ${name} until it is connected again. Messages that wait are kept.` },
    })));
  const card = el("li", { class: `card ${kind}` },
    el("div", { class: "card-head" }, el("span", { class: "lamp", "aria-hidden": "true" }), el("strong", {}, name), el("span", { class: "word" }, one.state)),
    el("p", { class: "fact" }, ...(one.last_heard ? ["Last heard ", ago(one.last_heard)] : ["Nothing heard yet"]), `, ${one.ready ? "connected" : isStopped ? "stopped" : "not connected"} for ${span((Date.now() - new Date(one.since)) / 1000)}`),
    one.error && !one.ready ? el("p", { class: "reason" }, one.error) : "",
    controls);
  return card;
}

function agentCard(one) {
  const { failover } = one;
  const models = failover?.candidates.map((candidate) => el("li", {}, `${candidate.name}: ${candidate.state}`, candidate.reason ? `, ${candidate.reason}` : ""));
  return el("li", { class: `card ${one.problem ? "bad" : "good"}` },
    el("div", { class: "card-head" }, el("span", { class: "lamp", "aria-hidden": "true" }), el("strong", {}, one.name), el("span", { class: "word" }, one.problem ? "cannot answer" : "ready")),
    el("p", { class: "fact" }, one.running ? plural(one.running, "turn runs", "turns run") : "No turn runs", failover?.answering ? `; ${failover.answering} answers` : ""),
    one.problem ? el("p", { class: "reason" }, one.problem) : "",
    models ? el("ul", { class: "models" }, ...models) : "");
}

function showNumbers(node, { totals, tasks, jobs, next_run: next, today }) {
  const spent = today.reduce((sum, row) => sum + row.cost_micro, 0);
  const all = [
    ["Messages wait", number(totals.waiting), place.to("sessions", "", { order: "busy" })],
    ["Turns run", number(totals.running), place.to("sessions", "", { order: "busy" })],
    ["Questions open", number(totals.asks), place.to("questions")],
    ["To be sent", number(totals.outbox), place.to("outbox", "", { state: "queued" })],
    ["Not delivered", number(totals.dead_parts), place.to("outbox", "", { state: "dead" }), totals.dead_parts],
    ["Dead letters", number(totals.dead_letters), place.to("dead-letters"), totals.dead_letters],
    ["Open tasks", number(tasks), place.to("tasks", "", { state: "open" })],
    ["Jobs", next ? [number(jobs), el("small", {}, " next ", ago(next))] : number(jobs), place.to("jobs")],
    ["Sessions", number(totals.sessions), place.to("sessions")],
    ["Cost today", money(spent), place.to("budgets")],
  ];
  node.replaceChildren(...all.map(([name, value, link, isBad]) => {
    const parts = Array.isArray(value) ? value : [value];
    return el("div", { class: isBad ? "bad" : false }, el("dt", {}, name), el("dd", {}, ...(link ? [el("a", { href: link, "aria-label": `${name}: ${parts.map((part) => part.textContent ?? part).join("")}` }, ...parts)] : parts)));
  }));
}

// -- charts ----------------------------------------------------------------------------------------------

const RANGES = { hour: "Hour", day: "Day" };

function chartsOf() {
  const all = [
    chart({ title: "Messages and turns", whole: true, format: (n) => number(n), empty: "Nobody has written",
      series: [{ name: "Messages", kind: "bar", of: (p) => p.messages }, { name: "Turns", kind: "soft", of: (p) => p.turns }] }),
    chart({ title: "Time of a turn", format: ms, empty: "No turn has ended",
      series: [{ name: "Average", kind: "line", of: (p) => p.turn_ms }, { name: "Longest", kind: "soft", of: (p) => p.turn_max_ms }] }),
    chart({ title: "Age of the queue", format: ms, empty: "Nothing has waited", series: [{ name: "Oldest message", kind: "bar", of: (p) => p.queue_ms }] }),
    chart({ title: "Time of a commit", format: ms, empty: "Nothing was stored",
      series: [{ name: "Average", kind: "line", of: (p) => thousandth(p.commit_us) }, { name: "Longest", kind: "soft", of: (p) => thousandth(p.commit_max_us) }] }),
    chart({ title: "Cost", format: money, empty: "Nothing has cost anything", series: [{ name: "Cost", kind: "bar", of: (p) => p.cost_micro }] }),
  ];
  const grid = el("div", { class: "charts" }, ...all.map((one) => one.node));
  let range = "hour";
  const step = el("p", { class: "step" });
  const choices = Object.entries(RANGES).map(([value, name]) => {
    const node = el("button", { type: "button", "aria-pressed": String(value === range) }, name);
    node.addEventListener("click", () => {
      range = value;
      for (const one of choices) one.setAttribute("aria-pressed", String(one === node));
      show();
    });
    return node;
  });
  const head = el("div", { class: "section-head" }, el("h2", {}, "Activity"), step, el("div", { class: "choice", role: "group", "aria-label": "Period" }, ...choices));
  const section = el("section", { "aria-label": "Activity" }, head, grid);
  async function show() {
    const asked = range;
    try {
      const { points, step_s } = await get("/api/charts?range=" + asked);
      if (asked !== range) return;
      problem(head, null);
      if (!grid.isConnected || grid.firstChild?.className !== "chart") grid.replaceChildren(...all.map((one) => one.node));
      step.textContent = step_s === 60 ? "per minute" : `per ${step_s / 60} minutes`;
      for (const one of all) one.show(points);
    } catch (error) {
      grid.replaceChildren(failed(error, show));
    }
  }
  return [section, show];
}

const thousandth = (us) => (us === null ? null : us / 1000);
