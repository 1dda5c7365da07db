// Frontdesk's extension for pi. Written anew at each start of pi: changes to this file are lost.
//
// It asks the gateway for what is known about each prompt, and for permission before each tool call. Both are dialogs of
// pi's RPC mode, which the gateway answers itself; they carry JSON. No answer means no permission.

export default (pi) => {
  pi.on("input", async (event, ctx) => {
    const facts = await ctx.ui.input("frontdesk.facts", event.source ?? "");
    if (facts) pi.sendMessage({ customType: "frontdesk", content: facts, display: false });
  });

  pi.on("tool_call", async (event, ctx) => {
    const call = JSON.stringify({ id: event.toolCallId, name: event.toolName, params: event.input });
    const answer = await ctx.ui.input("frontdesk.tool", call, { signal: ctx.signal });
    const decision = answer ? JSON.parse(answer) : { deny: "The gateway gave no permission." };
    if (decision.deny !== undefined) return { block: true, reason: decision.deny };
    if (decision.params !== undefined) {
      for (const name of Object.keys(event.input)) delete event.input[name];
      Object.assign(event.input, decision.params);
    }
  });
};
