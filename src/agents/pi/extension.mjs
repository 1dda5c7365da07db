// Frontdesk's extension for pi. Written anew at each start of pi: changes to this file are lost.
//
// It asks the gateway for what is known about each prompt, for permission before each tool call, and to carry out the
// calls of the gateway's own tools. All are dialogs of pi's RPC mode, which the gateway answers itself; they carry JSON.
// No answer means no permission.

// The gateway's tools; the gateway fills them in.
const TOOLS = [];

export default (pi) => {
  for (const { name, description, parameters } of TOOLS) {
    pi.registerTool({
      name,
      label: name,
      description,
      parameters,
      execute: async (id, params, signal, _onUpdate, ctx) => {
        const answer = await ctx.ui.input("frontdesk.call", JSON.stringify({ id, name, params }), { signal });
        const result = answer ? JSON.parse(answer) : { error: "The gateway did not carry this out." };
        if (result.error !== undefined) throw new Error(result.error);
        return { content: [{ type: "text", text: result.text }], details: undefined };
      },
    });
  }

  // Another extension may have a tool of the same name; pi uses the one that was registered first.
  const isOurs = (name) => {
    const ours = TOOLS.find((tool) => tool.name === name);
    return ours !== undefined && pi.getAllTools().some((tool) => tool.name === name && tool.description === ours.description);
  };

  pi.on("input", async (event, ctx) => {
    const facts = await ctx.ui.input("frontdesk.facts", event.source ?? "");
    if (facts) pi.sendMessage({ customType: "frontdesk", content: facts, display: false });
  });

  pi.on("tool_call", async (event, ctx) => {
    const { toolCallId: id, toolName: name, input: params } = event;
    const call = JSON.stringify({ id, name, params, ours: isOurs(name) });
    const answer = await ctx.ui.input("frontdesk.tool", call, { signal: ctx.signal });
    const decision = answer ? JSON.parse(answer) : { deny: "The gateway gave no permission." };
    if (decision.deny !== undefined) return { block: true, reason: decision.deny };
    if (decision.params !== undefined) {
      for (const name of Object.keys(event.input)) delete event.input[name];
      Object.assign(event.input, decision.params);
    }
  });
};
