// A gateway whose first start is that of a person who has never used it: a home folder with nothing in it, and one command.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway, program } from "./program.mjs";

/** The gateway in the home folder of a person who has never used it. Its first start is at a terminal. */
export class FirstRun extends Gateway {
  user = mkdtempSync(join(tmpdir(), "frontdesk-first-"));
  /** What the first start has shown. */
  shown = "";

  /** The model's address. */
  constructor(model) {
    super();
    this.model = model;
  }

  async start() {
    if (this.link) return super.start();
    rmSync(this.home, { recursive: true });
    this.home = join(this.user, ".frontdesk");
    this.env = { HOME: this.user, OPENAI_API_KEY: "sk-test", OPENAI_BASE_URL: `${this.model}/v1` };
    assert.deepEqual(readdirSync(this.user), []);
    const command = `'${program}' run --port 0`;
    const env = { ...process.env, ...this.env };
    this.daemon = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], { env });
    const link = new Promise((resolve, reject) => {
      this.daemon.once("exit", (code) => reject(new Error(`the program ended with ${code}: ${this.shown}`)));
      this.daemon.stdout.on("data", (chunk) => {
        this.shown += chunk;
        const found = /(http:\/\/127\.0\.0\.1:(\d+)\/#ticket=\S+)\s[^]*Answers come from/.exec(this.shown);
        if (found) resolve(found);
      });
    });
    const [, address, port] = await link;
    this.link = address;
    this.port = Number(port);
  }

  /** Kills the gateway itself, not the terminal around it. */
  kill() {
    const [, pid] = /^pid=(\d+)$/m.exec(readFileSync(join(this.home, "frontdesk.lock"), "utf8"));
    return new Promise((resolve) => {
      this.daemon.removeAllListeners("exit");
      this.daemon.once("exit", resolve);
      process.kill(Number(pid), "SIGKILL");
    });
  }
}
