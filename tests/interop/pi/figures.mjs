// Measures what the gateway costs above pi alone, and its pool: the figures of BENCHMARKS.md. Takes about two minutes.
//
//   FRONTDESK_INTEROP=FOLDER FRONTDESK_BIN=target/release/frontdesk node figures.mjs
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { Gateway } from "../../page/program.mjs";
import { eventually } from "../check.mjs";
import { agent, configured, programs, startModel } from "./model.mjs";

const PROMPTS = 60;
const COLD = 8;
const CHATS = 50;
const POOL = 4;

const model = await startModel();
/** The environment of pi in a folder, whose configuration this writes. */
const environment = (folder) => ({
  ...configured(folder, model), HOME: folder, PI_CODING_AGENT_DIR: join(folder, "pi-config"), PI_TELEMETRY: "0",
});

/** The value below which so many of 100 are. */
function percentile(values, percent) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];
}
const ms = (value) => `${value.toFixed(1)} ms`;
const row = (what, values) => console.log(`${what}: p50 ${ms(percentile(values, 50))}, p95 ${ms(percentile(values, 95))} (${values.length})`);

/** pi by itself, over the same pipes as the gateway has. */
class Pi {
  lines = [];
  wanted = [];

  constructor(folder) {
    const args = ["--mode", "rpc", "--provider", "fake", "--model", "fake-1", "--session-dir", join(folder, "sessions"), "--session-id", "alone"];
    this.child = spawn(join(programs, "pi"), args, { cwd: folder, env: environment(folder), stdio: ["pipe", "pipe", "ignore"] });
    let rest = "";
    this.child.stdout.on("data", (chunk) => {
      rest += chunk;
      for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
        const line = JSON.parse(rest.slice(0, end));
        rest = rest.slice(end + 1);
        this.wanted = this.wanted.filter(({ is, resolve }) => !is(line) || (resolve(performance.now()), false));
      }
    });
  }

  /** The time at which a line comes. */
  line(is) {
    return new Promise((resolve) => this.wanted.push({ is, resolve }));
  }

  async ask(text) {
    const first = this.line((line) => line.assistantMessageEvent?.type === "text_delta");
    const settled = this.line((line) => line.type === "agent_settled");
    const begun = performance.now();
    this.child.stdin.write(`${JSON.stringify({ id: "1", type: "prompt", message: text })}\n`);
    return { first: await first - begun, whole: await settled - begun };
  }

  async ready() {
    const answered = this.line((line) => line.type === "response");
    const begun = performance.now();
    this.child.stdin.write(`${JSON.stringify({ id: "0", type: "get_state" })}\n`);
    return await answered - begun;
  }

  end() {
    return new Promise((resolve) => { this.child.once("exit", resolve); this.child.stdin.end(); });
  }
}

async function started(pool) {
  const gateway = new Gateway();
  gateway.env = environment(gateway.home);
  writeFileSync(join(gateway.home, "frontdesk.toml"), `
[limits]
user = { per_minute = 0, burst = 0 }
chat = { per_minute = 0, burst = 0 }
account = { per_minute = 0, burst = 0 }
[agents.main]
${agent}
pool = ${pool}
`);
  await gateway.start();
  return gateway;
}

async function ended(gateway) {
  await gateway.kill();
  rmSync(gateway.home, { recursive: true, force: true });
}

/** Sends a text and reads the answer as it is written. */
async function ask(gateway, chat, text) {
  const begun = performance.now();
  const reply = await fetch(gateway.address("api/chat"), {
    method: "POST",
    headers: { Authorization: `Bearer ${gateway.token()}`, "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify({ text, chat }),
  });
  if (reply.status !== 200) throw new Error(`${reply.status} ${await reply.text()}`);
  let said = "";
  let first;
  for await (const piece of reply.body) {
    said += Buffer.from(piece).toString();
    if (first === undefined && /"type":"delta"|event: delta/.test(said)) first = performance.now() - begun;
  }
  if (!said.includes(`echo: ${text}`)) throw new Error(`no answer: ${said.slice(-500)}`);
  return { first: first ?? performance.now() - begun, whole: performance.now() - begun };
}

/** The memory of a process in MB: all that it has, and its share of what several have. */
function memory(pid) {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const field = (name) => Number(text.match(new RegExp(`^${name}:\\s+(\\d+)`, "m"))[1]) / 1024;
  return { rss: field("Rss"), pss: field("Pss") };
}

const pis = (gateway) => readdirSync("/proc").filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`FRONTDESK_MEDIA=${gateway.home}/`);
  } catch {
    return false;
  }
});

