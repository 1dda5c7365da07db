// The fake Bot API, as a process of its own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { program } from "./program.mjs";

export class BotApi {
  async start() {
    const path = process.env.FRONTDESK_BOTAPI || join(dirname(program), "frontdesk-botapi");
    this.process = spawn(path, ["--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
    this.url = await new Promise((resolve, reject) => {
      let said = "";
      this.process.stdout.on("data", (chunk) => {
        said += chunk;
        const found = said.match(/http:\/\/127\.0\.0\.1:\d+/);
        if (found) resolve(found[0]);
      });
      this.process.once("exit", (code) => reject(new Error(`the fake Bot API ended with ${code}`)));
    });
  }

  /** Uses its control port. */
  async control(action, body) {
    const reply = await fetch(`${this.url}/control/${action}`, { method: "POST", body: JSON.stringify(body) });
    assert.ok(reply.ok, `${action}: ${await reply.clone().text()}`);
  }

  stop() {
    this.process.removeAllListeners("exit");
    this.process.kill();
  }
}
