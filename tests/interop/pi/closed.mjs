// The real pi in a sandbox, whose model is aimock: the gateway's tools need nothing but pi's own input and output.
//
//   FRONTDESK_INTEROP=FOLDER node closed.mjs
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Gateway } from "../../page/program.mjs";
import { check } from "../check.mjs";
import { agent, configured, startModel } from "./model.mjs";

const model = await startModel();
const gateway = new Gateway();
gateway.env = configured(gateway.home, model);
writeFileSync(join(gateway.home, "frontdesk.toml"), `
[agents.main]
${agent}
run_with = "bubblewrap"
readable = ["${process.env.FRONTDESK_INTEROP}"]
approvals = { "bash" = "allow" }
`);

async function say(text) {
  const { status, body } = await gateway.api("POST", "api/chat", { text });
  assert.equal(status, 200, JSON.stringify(body));
  return body.text;
}

const tests = {
  async "pi in a sandbox uses the gateway's tools and does not see the gateway's files"() {
    assert.match(await say('call send_message {"text":"by the tool"}'), /The tool says: It is on its way/);
    const { body } = await gateway.api("GET", "api/outbox");
    assert.equal(body.parts.filter((part) => part.text.includes("by the tool")).length, 1);
    assert.match(await say("call session_status {}"), /agent:main:web:dm:main/);
    assert.match(await say(`run cat ${join(gateway.home, "token")}`), /No such file/);
  },
};

await check(gateway, tests, () => model.stop());