async function overhead() {
  const folder = mkdtempSync(join(tmpdir(), "frontdesk-figures-"));
  const pi = new Pi(folder);
  await pi.ready();
  const gateway = await started("{ min = 0, max = 1 }");
  for (let warm = 0; warm < 5; warm += 1) { await pi.ask(`warm ${warm}`); await ask(gateway, "a", `warm ${warm}`); }
  const alone = [];
  const through = [];
  // In turns, so that both see the same machine.
  for (let n = 0; n < PROMPTS; n += 1) {
    alone.push(await pi.ask(`prompt ${n}`));
    through.push(await ask(gateway, "a", `prompt ${n}`));
  }
  row("pi alone, prompt to first delta", alone.map(({ first }) => first));
  row("through the gateway, message to first delta", through.map(({ first }) => first));
  row("pi alone, prompt to settled", alone.map(({ whole }) => whole));
  row("through the gateway, message to answer", through.map(({ whole }) => whole));
  await pi.end();
  await ended(gateway);
  const ready = [];
  for (let n = 0; n < COLD; n += 1) {
    const begun = performance.now();
    const cold = new Pi(folder);
    await cold.ready();
    ready.push(performance.now() - begun);
    await cold.end();
  }
  row("pi alone, start to ready", ready);
  rmSync(folder, { recursive: true, force: true });
}

async function cold() {
  for (const [what, pool] of [["no process ahead", "{ min = 0, max = 4 }"], ["one ahead", "{ min = 1, max = 4 }"]]) {
    const gateway = await started(pool);
    await ask(gateway, "warm", "hello");
    const first = [];
    for (let n = 0; n < COLD; n += 1) {
      await pause(2500);
      first.push((await ask(gateway, `cold${n}`, "hello")).first);
    }
    row(`new chat to first delta, ${what}`, first);
    await ended(gateway);
  }
}

async function pool() {
  const gateway = await started(`{ min = 0, max = ${POOL} }`);
  for (let chat = 0; chat < POOL; chat += 1) for (let n = 0; n < 5; n += 1) await ask(gateway, `m${chat}`, `hello ${n}`);
  await eventually("all processes are idle", () => pis(gateway).length === POOL);
  const all = pis(gateway).map(memory);
  const sum = (name) => all.reduce((total, one) => total + one[name], 0).toFixed(0);
  console.log(`${POOL} processes of pi: ${sum("rss")} MB resident, ${sum("pss")} MB with shared pages counted once`);
  console.log(`the gateway beside them: ${memory(gateway.daemon.pid).rss.toFixed(1)} MB`);
  const begun = performance.now();
  const chats = Array.from({ length: CHATS }, (_, chat) => chat);
  const waits = (await Promise.all(chats.map(async (chat) => {
    const mine = [];
    for (let n = 0; n < 3; n += 1) mine.push((await ask(gateway, `c${chat}`, `hello ${n}`)).whole);
    return mine;
  }))).flat();
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  const longest = Math.max(...waits);
  const took = (performance.now() - begun) / 1000;
  console.log(`${CHATS} chats, 3 messages each, over ${POOL} processes: ${waits.length} answers in ${took.toFixed(1)} s, ` +
    `mean wait ${(mean / 1000).toFixed(2)} s, longest ${(longest / 1000).toFixed(2)} s (${(longest / mean).toFixed(2)} times the mean)`);
  await ended(gateway);
}

console.log(`${cpus().length} x ${cpus()[0].model}, load ${loadavg()[0].toFixed(2)}`);
const parts = { overhead, cold, pool };
for (const name of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts)) await parts[name]();
await model.stop();
process.exit(0);
