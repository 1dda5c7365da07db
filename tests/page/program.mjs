// The built program with a folder of its own, for tests.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "..");
/** The built program. */
export const program = process.env.FRONTDESK_BIN || join(root, "target", "debug", "frontdesk");

/** A gateway with a folder of its own. */
export class Gateway {
  home = mkdtempSync(join(tmpdir(), "frontdesk-test-"));
  port = 0;
  log = "";
  /** Further environment variables of the program. */
  env = {};

  /** Starts the program; resolves when its log says that it is ready. */
  start() {
    return new Promise((resolve, reject) => {
      const arguments_ = ["run", "--home", this.home, "--port", String(this.port)];
      this.daemon = spawn(program, arguments_, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...this.env } });
      let output = "";
      const read = (chunk) => {
        output += chunk;
        this.log += chunk;
        const ready = output.match(/ready in .*address=127\.0\.0\.1:(\d+)/);
        if (ready) { this.port = Number(ready[1]); resolve(); }
      };
      this.daemon.stdout.on("data", read);
      this.daemon.stderr.on("data", read);
      this.daemon.once("exit", (code) => reject(new Error(`the program ended with ${code}: ${output}`)));
    });
  }

  kill() {
    return new Promise((resolve) => {
      this.daemon.removeAllListeners("exit");
      this.daemon.once("exit", resolve);
      this.daemon.kill("SIGKILL");
    });
  }

  token() { return readFileSync(join(this.home, "token"), "utf8").trim(); }

  address(rest = "") { return `http://127.0.0.1:${this.port}/${rest}`; }

  /** Calls the API with the owner's token. */
  async api(method, path, body) {
    const headers = { Authorization: `Bearer ${this.token()}`, "Content-Type": "application/json" };
    const reply = await fetch(this.address(path), { method, headers, body: body && JSON.stringify(body) });
    return { status: reply.status, body: await reply.json() };
  }
}
